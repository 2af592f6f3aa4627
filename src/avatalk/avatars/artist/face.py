"""The head without its hair: neck, ears, face, nose, brows. Light comes from the upper left.

Head units: the origin lies between the eyes, the chin of the average face at y = 204, the crown at -206,
the cheekbones at x = ±143. The eye line halves the head, the nose ends half-way from it to the chin.
"""

from __future__ import annotations

from dataclasses import dataclass

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.styles import COVERS_EARS
from avatalk.avatars.artist.svg import Drawing, Point, line, mirror, mix
from avatalk.avatars.artist.tones import Tones, tones

EYE_X = 64.0
NOSE_Y = 97.0
MOUTH_Y = 137.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """One layer of the picture, painted from back to front.

    Attributes:
        shape: crisp outlines; its alpha bounds the shading.
        shading: soft light and shadow, rasterised coarsely, kept inside the shape.
        detail: crisp lines on top.
    """

    shape: Drawing
    shading: Drawing
    detail: Drawing


def sheet(x0: float, y0: float, x1: float, y1: float) -> Sheet:
    """Return an empty layer on which nothing is drawn outside the box."""
    box = (x0, y0, x1, y1)
    return Sheet(Drawing(box, "a"), Drawing(box, "b"), Drawing(box, "c"))


def chin_y(character: Character) -> float:
    """Return y of the chin."""
    return 204.0 + 60.0 * (character.face.chin - 1.0) + (4.0 if character.sex == "male" else 0.0)


def outline(character: Character) -> list[Point]:
    """Return the closed outline of the face, crown first, clockwise."""
    f = character.face
    w, j, c = f.width, f.jaw, chin_y(character)
    k = f.cheeks
    right = [
        (40 * w, -202.0),
        (88 * w, -182.0),
        (124 * w, -138.0),
        (141 * w, -86.0),
        (145 * w, -42.0),
        (143 * w, 16.0),
        ((135 + 4 * j) * w * (0.7 + 0.3 * k), 70.0),
        ((109 + 18 * j) * w * (0.6 + 0.4 * k), c - 80),
        ((75 + 25 * j) * w, c - 36),
        ((37 + 22 * j) * w, c - 6),
    ]
    return [(0.0, -206.0), *right, (0.0, c + 1), *mirror(right)]


def neck(character: Character) -> Sheet:
    """Draw neck and upper chest."""
    t, s = tones(character), sheet(-230, 40, 230, 1500)
    male = character.sex == "male"
    n = (94 if male else 76) * character.face.neck
    c = chin_y(character)
    right = [
        (n + 6, 60.0),
        (n, c - 20),
        (n + 1, c + 26),
        (n + 14, c + 60),
        (n + 60, c + 92),
        (170, c + 126),
        (190, c + 220),
        (190, c + 260),
    ]
    shape = line([*right, (190, 1400), (-190, 1400), *mirror(right)], closed=True, tension=0.9)
    s.shape.path(shape, t.base)
    s.shading.flood(
        s.shading.linear(
            -150,
            0,
            170,
            0,
            (0, t.base, 1),
            (0.35, mix(t.base, t.light, 0.35), 1),
            (1, mix(t.base, t.shade, 0.55), 1),
        )
    )
    _throat(s.shading, t, n, c, male)
    return s


def _throat(d: Drawing, t: Tones, n: float, c: float, male: bool) -> None:
    """Shade a neck of half width `n` below a chin at y = `c`."""
    with d.blurred(13):
        d.blob(
            [
                (-n - 40, c - 110),
                (n + 60, c - 110),
                (n + 50, c + 26),
                (n * 0.35, c + 44),
                (-n * 0.5, c + 26),
                (-n - 30, c - 20),
            ],
            t.deep,
            0.5,
        )
    with d.blurred(9):
        d.blob(
            [(-n - 20, c - 100), (n + 20, c - 100), (n + 10, c + 4), (0, c + 16), (-n - 10, c - 8)],
            t.deep,
            0.45,
        )
        d.blob([(n - 16, c), (n + 30, c), (n + 40, c + 96), (n + 2, c + 70)], t.shade, 0.8)
        d.blob([(-n - 20, c), (-n + 8, c), (-n - 2, c + 70), (-n - 30, c + 86)], t.shade, 0.5)
    with d.blurred(5):
        d.stroke(line([(n * 0.78, c + 10), (n * 0.5, c + 70), (17, c + 118)]), t.shade, 9, 0.5)
        d.stroke(line([(-n * 0.72, c + 20), (-n * 0.46, c + 74), (-16, c + 118)]), t.shade, 8, 0.42)
        d.stroke(line([(-n * 0.60, c + 26), (-n * 0.34, c + 76), (-8, c + 118)]), t.light, 7, 0.45)
        d.stroke(line([(24, c + 128), (80, c + 116), (150, c + 122)]), t.shade, 8, 0.55)
        d.stroke(line([(-24, c + 128), (-80, c + 116), (-150, c + 122)]), t.shade, 7, 0.45)
        d.stroke(line([(-30, c + 138), (-84, c + 126), (-150, c + 133)]), t.light, 7, 0.5)
        d.ellipse(0, c + 124, 12, 14, t.shade, 0.5)
        if male:
            d.ellipse(4, c + 62, 15, 22, t.shade, 0.35)
            d.ellipse(-4, c + 58, 9, 14, t.light, 0.4)


