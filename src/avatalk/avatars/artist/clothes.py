"""Clothes: shoulders, necklines, collars and folds."""

from __future__ import annotations

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, chin_y, sheet
from avatalk.avatars.artist.svg import Drawing, Point, line, mirror, mix

_BODY = (-470.0, 150.0, 470.0, 1500.0)


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


def draw(character: Character) -> list[Sheet]:
    """Draw the clothes."""
    return _MAKERS[character.clothes](character)


def _body(s: Sheet, character: Character, tint: str, neckline: list[Point]) -> None:
    """Fill the torso below a neckline given from the left to the right."""
    right = shoulders(character)
    outline = line([*neckline, *right[1:], *mirror(right[1:])], closed=True, tension=0.8)
    lit, dim = mix(tint, "#ffffff", 0.1), mix(tint, "#0c0a12", 0.34)
    s.shape.path(outline, tint)
    s.shading.flood(s.shading.linear(-330, 300, 330, 520, (0, lit, 1), (0.4, tint, 1), (1, dim, 1)))
    _folds(s.shading, character, tint)


def _folds(d: Drawing, character: Character, tint: str) -> None:
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


def _neck_width(character: Character) -> float:
    return (98 if character.sex == "male" else 80) * character.face.neck


def _crew(character: Character) -> list[Sheet]:
    c, n, s = chin_y(character), _neck_width(character), sheet(*_BODY)
    neck = [
        (-n - 14, c + 52),
        (-n + 6, c + 88),
        (-36, c + 116),
        (36, c + 116),
        (n - 6, c + 88),
        (n + 14, c + 52),
    ]
    _body(s, character, character.colour, neck)
    _band(s, neck, character.colour, 15)
    return [s]


def _band(s: Sheet, neck: list[Point], tint: str, width: float) -> None:
    """Draw the band of a neckline, which stands up at the sides of the neck."""
    dark, light = mix(tint, "#08060c", 0.45), mix(tint, "#ffffff", 0.22)
    n = len(neck) - 1
    outer = []
    for i, (x, y) in enumerate(neck):
        end = abs(2 * i / n - 1) ** 2
        outer.append((x + (width * 0.75 * end if i > n / 2 else -width * 0.75 * end), y + width * (1 - end)))
    s.detail.stroke(line([(x, y + 5) for x, y in outer[1:-1]]), dark, 7, 0.2)
    s.detail.path(line([*neck, *reversed(outer)], closed=True, tension=0.8), mix(tint, dark, 0.06))
    s.detail.stroke(line(outer), dark, 1.5, 0.6)
    s.detail.stroke(line([(x, y + 1.5) for x, y in neck]), light, 2.0, 0.5)


def _vneck(character: Character) -> list[Sheet]:
    c, n, s = chin_y(character), _neck_width(character), sheet(*_BODY)
    neck = [
        (-n - 3, c + 40),
        (-n + 8, c + 92),
        (-40, c + 158),
        (0, c + 206),
        (40, c + 158),
        (n - 8, c + 92),
        (n + 3, c + 40),
    ]
    _body(s, character, character.colour, neck)
    _band(s, neck, character.colour, 13)
    return [s]


def _turtleneck(character: Character) -> list[Sheet]:
    c, n, s = chin_y(character), _neck_width(character), sheet(*_BODY)
    tint = character.colour
    neck = [(-n - 18, c + 60), (-n - 4, c + 40), (0, c + 60), (n + 4, c + 40), (n + 18, c + 60)]
    _body(s, character, tint, neck)
    roll = sheet(-150, 150, 150, 330)
    top = [(-n - 3, c - 4), (-n * 0.6, c + 17), (0, c + 26), (n * 0.6, c + 17), (n + 3, c - 4)]
    low = [(n + 13, c + 56), (n * 0.64, c + 88), (0, c + 98), (-n * 0.64, c + 88), (-n - 13, c + 56)]
    shape = line([*top, *low], closed=True, tension=0.9)
    dark, light = mix(tint, "#08060c", 0.5), mix(tint, "#ffffff", 0.3)
    roll.shape.path(
        shape,
        roll.shape.linear(
            -n,
            0,
            n,
            0,
            (0, mix(tint, dark, 0.25), 1),
            (0.3, mix(tint, light, 0.3), 1),
            (1, mix(tint, dark, 0.6), 1),
        ),
    )
    with roll.shading.blurred(7):
        roll.shading.stroke(line([(x, y - 2) for x, y in top]), dark, 16, 0.75)
        roll.shading.stroke(line([(x, y + 2) for x, y in low]), dark, 12, 0.5)
        roll.shading.stroke(line([(x * 1.02, y + 34) for x, y in top]), light, 12, 0.4)
    with roll.detail.clipped(shape):
        for i in range(-13, 14):
            x = n * 1.05 * (abs(i) / 13) ** 0.85 * (1 if i > 0 else -1)
            y = 22 * (abs(i) / 13) ** 1.6
            roll.detail.stroke(
                line([(x, c + 24 - y), (x * 1.04, c + 60 - y), (x * 1.1, c + 104 - y)]), dark, 2.2, 0.22
            )
    with s.shading.blurred(8):
        s.shading.stroke(line([(x * 1.05, y + 6) for x, y in low]), dark, 16, 0.6)
    return [s, roll]


