"""The torso under all clothes: its shoulders, and cloth that lies on it in soft folds."""

from __future__ import annotations

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, chin_y
from avatalk.avatars.artist.svg import Drawing, Point, line, mirror, mix

BODY = (-470.0, 150.0, 470.0, 1500.0)


def shoulders(character: Character) -> list[Point]:
    """Return the right half of the shoulder line, from the neck outwards and down."""
    c, male = chin_y(character), character.sex == "male"
    n = (98 if male else 80) * character.face.neck
    k = 1.16 if male else 1.0
    return [
        (n + 2, c + 44),
        (n + 44 * k, c + 74),
        (220 * k, c + 106),
        (296 * k, c + 136),
        (342 * k, c + 200),
        (366 * k, c + 330),
        (384 * k, c + 560),
        (384 * k, c + 600),
        (384 * k, 1500.0),
    ]


def neck_width(character: Character) -> float:
    """Return half the width of the neck in head units, with room for cloth."""
    return (98 if character.sex == "male" else 80) * character.face.neck


def outline(character: Character) -> str:
    """Return the path of the shoulders and what is below them."""
    right = shoulders(character)
    return line([(0, chin_y(character) + 20), *right, *mirror(right)], closed=True, tension=0.8)


def body(s: Sheet, character: Character, tint: str, neckline: list[Point]) -> None:
    """Fill the torso below a neckline given from the left to the right."""
    right = shoulders(character)
    shape = line([*neckline, *right[1:], *mirror(right[1:])], closed=True, tension=0.8)
    lit, dim = mix(tint, "#ffffff", 0.1), mix(tint, "#0c0a12", 0.34)
    s.shape.path(shape, tint)
    s.shading.flood(s.shading.linear(-330, 300, 330, 520, (0, lit, 1), (0.4, tint, 1), (1, dim, 1)))
    folds(s.shading, character, tint)


def folds(d: Drawing, character: Character, tint: str) -> None:
    """Lay light and shadow of soft cloth."""
    c = chin_y(character)
    k = 1.16 if character.sex == "male" else 1.0
    dark, light = mix(tint, "#08060c", 0.5), mix(tint, "#ffffff", 0.3)
    with d.blurred(14):
        d.blob(
            [(-90, c + 60), (90, c + 60), (130, c + 130), (40, c + 170), (-60, c + 160), (-130, c + 120)],
            dark,
            0.5,
        )
        d.blob(
            [(290 * k, c + 150), (420, c + 180), (420, 900), (330 * k, 900), (300 * k, c + 330)], dark, 0.5
        )
        d.stroke(line([(-250 * k, c + 250), (-262 * k, c + 360), (-266 * k, 900)]), dark, 22, 0.55)
        d.stroke(line([(252 * k, c + 250), (266 * k, c + 360), (270 * k, 900)]), dark, 26, 0.65)
        d.stroke(line([(-110, c + 106), (-220 * k, c + 134), (-306 * k, c + 172)]), light, 22, 0.5)
        d.stroke(line([(130, c + 112), (220 * k, c + 136), (290 * k, c + 160)]), light, 12, 0.3)
        d.ellipse(-120, c + 260, 70, 60, light, 0.22)
    with d.blurred(8):
        for x0, x1, y in ((-230, -120, 250), (228, 130, 246), (-226, -150, 300), (226, 160, 306)):
            d.stroke(
                line([(x0 * k, c + y), ((x0 + x1) / 2 * k, c + y + 26), (x1 * k, c + y + 66)]), dark, 8, 0.32
            )
            d.stroke(
                line([(x0 * k, c + y + 12), ((x0 + x1) / 2 * k, c + y + 38), (x1 * k, c + y + 74)]),
                light,
                6,
                0.25,
            )