def ears(character: Character) -> Sheet:
    """Draw both ears, from the brow to the base of the nose."""
    t, s = tones(character), sheet(-190, -50, 190, 100)
    if character.hair in COVERS_EARS:
        return s
    w = character.face.width
    for side in (-1, 1):
        x = side * 139 * w

        def at(dx: float, y: float, x: float = x, side: int = side) -> Point:
            return (x + side * dx, y)

        ear = line(
            [
                at(-6, -22),
                at(8, -33),
                at(22, -26),
                at(27, -4),
                at(23, 26),
                at(16, 52),
                at(11, 78),
                at(1, 88),
                at(-8, 70),
            ],
            closed=True,
        )
        tint = mix(t.base, t.blush, 0.22)
        s.shape.path(ear, mix(tint, t.shade, 0.42 if side > 0 else 0.12))
        with s.shading.blurred(4.2):
            s.shading.blob(
                [at(2, -18), at(13, -16), at(16, 4), at(10, 30), at(6, 48), at(-2, 40)], t.deep, 0.42
            )
            s.shading.stroke(
                line([at(4, -26), at(17, -24), at(21, -2), at(17, 30)]), t.light, 4, 0.5 if side < 0 else 0.3
            )
            s.shading.stroke(line([at(-8, -20), at(-6, 40), at(-4, 84)]), t.deep, 8, 0.4)
            s.shading.ellipse(at(5, 70)[0], 70, 5, 7, t.light, 0.35)
        s.detail.stroke(line([at(1, -10), at(9, -14), at(12, 6), at(7, 26), at(4, 34)]), t.deep, 1.6, 0.35)
    return s


def face(character: Character) -> Sheet:
    """Draw the face: its form, sockets, cheeks, nose and chin. Eyes and lips are painted by the rig."""
    t, s = tones(character), sheet(-190, -230, 190, 250)
    contour = line(outline(character), closed=True)
    warm = mix(t.base, t.light, 0.4)
    s.shape.path(contour, t.base)
    s.shading.flood(
        s.shading.linear(
            -150,
            -60,
            165,
            60,
            (0, mix(t.base, t.shade, 0.1), 1),
            (0.3, warm, 1),
            (0.62, t.base, 1),
            (1, mix(t.base, t.shade, 0.75), 1),
        )
    )
    _form(s.shading, t, character)
    _sockets(s.shading, t, character)
    _nose(s, t, character)
    _mouth_ground(s.shading, t, character)
    with s.shading.blurred(4):
        s.shading.stroke(
            line([(x - 3, y) for x, y in outline(character)[3:7]]), mix(t.light, "#ffffff", 0.2), 5, 0.4
        )
    return s


def _form(d: Drawing, t: Tones, character: Character) -> None:
    c, w = chin_y(character), character.face.width
    right = outline(character)[1:11]
    with d.blurred(20):
        inner = [(x * 0.76 - 4, y * 0.93) for x, y in reversed(right)]
        d.blob([*right, *inner], t.shade, 0.75)
        left = [(-x, y) for x, y in right]
        inner = [(x * 0.86, y * 0.95) for x, y in reversed(left)]
        d.blob([*left, *inner], t.shade, 0.5)
    with d.blurred(12):
        d.blob([(140 * w, 40), (112 * w, 62), (88 * w, 104), (96 * w, 132), (128 * w, 100)], t.shade, 0.4)
        d.blob(
            [(-140 * w, 40), (-116 * w, 62), (-96 * w, 104), (-102 * w, 132), (-130 * w, 100)], t.shade, 0.32
        )
        d.blob(
            [(-70, c + 8), (-40, c - 8), (0, c - 5), (44, c - 9), (96 * w, c - 44), (90, c + 20)],
            t.deep,
            0.28,
        )
        d.ellipse(0, -214, 150, 40, t.shade, 0.5)
    d.glow(-26, -112, 104, 66, t.light, 0.85)
    d.glow(-92 * w, 58, 44, 40, t.blush, 0.5, -18)
    d.glow(88 * w, 60, 46, 42, t.blush, 0.46, 18)
    d.glow(-86 * w, 38, 46, 24, t.light, 0.8, -22)
    d.glow(80 * w, 40, 34, 18, t.light, 0.45, 22)
    d.glow(-6, c - 27, 30, 22, t.light, 0.62)
    d.glow(-70 * w, c - 66, 26, 34, t.light, 0.28)