def _shirt(character: Character) -> list[Sheet]:
    c, n, s = chin_y(character), _neck_width(character), sheet(*_BODY)
    tint = character.colour
    neck = [
        (-n - 8, c + 40),
        (-n + 14, c + 84),
        (-16, c + 146),
        (16, c + 146),
        (n - 14, c + 84),
        (n + 8, c + 40),
    ]
    _body(s, character, tint, neck)
    dark, light = mix(tint, "#0a0810", 0.45), mix(tint, "#ffffff", 0.4)
    s.detail.stroke(line([(17, c + 148), (18, c + 300), (18, 900)]), dark, 1.6, 0.5)
    s.detail.stroke(line([(-15, c + 150), (-16, c + 300), (-16, 900)]), dark, 1.3, 0.35)
    for y in (c + 186, c + 268, c + 350, c + 432):
        s.detail.ellipse(1.5, y + 1.6, 5.4, 5.4, dark, 0.5)
        s.detail.ellipse(0.6, y, 5.2, 5.2, mix(light, "#e8e2d8", 0.6))
        s.detail.ellipse(0.6, y, 1.5, 1.5, dark, 0.6)
    return [s, _collar(character, tint), *_tie(character)]


def _tie(character: Character) -> list[Sheet]:
    if character.tie is None:
        return []
    c, tint, s = chin_y(character), character.tie, sheet(-60, 180, 60, 1500)
    dark, light = mix(tint, "#08060c", 0.5), mix(tint, "#ffffff", 0.28)
    blade: list[Point] = [(-11, c + 182), (11, c + 182), (30, c + 420), (36, 900), (-36, 900), (-30, c + 420)]
    knot: list[Point] = [(-21, c + 136), (21, c + 136), (13, c + 186), (-13, c + 186)]
    for points in (blade, knot):
        fill = s.shape.linear(
            -30, 0, 32, 0, (0, mix(tint, light, 0.4), 1), (0.45, tint, 1), (1, mix(tint, dark, 0.6), 1)
        )
        s.shape.path(line(points, closed=True, tension=0.25), fill)
    with s.shading.blurred(4):
        s.shading.stroke(line([(-14, c + 190), (0, c + 196), (14, c + 190)]), dark, 9, 0.6)
        s.shading.stroke(line([(6, c + 140), (0, c + 160), (4, c + 184)]), dark, 5, 0.4)
    s.detail.stroke(line(knot, closed=True, tension=0.25), dark, 1.2, 0.5)
    return [s]


def _collar(character: Character, tint: str) -> Sheet:
    c, n, s = chin_y(character), _neck_width(character), sheet(-150, 180, 150, 430)
    dark, light = mix(tint, "#0a0810", 0.45), mix(tint, "#ffffff", 0.4)
    for side in (-1, 1):
        flap = [
            (side * (n + 1), c + 16),
            (side * (n * 0.86), c + 62),
            (side * 17, c + 142),
            (side * 60, c + 196),
            (side * (n + 12), c + 118),
            (side * (n + 17), c + 52),
        ]
        shape = line(flap, closed=True, tension=0.35)
        a, b = (mix(tint, light, 0.55), tint) if side < 0 else (mix(tint, light, 0.2), mix(tint, dark, 0.3))
        s.shape.path(shape, s.shape.linear(side * n, c + 20, side * 40, c + 180, (0, b, 1), (1, a, 1)))
        edge = line([flap[2], flap[3], flap[4]], tension=0.35)
        s.detail.stroke(line([(x + side * 1.5, y + 4) for x, y in flap[2:5]], tension=0.35), dark, 5, 0.16)
        s.detail.stroke(edge, dark, 1.5, 0.45)
        s.detail.stroke(line([(x * 0.97, y - 6) for x, y in flap[2:5]], tension=0.35), light, 1.1, 0.5)
        with s.shading.blurred(5):
            s.shading.stroke(line([flap[0], flap[1], flap[2]], tension=0.4), dark, 8, 0.45)
    return s


