"""What is worn at the neck and on the breast: ties, scarves, necklaces, suspenders, a badge."""

from __future__ import annotations

import math
from itertools import pairwise

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, chin_y, sheet
from avatalk.avatars.artist.svg import Point, line, mirror, mix
from avatalk.avatars.artist.tones import tones
from avatalk.avatars.artist.torso import neck_width, outline

_HIGH_NECKS = ("turtleneck", "raincoat", "chef", "cowl", "spacesuit")


def beneath(character: Character) -> list[Sheet]:
    """Draw what lies on the skin, under the clothes."""
    if character.clothes in _HIGH_NECKS:
        return []
    return [*_tattoo(character), *_necklaces(character, 0)]


def _tattoo(character: Character) -> list[Sheet]:
    """Draw tendrils in ink on both sides of the neck."""
    if "tattoo" not in character.skin.marks:
        return []
    c, n, s = chin_y(character), neck_width(character), sheet(-170, 190, 170, 420)
    ink = mix("#1c2a3a", tones(character).base, 0.18)
    for side in (-1, 1):
        stem = [
            (-0.88 * n, c - 4),
            (-0.62 * n, c + 30),
            (-0.84 * n, c + 62),
            (-0.5 * n, c + 96),
            (-0.62 * n, c + 128),
        ]
        s.shape.stroke(line([(side * x, y) for x, y in stem]), ink, 4.2, 0.8)
        for k, (x, y) in enumerate(
            ((-0.66 * n, c + 18), (-0.78 * n, c + 50), (-0.62 * n, c + 82), (-0.5 * n, c + 104))
        ):
            turn = 1 if k % 2 else -1
            curl = [
                (x, y),
                (x + 16 * turn, y - 8),
                (x + 25 * turn, y + 4),
                (x + 16 * turn, y + 12),
                (x + 11 * turn, y + 5),
            ]
            s.shape.stroke(line([(side * px, py) for px, py in curl]), ink, 3, 0.8)
            leaf = [(x, y), (x - 9 * turn, y - 15), (x - 20 * turn, y - 17), (x - 13 * turn, y - 4)]
            s.shape.blob([(side * px, py) for px, py in leaf], ink, 0.75)
    return [s]


def above(character: Character) -> list[Sheet]:
    """Draw what lies on the clothes."""
    sheets = _suspenders(character)
    if character.clothes in _HIGH_NECKS:
        sheets += _necklaces(character, 58)
    return [*sheets, *_badge(character), *_stethoscope(character), *_scarf(character)]


def tie(character: Character) -> list[Sheet]:
    """Draw a tie in the collar of a shirt."""
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


def bow_tie(character: Character) -> list[Sheet]:
    """Draw a bow tie at the collar."""
    tint = character.worn.bow_tie
    if tint is None:
        return []
    y, s = chin_y(character) + 146, sheet(-100, 250, 100, 430)
    dark, light = mix(tint, "#08060c", 0.55), mix(tint, "#ffffff", 0.3)
    for side in (-1, 1):
        wing = [(8, y - 8), (34, y - 25), (64, y - 30), (70, y), (64, y + 28), (34, y + 23), (8, y + 8)]
        a, b = (mix(tint, light, 0.5), tint) if side < 0 else (tint, mix(tint, dark, 0.5))
        points = [(side * x, v) for x, v in wing]
        s.shape.path(
            line(points, closed=True, tension=0.7),
            s.shape.linear(side * 70, y - 30, side * 8, y + 24, (0, a, 1), (1, b, 1)),
        )
        with s.shading.blurred(4):
            s.shading.stroke(line([(side * 14, y - 2), (side * 40, y - 9)]), dark, 6, 0.6)
            s.shading.stroke(line([(side * 14, y + 4), (side * 42, y + 10)]), dark, 6, 0.5)
            s.shading.stroke(line([(side * 60, y - 20), (side * 64, y + 18)]), light, 6, 0.4)
        s.detail.stroke(line(points, closed=True, tension=0.7), dark, 1.4, 0.5)
    knot = [(-13, y - 13), (13, y - 13), (15, y), (12, y + 14), (-12, y + 14), (-15, y)]
    fill = s.detail.linear(-14, 0, 15, 0, (0, mix(tint, light, 0.4), 1), (1, mix(tint, dark, 0.5), 1))
    s.detail.path(line(knot, closed=True, tension=0.7), fill)
    s.detail.stroke(line(knot, closed=True, tension=0.7), dark, 1.4, 0.55)
    return [s]


