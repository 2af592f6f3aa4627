"""What lies on the face: brows, lines of age, freckles, beard, moustache, glasses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import EYE_X, MOUTH_Y, Sheet, chin_y, outline, sheet
from avatalk.avatars.artist.svg import Drawing, Point, Stop, hair, inside, line, mirror, mix, rgb
from avatalk.avatars.artist.tones import Tones, tones


def brows_and_age(character: Character) -> Sheet:
    """Draw the brows hair by hair, wrinkles and folds that come with age, freckles, lids' colour."""
    s, t = sheet(-160, -140, 160, 220), tones(character)
    tint = character.brow_colour or mix(character.hair_colour, "#1c100a", 0.25)
    rng = np.random.Generator(np.random.PCG64(11))
    for side in (-1, 1):
        _brow(s, character, t, tint, side, rng)
        if character.makeup > 0.4:
            _shadow(s.shape, character, t, side)
    old = min(max((character.age - 32) / 40, 0.0), 1.0)
    if old > 0:
        _lines(s, character, t, old)
    if character.skin.freckles > 0:
        for _ in range(round(90 * character.skin.freckles)):
            x, y = rng.normal(0, 52), rng.normal(46, 15)
            s.shape.ellipse(
                x, y, rng.uniform(0.8, 1.8), rng.uniform(0.7, 1.4), t.deep, rng.uniform(0.1, 0.32)
            )
    return s


def _brow(s: Sheet, c: Character, t: Tones, tint: str, side: int, rng: np.random.Generator) -> None:
    male = c.sex == "male"
    lift = 0.0 if male else 3.0
    thick = c.face.brows * (1.15 if male else 0.82)
    spine = np.array(
        [(26, -35.0), (43, -38.5), (63, -40 - lift), (84, -38 - lift), (106, -26.5 - 0.6 * lift)]
    )
    spine[:, 1] -= 3.0 + 0.5 * c.face.tilt * (spine[:, 0] - 25) / 26
    heights = np.array([7.4, 9.0, 8.2, 6.0, 1.0]) * thick
    top = [(side * x, y - h * 0.5) for (x, y), h in zip(spine, heights, strict=True)]
    low = [(side * x, y + h * 0.5) for (x, y), h in zip(spine, heights, strict=True)]
    ground = mix(tint, t.shade, 0.3)
    fill = s.shape.linear(side * 23, 0, side * 46, 0, (0, ground, 0.1), (1, ground, 0.62))
    s.shape.path(line([*top, *reversed(low)], closed=True, tension=0.9), fill)
    hairs: list[list[str]] = [[], []]
    along = np.linspace(0, 1, len(spine))
    for i in range(150):
        a = (i + rng.random()) / 150
        x, y = np.interp(a, along, spine[:, 0]), np.interp(a, along, spine[:, 1])
        h = np.interp(a, along, heights)
        across = rng.uniform(-0.48, 0.5)
        y += across * h
        lean = np.interp(a, [0, 0.12, 0.5, 1], [1.25, 0.75, 0.22, -0.45]) - across * 0.35
        length = rng.uniform(5.5, 8.5) * np.interp(a, [0, 0.2, 1], [0.75, 1, 0.8]) * (0.8 + 0.2 * thick)
        x2, y2 = x + length * np.cos(lean), y - length * np.sin(lean) * 0.75
        hairs[i % 2].append(hair(side * x, y, side * x2, y2, 0.8))
    s.detail.stroke("".join(hairs[0]), tint, 0.95, 0.6)
    s.detail.stroke("".join(hairs[1]), mix(tint, t.shade, 0.35), 0.9, 0.55)


def _shadow(d: Drawing, c: Character, t: Tones, side: int) -> None:
    tint = mix(t.deep, t.blush, 0.45)
    d.glow(side * (EYE_X + 8), -17, 37, 12, tint, 0.3 * c.makeup, side * 10)