def _sockets(d: Drawing, t: Tones, character: Character) -> None:
    male = character.sex == "male"
    depth = (0.5 if male else 0.38) * (1.15 - 0.5 * character.face.lid)
    for side in (-1, 1):
        more = 1.2 if side > 0 else 0.9
        with d.blurred(7):
            d.blob(
                [
                    (side * 24, -30),
                    (side * 40, -28),
                    (side * 70, -27),
                    (side * 98, -10),
                    (side * 100, 8),
                    (side * 66, -14),
                    (side * 36, -4),
                    (side * 22, 12),
                ],
                t.shade,
                depth * more,
            )
            d.ellipse(side * 26, -6, 9, 20, t.deep, 0.3 * more, side * 14)
            d.ellipse(side * 64, 22, 34, 6, t.shade, 0.34 * more)
        d.glow(side * 70, -38, 38, 12, t.light, 0.5 if side < 0 else 0.3, side * 6)
        d.glow(side * 66, 36, 34, 12, t.light, 0.42 if side < 0 else 0.25, side * -8)


def _nose(s: Sheet, t: Tones, character: Character) -> None:
    d, n = s.shading, character.face.nose
    b = character.face.bridge
    x = 25.0 * n
    with d.blurred(6):
        d.blob(
            [
                (14, -30),
                (12, 10),
                (15 * n, 56),
                (x + 3, 78),
                (x + 10, 96),
                (x + 16, 84),
                (27 * n, 50),
                (24, 6),
                (26, -26),
            ],
            t.shade,
            0.62 * b,
        )
        d.blob(
            [
                (-14, -30),
                (-13, 10),
                (-16 * n, 58),
                (-x - 2, 78),
                (-x - 6, 88),
                (-24 * n, 50),
                (-22, 6),
                (-24, -26),
            ],
            t.shade,
            0.34 * b,
        )
        d.blob([(-x, 92), (0, 101), (x + 2, 92), (x + 8, 104), (6, 113), (-x, 102)], t.deep, 0.4)
    with d.blurred(4.3):
        d.blob([(x - 8, 90), (x + 1, 82), (x + 5, 72), (x + 3, 92), (x - 6, 97)], t.deep, 0.34)
        d.blob([(-x + 8, 90), (-x - 1, 82), (-x - 5, 72), (-x - 3, 92), (-x + 6, 97)], t.deep, 0.22)
        d.blob(
            [(-6, -28), (3, -28), (4, 10), (5, 52), (2, 60), (-6, 60), (-8, 52), (-6, 10)], t.light, 0.72 * b
        )
    d.glow(0, 76, 17 * n, 17, t.blush, 0.3)
    d.glow(-3.5, 73, 12 * n, 11, mix(t.light, "#ffffff", 0.3), 0.95)
    d.glow(-x + 1, 79, 7, 9, t.light, 0.5)
    d.glow(x - 4, 80, 6, 8, t.light, 0.28)
    _nostrils(s.detail, t, x)


def _nostrils(e: Drawing, t: Tones, x: float) -> None:
    """Draw the nostrils and the edges of the wings, `x` from the middle."""
    for side in (-1, 1):
        nostril = [
            (side * 7.5, 95.0),
            (side * 13, 91.6),
            (side * (x - 6), 92.6),
            (side * (x - 4.5), 95.6),
            (side * 14, 97),
        ]
        e.blob(nostril, mix(t.deep, "#2a0f0a", 0.35), 0.72)
        wing = [(side * (x - 1), 71.0), (side * (x + 4), 80), (side * (x + 3.4), 90), (side * (x - 2), 95.5)]
        e.stroke(line(wing), t.deep, 1.7, 0.34 if side > 0 else 0.24)
    e.stroke(line([(-6, 98.5), (0, 100.4), (6, 98.5)]), t.deep, 1.6, 0.3)


def _mouth_ground(d: Drawing, t: Tones, character: Character) -> None:
    y, m = MOUTH_Y, character.face.mouth
    with d.blurred(4.2):
        d.blob([(0, 103), (5.5, 106), (6.5, 118), (0, 122), (-4.5, 118), (-4, 106)], t.shade, 0.55)
        d.stroke(line([(8, 106), (10, 120)]), t.light, 3, 0.5)
        d.stroke(line([(-8, 106), (-10.5, 120)]), t.light, 3.4, 0.6)
    with d.blurred(6):
        d.ellipse(2, y + 25, 27 * m, 6, t.shade, 0.75)
        for side in (-1, 1):
            d.ellipse(side * 57 * m, y + 2, 6, 9, t.shade, 0.6)
    d.glow(-36, y - 22, 24, 14, t.light, 0.3)