def _roll(top: list[Point], low: list[Point], tint: str, light: str, dark: str) -> Sheet:
    """Draw a soft roll of cloth between two edges, given from the left to the right."""
    s = sheet(-220, 120, 220, 520)
    n = max(x for x, _ in low)
    ends = [
        (0, mix(tint, dark, 0.2), 1.0),
        (0.3, mix(tint, light, 0.35), 1.0),
        (1, mix(tint, dark, 0.55), 1.0),
    ]
    fill = s.shape.linear(-n, 0, n, 0, *ends)
    s.shape.path(line([*top, *reversed(low)], closed=True, tension=0.9), fill)
    with s.shading.blurred(7):
        s.shading.stroke(line(top), dark, 15, 0.5)
        s.shading.stroke(line(low), dark, 17, 0.65)
        for k, (tone, opacity) in enumerate(((light, 0.35), (dark, 0.3), (light, 0.3), (dark, 0.25))):
            u = 0.25 + 0.16 * k
            middle = [(a + (c - a) * u, b + (d - b) * u) for (a, b), (c, d) in zip(top, low, strict=True)]
            s.shading.stroke(line(middle), tone, 8, opacity)
    s.detail.stroke(line(low), dark, 1.6, 0.45)
    return s


def _scarf(character: Character) -> list[Sheet]:
    tint = character.worn.scarf
    if tint is None:
        return []
    c, n = chin_y(character), neck_width(character)
    dark, light = mix(tint, "#0a0609", 0.55), mix(tint, "#ffffff", 0.32)
    end = sheet(-150, 260, 40, 1500)
    tail: list[Point] = [(-26, c + 96), (14, c + 108), (4, c + 260), (2, 1500), (-96, 1500), (-84, c + 260)]
    end.shape.path(
        line(tail, closed=True, tension=0.6),
        end.shape.linear(
            -96, 0, 14, 0, (0, mix(tint, light, 0.3), 1), (0.5, tint, 1), (1, mix(tint, dark, 0.5), 1)
        ),
    )
    with end.shading.blurred(6):
        for x, tone, opacity in ((-66, dark, 0.4), (-48, light, 0.4), (-24, dark, 0.45), (-6, light, 0.2)):
            end.shading.stroke(line([(x * 0.4, c + 110), (x, c + 230), (x * 1.1, 900)]), tone, 9, opacity)
        end.shading.stroke(line([(-60, c + 128), (20, c + 140)]), dark, 26, 0.6)
    end.detail.stroke(line(tail, closed=True, tension=0.6), dark, 1.6, 0.4)
    back = [(-n - 20, c - 12), (-n * 0.7, c + 20), (0, c + 34), (n * 0.7, c + 20), (n + 20, c - 12)]
    front = [(-n - 34, c + 24), (-n * 0.6, c + 54), (6, c + 66), (n * 0.8, c + 34), (n + 30, c + 4)]
    lowest = [(-n - 62, c + 92), (-n * 0.6, c + 132), (0, c + 146), (n * 0.8, c + 118), (n + 58, c + 84)]
    low = [(-n - 40, c + 62), (-n * 0.6, c + 86), (0, c + 96), (n * 0.7, c + 84), (n + 44, c + 60)]
    return [
        end,
        _roll(back, low, mix(tint, dark, 0.12), light, dark),
        _roll(front, lowest, tint, light, dark),
    ]


def _necklaces(character: Character, lower: float) -> list[Sheet]:
    """Draw pearls and a chain on the skin, or so much lower on a high collar."""
    c, n, s = chin_y(character), neck_width(character) + 0.4 * lower, sheet(-170, 190, 170, 480)
    curve = [(-n + 2, c + 36 + 0.4 * lower), (-n * 0.86, c + 66 + lower), (-n * 0.4, c + 96 + lower)]
    curve = [*curve, (0, c + 105 + lower), *mirror(curve)]
    if (tint := character.worn.necklace) is not None:
        dark, light = mix(tint, "#3a2408", 0.5), mix(tint, "#ffffff", 0.65)
        chain = [(x * 1.02, y + 8 * (1 - abs(x) / n)) for x, y in curve]
        s.shape.stroke(line([(x, y + 2.5) for x, y in chain]), "#1c0d08", 4, 0.25)
        s.shape.stroke(line(chain), dark, 5)
        s.shape.stroke(line(chain), tint, 3.4)
        s.shape.stroke(line([(x, y - 0.7) for x, y in chain]), light, 1.1, 0.8)
        y = c + 124 + lower
        s.shape.ellipse(1.5, y + 3, 11, 13, "#1c0d08", 0.25)
        s.shape.ellipse(
            0, y, 11, 13, s.shape.radial(-4, y - 5, 17, (0, light, 1), (0.5, tint, 1), (1, dark, 1))
        )
    if (tint := character.worn.pearls) is not None:
        dark, light = mix(tint, "#5a4a4a", 0.55), mix(tint, "#ffffff", 0.85)
        for x, y in _spread(curve, 15.5):
            s.shape.ellipse(x + 1, y + 3, 8.4, 8.4, "#1c0d08", 0.22)
            fill = s.shape.radial(x - 2.6, y - 3, 11.5, (0, light, 1), (0.45, tint, 1), (1, dark, 1))
            s.shape.ellipse(x, y, 8.2, 8.2, fill)
    return [s] if s.shape.body else []