def _lines(s: Sheet, c: Character, t: Tones, old: float) -> None:
    """Draw the lines of age, `old` from 0 to 1, a little blurred as skin is."""
    d = s.shape
    m = 57 * c.face.mouth
    with s.detail.blurred(0.9):
        e = s.detail
        for side in (-1, 1):
            strong = old * (1.0 if side > 0 else 0.85)
            fold: list[Point] = [
                (side * 31, 82),
                (side * 45, 102),
                (side * (m + 2), 124),
                (side * (m + 7), 142),
            ]
            _crease(d, fold, t, strong, 5)
            e.stroke(line(fold), t.deep, 2.2, 0.42 * strong)
            bag: list[Point] = [(side * 40, 18), (side * 56, 26), (side * 78, 25), (side * 94, 14)]
            _crease(d, bag, t, strong * 0.8, 4)
            e.stroke(line(bag), t.deep, 1.8, 0.18 * strong)
            for k, (dy, out) in enumerate(((-8, 124), (0, 127), (9, 123))):
                foot = [(side * 101, -1 + dy * 0.45), (side * 112, dy * 0.9), (side * out, dy * 1.7 + 2)]
                e.stroke(line(foot), t.deep, 1.7, (0.3 - 0.05 * k) * strong)
            if old > 0.45:
                jowl = [(side * (m + 6), 152.0), (side * (m + 11), 172), (side * (m + 8), 186)]
                d.stroke(line(jowl), t.shade, 5, 0.3 * (strong - 0.3))
            e.stroke(
                line([(side * 7, -28), (side * 8.5, -38), (side * 8, -46)]), t.deep, 2, 0.15 * strong * old
            )
        for k, y in enumerate((-74.0, -95.0, -115.0)):
            brow = [(-78 + 9 * k, y + 4), (-40, y - 2), (0, y + 1), (42, y - 2), (78 - 9 * k, y + 4)]
            e.stroke(line(brow), t.deep, 2.2, 0.22 * old * (1 - 0.15 * k))
            d.stroke(line([(x, v + 4) for x, v in brow]), t.light, 4, 0.1 * old)


def _crease(d: Drawing, points: Sequence[Point], t: Tones, strong: float, width: float) -> None:
    for k in range(3):
        d.stroke(line(points), t.shade, width * (1.8 - 0.55 * k), 0.17 * strong)
        d.stroke(
            line([(x * 1.07, y - 2.5) for x, y in points]), t.light, width * (1.6 - 0.5 * k), 0.07 * strong
        )


def _beard_outline(c: Character, low: float) -> list[Point]:
    """Return the closed outline of a beard: from cheek to cheek round the chin, and back over the lip."""
    w, chin = c.face.width, chin_y(c)
    edge = [(-x * 1.005, y) for x, y in outline(c)[5:10]]
    left = [(-139 * w, 10), (-139 * w, 40), *edge[1:], (-42, chin + low * 0.8)]
    inner = [(-129 * w, 30), (-119 * w, 66), (-94 * w, 100), (-66, 114), (-40, 110)]
    ring = [*reversed(inner), *left, (0, chin + low)]
    return [*ring, *mirror(ring[:-1])]


def _hem(c: Character, low: float) -> str:
    """Return an outline that a beard stays inside: the face, lengthened at the chin."""
    points = outline(c)
    chin = chin_y(c)
    return line(
        [(x * (1.012 if y > 0 else 1), y + low * max(0.0, (y - 60) / (chin - 60))) for x, y in points],
        closed=True,
    )