def _jacket(character: Character, tint: str, inner: list[Sheet], opening: list[Point]) -> list[Sheet]:
    """Lay the two fronts of a jacket over what is worn beneath it; `opening` is its right edge, downwards."""
    right, s = shoulders(character), sheet(*_BODY)
    dark, light = mix(tint, "#060509", 0.55), mix(tint, "#ffffff", 0.28)
    for side in (-1, 1):
        edge = [(side * x, y) for x, y in opening]
        outer = [(side * x, y) for x, y in right[1:]]
        a, b = (mix(tint, light, 0.45), tint) if side < 0 else (mix(tint, dark, 0.1), mix(tint, dark, 0.55))
        outline = line([*edge, *reversed(outer)], closed=True, tension=0.7)
        s.shape.path(outline, b)
        near = a if side < 0 else b
        fill = s.shading.linear(side * 40, 300, side * 380, 460, (0, near, 1), (1, b, 1))
        s.shading.flood(fill, min(side * 1e4, 0), max(side * 1e4, 0))
    _folds(s.shading, character, tint)
    with inner[0].shading.blurred(9):
        for side in (-1, 1):
            inner[0].shading.stroke(line([(side * (x - 4), y) for x, y in opening]), "#0a0709", 18, 0.55)
    return [*inner, s]


def _blazer(character: Character) -> list[Sheet]:
    c, n = chin_y(character), _neck_width(character)
    male = character.sex == "male"
    tint = character.colour
    worn = Character(
        character.name,
        "",
        age=character.age,
        sex=character.sex,
        face=character.face,
        colour=character.accent,
        tie=character.tie,
    )
    inner = _shirt(worn) if male or character.tie else _vneck_plain(worn)
    opening = [(n + 12, c + 40), (n + 6, c + 96), (66, c + 216), (8, c + 372), (1, c + 412), (1, 1500)]
    sheets = _jacket(character, tint, inner, opening)
    s = sheet(-190, 200, 190, 620)
    dark, light = mix(tint, "#060509", 0.6), mix(tint, "#ffffff", 0.3)
    for side in (-1, 1):
        lapel = [
            (n + 6, c + 34),
            (n + 2, c + 98),
            (62, c + 218),
            (8, c + 376),
            (60, c + 318),
            (128, c + 232),
            (146, c + 196),
            (116, c + 178),
            (150, c + 160),
            (n + 48, c + 96),
            (n + 28, c + 52),
        ]
        points = [(side * x, y) for x, y in lapel]
        shape = line(points, closed=True, tension=0.3)
        a = mix(tint, light, 0.5 if side < 0 else 0.12)
        b = mix(tint, dark, 0.1 if side < 0 else 0.42)
        s.shape.path(shape, s.shape.linear(side * 150, c + 60, side * 20, c + 360, (0, a, 1), (1, b, 1)))
        s.detail.stroke(line([(x + side * 2, y + 3) for x, y in points[3:9]], tension=0.3), dark, 6, 0.22)
        s.detail.stroke(line(points[3:9], tension=0.3), dark, 1.6, 0.65)
        s.detail.stroke(line([points[7], (side * (n + 20), c + 132)], tension=0.3), dark, 1.6, 0.55)
        s.detail.stroke(line([(x * 0.985, y - 2) for x, y in points[0:4]], tension=0.3), light, 1.6, 0.45)
    return [*sheets, s]


def _vneck_plain(character: Character) -> list[Sheet]:
    c, n, s = chin_y(character), _neck_width(character), sheet(*_BODY)
    neck = [
        (-n - 20, c + 62),
        (-n + 4, c + 108),
        (-44, c + 150),
        (0, c + 168),
        (44, c + 150),
        (n - 4, c + 108),
        (n + 20, c + 62),
    ]
    _body(s, character, character.colour, neck)
    s.detail.stroke(line([(x, y + 4) for x, y in neck]), mix(character.colour, "#08060c", 0.4), 1.5, 0.5)
    return [s]