def _spread(points: list[Point], step: float) -> list[Point]:
    """Return points at equal distances along a line."""
    out, left = [points[0]], step
    for (x0, y0), (x1, y1) in pairwise(points):
        length, at = math.dist((x0, y0), (x1, y1)), 0.0
        while length - at >= left:
            at += left
            out.append((x0 + (x1 - x0) * at / length, y0 + (y1 - y0) * at / length))
            left = step
        left -= length - at
    return out


def _stethoscope(character: Character) -> list[Sheet]:
    tint = character.worn.stethoscope
    if tint is None:
        return []
    c, n, s = chin_y(character), neck_width(character), sheet(-200, 230, 200, 1500)
    dark, light = mix(tint, "#000000", 0.45), mix(tint, "#ffffff", 0.45)
    left: list[Point] = [
        (-n - 16, c + 46),
        (-n - 30, c + 92),
        (-n + 4, c + 176),
        (-n + 28, c + 300),
        (-n + 30, 900),
    ]
    right: list[Point] = [(n + 16, c + 46), (n + 30, c + 92), (n + 18, c + 140), (n + 6, c + 172)]
    for tube in (left, right):
        s.shape.stroke(line([(x + 4, y + 5) for x, y in tube]), "#0a0709", 12, 0.25)
        s.shape.stroke(line(tube), dark, 12)
        s.shape.stroke(line(tube), tint, 9)
        s.shape.stroke(line([(x - 2, y - 1) for x, y in tube]), light, 2.4, 0.7)
    x, y = n + 4, c + 186
    s.shape.ellipse(x + 4, y + 6, 26, 26, "#0a0709", 0.3)
    for r, a, b in ((25, "#f4f5f7", "#7c828a"), (18, "#8d939b", "#e9ecef"), (14, "#e9ecef", "#b7bcc3")):
        s.shape.ellipse(x, y, r, r, s.shape.linear(x - r, y - r, x + r, y + r, (0, a, 1), (1, b, 1)))
    return [s]


def _suspenders(character: Character) -> list[Sheet]:
    tint = character.worn.suspenders
    if tint is None:
        return []
    c, n, s = chin_y(character), neck_width(character), sheet(-300, 230, 300, 1500)
    k = 1.16 if character.sex == "male" else 1.0
    dark, light = mix(tint, "#08060c", 0.5), mix(tint, "#ffffff", 0.28)
    for side in (-1, 1):
        centre = [
            (side * (n + 66 * k), c + 50),
            (side * (n + 56 * k), c + 160),
            (side * (n + 40), c + 300),
            (side * (n + 20), 900),
        ]
        strap = line(
            [*[(x - 17, y) for x, y in centre], *[(x + 17, y) for x, y in reversed(centre)]],
            closed=True,
            tension=0.5,
        )
        a, b = (mix(tint, light, 0.3), tint) if side < 0 else (tint, mix(tint, dark, 0.4))
        with s.shape.clipped(outline(character)), s.detail.clipped(outline(character)):
            s.shape.stroke(line([(x + 4, y + 4) for x, y in centre]), "#0a0709", 34, 0.16)
            s.shape.path(strap, s.shape.linear(0, c + 60, 0, c + 320, (0, b, 1), (0.25, a, 1), (1, b, 1)))
            for edge in (-12, 12):
                s.detail.stroke(line([(x + edge, y) for x, y in centre]), dark, 1.3, 0.4)
    return [s]


def _badge(character: Character) -> list[Sheet]:
    """Draw a star on the breast."""
    tint = character.worn.badge
    if tint is None:
        return []
    x, y, s = 208.0, chin_y(character) + 178, sheet(160, 330, 260, 460)
    dark, light = mix(tint, "#2a1a04", 0.55), mix(tint, "#ffffff", 0.7)
    turns = [(math.pi * i / 6, 30 if i % 2 else 19) for i in range(12)]
    star = [(x + r * math.sin(a), y - r * math.cos(a)) for a, r in turns]
    s.shape.blob([(px + 3, py + 5) for px, py in star], "#0a0709", 0.3)
    fill = s.shape.linear(x - 24, y - 28, x + 24, y + 28, (0, light, 1), (0.45, tint, 1), (1, dark, 1))
    s.shape.path(line(star, closed=True, tension=0.2), fill)
    s.shape.stroke(line(star, closed=True, tension=0.2), dark, 1.4, 0.6)
    s.shape.ellipse(x, y, 12, 12, mix(tint, dark, 0.3))
    s.shape.ellipse(x, y, 9, 9, s.shape.linear(x - 9, y - 9, x + 9, y + 9, (0, tint, 1), (1, light, 1)))
    return [s]