def beard(character: Character) -> list[Sheet]:
    """Draw a beard on cheeks and chin, which the jaw will carry."""
    if character.beard in ("none", "moustache"):
        return []
    s, t = sheet(-170, -10, 170, 280), tones(character)
    tint = character.beard_colour or character.hair_colour
    rng = np.random.Generator(np.random.PCG64(31))
    chin = chin_y(character)
    if character.beard == "stubble":
        shape = line(_beard_outline(character, 1), closed=True)
        with s.shape.clipped(_hem(character, 0)), s.shape.blurred(8):
            s.shape.path(shape, mix(tint, t.shade, 0.35), 0.4)
        _bristles(s.detail, _beard_outline(character, 0), tint, rng, 420, 2.2, 0.22)
        return [s]
    low = {"short": 7.0, "full": 44.0, "goatee": 10.0}[character.beard]
    ring = _beard_outline(character, low)
    if character.beard == "goatee":
        ring = [
            (-34, 160),
            (-50, 140),
            (-60, 150),
            (-52, 186),
            (-36, chin + 2),
            (0, chin + low),
            (36, chin + 2),
            (52, 186),
            (60, 150),
            (50, 140),
            (34, 160),
            (0, 158),
        ]
    shape = line(ring, closed=True)
    with s.shape.clipped(_hem(character, low)), s.shape.blurred(4.5):
        s.shape.path(shape, mix(tint, t.shade, 0.1), 0.92)
    dark, light = _tint_pair(tint)
    with s.shading.blurred(8):
        s.shading.ellipse(0, chin + low - 6, 70, 16, dark, 0.5)
        s.shading.ellipse(-30, chin - 26, 30, 20, light, 0.4)
        s.shading.blob([(60, 130), (110, 100), (132, 60), (136, 110), (90, 190)], dark, 0.5)
    _bristles(s.detail, ring, tint, rng, 900 if low < 20 else 1300, 7 if low < 20 else 15, 0.36)
    return [s]


def _tint_pair(tint: str) -> tuple[str, str]:
    """Return the dark and the light hairs of a beard; a white beard has no dark ones."""
    pale = sum(rgb(tint)) / 765
    return mix(tint, "#1a1012", 0.5 - 0.36 * pale), mix(tint, "#fff0dc", 0.32 + 0.3 * pale)


def _bristles(
    d: Drawing,
    ring: list[Point],
    tint: str,
    rng: np.random.Generator,
    count: int,
    length: float,
    opacity: float,
) -> None:
    low, high = np.min(ring, 0), np.max(ring, 0)
    dark, light = _tint_pair(tint)
    paths: list[list[str]] = [[], [], []]
    spots = rng.uniform(low, high, (count * 3, 2))
    kept = spots[inside(np.array(ring), spots)][:count]
    for i, (x, y) in enumerate(kept):
        dx = np.sign(x) * -0.25 * abs(x) / 60 + rng.normal(0, 0.22)
        x2, y2 = x + length * dx * rng.uniform(0.6, 1.2), y + length * rng.uniform(0.6, 1.2)
        paths[i % 3].append(hair(x, y, x2, y2))
    for tone, lines in zip((dark, tint, light), paths, strict=True):
        d.stroke("".join(lines), tone, 1.15, opacity)


def moustache(character: Character) -> list[Sheet]:
    """Draw a moustache, which overlaps the upper lip."""
    if character.beard in ("none", "stubble"):
        return []
    s, t = sheet(-90, 90, 90, 180), tones(character)
    tint = character.beard_colour or character.hair_colour
    rng = np.random.Generator(np.random.PCG64(32))
    big = 1.25 if character.beard in ("full", "moustache") else 1.0
    y, m = MOUTH_Y - 7, 50 * character.face.mouth
    right = [
        (5.0, y - 17),
        (22, y - 20 * big),
        (m, y - 8),
        (m + 11, y + 9 * big),
        (m + 4, y + 10 * big),
        (m - 14, y),
        (20, y - 5 + 2.0 * big),
        (6, y - 5),
    ]
    ring = [*right, *mirror(right)]
    with s.shape.blurred(2.2):
        s.shape.blob(ring, mix(tint, t.shade, 0.15), 0.82)
    dark, light = _tint_pair(tint)
    paths: list[list[str]] = [[], [], []]
    for i in range(190):
        side, u, v = (-1 if i % 2 else 1), rng.uniform(0, 1), rng.uniform(0, 1)
        x = 4 + u * (m + 2)
        y0 = np.interp(x, [0, 22, m, m + 11], [y - 16, y - 18 * big, y - 8, y + 6]) + v * 10 * (1 - 0.5 * u)
        lean = 0.5 + 0.7 * u
        x2, y2 = x + 9 * lean * rng.uniform(0.5, 1), y0 + 8 * rng.uniform(0.5, 1)
        paths[i % 3].append(hair(side * x, y0, side * x2, y2, 1.5))
    for tone, lines in zip((dark, tint, light), paths, strict=True):
        s.detail.stroke("".join(lines), tone, 1.2, 0.6)
    return [s]


