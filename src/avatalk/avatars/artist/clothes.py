"""Clothes: shoulders, necklines, collars and folds."""

from __future__ import annotations

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, chin_y, sheet
from avatalk.avatars.artist.svg import Drawing, Point, line, mirror, mix


def shoulders(character: Character) -> list[Point]:
    """Return the right half of the shoulder line, from the neck outwards and down."""
    c, male = chin_y(character), character.sex == "male"
    n = (90 if male else 73) * character.face.neck
    k = 1.16 if male else 1.0
    return [
        (n + 4, c + 66),
        (n + 50 * k, c + 92),
        (226 * k, c + 122),
        (300 * k, c + 152),
        (344 * k, c + 216),
        (366 * k, c + 330),
        (384 * k, c + 620),
        (400 * k, 3000.0),
    ]


def draw(character: Character) -> list[Sheet]:
    """Draw the clothes."""
    makers = {"crew": _crew}
    return makers.get(character.clothes, _crew)(character)


def _body(s: Sheet, character: Character, tint: str, neckline: list[Point]) -> None:
    """Fill the torso below a neckline given from the left to the right."""
    right = shoulders(character)
    s.shape.path(
        line([*neckline, *right[1:], *mirror(right[1:])], closed=True, tension=0.8),
        s.shape.linear(
            -330,
            300,
            330,
            520,
            (0, mix(tint, "#ffffff", 0.1), 1),
            (0.4, tint, 1),
            (1, mix(tint, "#0c0a12", 0.34), 1),
        ),
    )
    _folds(s.shading, character, tint)


def _folds(d: Drawing, character: Character, tint: str) -> None:
    c = chin_y(character)
    k = 1.16 if character.sex == "male" else 1.0
    dark, light = mix(tint, "#08060c", 0.5), mix(tint, "#ffffff", 0.3)
    with d.blurred(14):
        d.path(
            line(
                [(-90, c + 60), (90, c + 60), (130, c + 130), (40, c + 170), (-60, c + 160), (-130, c + 120)],
                closed=True,
            ),
            dark,
            0.5,
        )
        d.path(
            line(
                [(290 * k, c + 150), (420, c + 180), (420, 900), (330 * k, 900), (300 * k, c + 330)],
                closed=True,
            ),
            dark,
            0.5,
        )
        d.stroke(line([(-250 * k, c + 250), (-262 * k, c + 360), (-266 * k, 900)]), dark, 22, 0.55)
        d.stroke(line([(252 * k, c + 250), (266 * k, c + 360), (270 * k, 900)]), dark, 26, 0.65)
        d.stroke(line([(-110, c + 106), (-220 * k, c + 134), (-306 * k, c + 172)]), light, 22, 0.5)
        d.stroke(line([(130, c + 112), (220 * k, c + 136), (290 * k, c + 160)]), light, 12, 0.3)
        d.ellipse(-120, c + 260, 70, 60, light, 0.22)
    with d.blurred(6):
        for x0, x1, y in ((-230, -120, 250), (228, 130, 246), (-226, -150, 300), (226, 160, 306)):
            d.stroke(
                line([(x0 * k, c + y), ((x0 + x1) / 2 * k, c + y + 26), (x1 * k, c + y + 66)]), dark, 7, 0.4
            )
            d.stroke(
                line([(x0 * k, c + y + 12), ((x0 + x1) / 2 * k, c + y + 38), (x1 * k, c + y + 74)]),
                light,
                6,
                0.25,
            )


def _crew(character: Character) -> list[Sheet]:
    c = chin_y(character)
    n = (90 if character.sex == "male" else 73) * character.face.neck
    s = sheet()
    neck = [
        (-n - 10, c + 68),
        (-n + 12, c + 106),
        (-34, c + 132),
        (34, c + 132),
        (n - 12, c + 106),
        (n + 10, c + 68),
    ]
    _body(s, character, character.colour, neck)
    dark, light = mix(character.colour, "#08060c", 0.42), mix(character.colour, "#ffffff", 0.2)
    s.detail.stroke(line([(x * 1.02, y + 2) for x, y in neck]), mix(character.colour, "#ffffff", 0.06), 15)
    s.detail.stroke(line([(x * 1.1, y + 11) for x, y in neck]), dark, 1.6, 0.6)
    s.detail.stroke(line([(x * 0.98, y - 4) for x, y in neck]), light, 1.6, 0.6)
    return [s]