def _cardigan(character: Character) -> list[Sheet]:
    c, n = chin_y(character), _neck_width(character)
    worn = Character(
        character.name, "", age=character.age, sex=character.sex, face=character.face, colour=character.accent
    )
    opening = [
        (n + 16, c + 44),
        (n + 8, c + 100),
        (74, c + 200),
        (34, c + 330),
        (32, c + 400),
        (32, c + 440),
        (32, 1500),
    ]
    sheets = _jacket(character, character.colour, _crew(worn), opening)
    s, tint = sheet(-140, 200, 140, 1500), character.colour
    dark, light = mix(tint, "#060509", 0.5), mix(tint, "#ffffff", 0.25)
    for side in (-1, 1):
        edge = [(side * x, y) for x, y in opening]
        wide = [(side * (x + (6 if i == 0 else 18)), y) for i, (x, y) in enumerate(opening)]
        s.shape.path(
            line([*edge, *reversed(wide)], closed=True, tension=0.6),
            mix(tint, dark, 0.12 if side < 0 else 0.35),
        )
        s.detail.stroke(line(wide), dark, 1.4, 0.6)
        s.detail.stroke(line([(x + side * 2, y) for x, y in edge]), light, 1.6, 0.5)
    for y in (c + 372, c + 452):
        s.detail.ellipse(-37, y, 6.5, 6.5, mix(tint, "#f0e6d6", 0.55))
        s.detail.ellipse(-37, y, 2, 2, dark, 0.7)
    return [*sheets, s]


def _hoodie(character: Character) -> list[Sheet]:
    c, n = chin_y(character), _neck_width(character)
    tint = character.colour
    dark, light = mix(tint, "#060509", 0.5), mix(tint, "#ffffff", 0.25)
    worn = Character(
        character.name, "", age=character.age, sex=character.sex, face=character.face, colour=character.accent
    )
    inner, s, hood = _crew(worn), sheet(*_BODY), sheet(-200, 190, 200, 580)
    neck = [
        (-n - 20, c + 70),
        (-n + 2, c + 110),
        (-40, c + 152),
        (40, c + 152),
        (n - 2, c + 110),
        (n + 20, c + 70),
    ]
    _body(s, character, tint, neck)
    for side in (-1, 1):
        roll = [
            (n - 2, c + 14),
            (n + 36, c + 24),
            (n + 52, c + 64),
            (n + 30, c + 124),
            (52, c + 186),
            (6, c + 204),
            (4, c + 176),
            (46, c + 144),
            (n - 14, c + 92),
            (n - 4, c + 50),
        ]
        points = [(side * x, y) for x, y in roll]
        a, b = (light, tint) if side < 0 else (tint, mix(tint, dark, 0.5))
        hood.shape.path(
            line(points, closed=True, tension=0.9),
            hood.shape.linear(side * 130, c + 20, side * 10, c + 190, (0, mix(tint, a, 0.5), 1), (1, b, 1)),
        )
        with hood.shading.blurred(6):
            hood.shading.stroke(line([*points[5:], points[0]]), dark, 14, 0.6)
            hood.shading.stroke(line([(x * 0.93, y) for x, y in points[2:5]]), light, 10, 0.3)
        hood.detail.stroke(line(points[1:6]), dark, 1.6, 0.5)
        cord = [(side * 40, c + 180), (side * 46, c + 250), (side * 40, c + 318)]
        hood.detail.stroke(line([(x + 2, y + 3) for x, y in cord]), dark, 4, 0.3)
        hood.detail.stroke(line(cord), mix(character.accent, "#ffffff", 0.2), 4)
        hood.detail.stroke(line([cord[2], (side * 39.6, c + 334)]), mix(dark, "#c9c4bc", 0.6), 5)
    with s.shading.blurred(9):
        s.shading.stroke(
            line([(-n - 40, c + 90), (-60, c + 200), (0, c + 214), (60, c + 200), (n + 40, c + 90)]),
            dark,
            18,
            0.5,
        )
    return [*inner, s, hood]


_MAKERS = {
    "crew": _crew,
    "vneck": _vneck,
    "turtleneck": _turtleneck,
    "shirt": _shirt,
    "blazer": _blazer,
    "cardigan": _cardigan,
    "hoodie": _hoodie,
}