def glasses(character: Character) -> list[Sheet]:
    """Draw glasses with a faint reflection."""
    if character.glasses == "none":
        return []
    s, tint = sheet(-180, -50, 180, 60), character.glasses_colour
    light = mix(tint, "#ffffff", 0.55)
    for side in (-1, 1):
        _lens(s, character, side)
    inner = EYE_X + 2 - 43
    s.detail.stroke(line([(-inner - 1, 0), (-8, -8), (8, -8), (inner + 1, 0)]), tint, 5)
    s.detail.stroke(line([(-inner + 4, -3), (-6, -9.4), (8, -9.4)]), light, 1.1, 0.45)
    return [s]


def _lens(s: Sheet, character: Character, side: int) -> None:
    """Draw one glass, its rim and its temple."""
    w, kind, tint = character.face.width, character.glasses, character.glasses_colour
    dark, light = mix(tint, "#000000", 0.4), mix(tint, "#ffffff", 0.55)
    x, y, thick = side * (EYE_X + 2), 3.0, 6.0
    if kind == "round":
        turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        rim: list[Point] = [(x + 43 * float(np.cos(a)), y + 41 * float(np.sin(a))) for a in turns]
        shape, thick = line(rim, closed=True), 4.6
    else:
        rim = [
            (-44, -31),
            (0, -34),
            (44, -32),
            (48, -24),
            (45, 6),
            (36, 30),
            (4, 36),
            (-28, 33),
            (-42, 20),
            (-47, -10),
        ]
        shape = line([(x + side * dx, y + dy) for dx, dy in rim], closed=True, tension=0.75)
    sheen: list[Stop] = [(0, "#ffffff", 0.2), (0.35, "#ffffff", 0.03), (1, "#dfe9f5", 0.07)]
    s.shape.path(shape, s.shape.linear(x - 40, y - 40, x + 40, y + 40, *sheen))
    with s.detail.clipped(shape):
        s.detail.path(f"M{x - 30} {y - 50}h22l-26 100h-22Z", "#ffffff", 0.1)
    s.detail.stroke(shape, dark, thick + 0.8, 0.55)
    s.detail.stroke(shape, tint, thick)
    s.detail.stroke(shape, light, 1.1, 0.35)
    if kind == "browline":
        top = ((-47, -14), (-44, -30), (0, -35), (44, -33), (49, -18))
        s.detail.stroke(line([(x + side * dx, y + dy) for dx, dy in top]), dark, 7.5)
    temple = [(x + side * 46, y - 16), (side * 128 * w, y - 15), (side * 144 * w, y - 8)]
    s.detail.stroke(line(temple), tint, thick)
    s.detail.stroke(line([(x + side * 46, y - 18), (side * 128 * w, y - 17)]), light, 1.1, 0.4)


def earrings(character: Character) -> list[Sheet]:
    """Draw a stud at each ear, or a drop where hair covers the ear."""
    if character.earrings is None or character.hair == "hijab":
        return []
    s, tint = sheet(-170, 75, 170, 115), character.earrings
    w = character.face.width
    light, dark = mix(tint, "#ffffff", 0.7), mix(tint, "#3a2408", 0.5)
    for side in (-1, 1):
        x, y = side * 141 * w, 86.0
        for cy, r in ((y, 4.2), (y + 14, 6.4)):
            fill = s.shape.radial(x - 1.5, cy - 2, r * 1.5, (0, light, 1), (0.5, tint, 1), (1, dark, 1))
            s.shape.ellipse(x, cy, r, r, fill)
        s.shape.stroke(line([(x, y + 3), (x, y + 8)]), dark, 1.2)
    return [s]


def cast_glasses(d: Drawing, character: Character, tint: str) -> None:
    """Lay the shadow that glasses cast on the face."""
    if character.glasses == "none":
        return
    with d.blurred(4):
        for side in (-1, 1):
            d.stroke(
                line([(side * 28 + 4, 36), (side * 60 + 4, 49), (side * 100 + 4, 38), (side * 110 + 4, 8)]),
                tint,
                5,
                0.32,
            )
