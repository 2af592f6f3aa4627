"""Things worn on the head beside hats: glasses, an eyepatch, rings, headphones, a flower."""

from __future__ import annotations

import math

import numpy as np

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import EYE_X, Sheet, sheet
from avatalk.avatars.artist.svg import Drawing, Point, Stop, line, mirror, mix


def glasses(character: Character) -> list[Sheet]:
    """Draw glasses with a faint reflection."""
    if character.glasses == "none":
        return []
    if character.glasses == "monocle":
        return _monocle(character)
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
    elif kind == "aviator":
        rim = [(-40, -28), (0, -33), (42, -30), (49, -18), (45, 12), (28, 37), (-2, 40), (-30, 24), (-43, -6)]
        shape, thick = line([(x + side * dx, y + dy) for dx, dy in rim], closed=True), 4.2
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
    if (lens := character.worn.lenses) is not None:
        s.shape.path(
            shape, s.shape.linear(0, y - 36, 0, y + 40, (0, lens, 0.97), (1, mix(lens, "#ffffff", 0.2), 0.88))
        )
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
    if character.glasses in ("none", "monocle"):
        return
    with d.blurred(4):
        for side in (-1, 1):
            d.stroke(
                line([(side * 28 + 4, 36), (side * 60 + 4, 49), (side * 100 + 4, 38), (side * 110 + 4, 8)]),
                tint,
                5,
                0.32,
            )


def _monocle(character: Character) -> list[Sheet]:
    """Draw a single glass before the eye on the right, and its cord."""
    s, tint, x = sheet(-20, -60, 200, 260), character.glasses_colour, EYE_X + 1
    dark, light = mix(tint, "#000000", 0.4), mix(tint, "#ffffff", 0.6)
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    shape = line([(x + 40 * float(np.cos(a)), 4 + 40 * float(np.sin(a))) for a in turns], closed=True)
    s.shape.path(
        shape,
        s.shape.linear(
            x - 40, -36, x + 40, 44, (0, "#ffffff", 0.24), (0.4, "#ffffff", 0.03), (1, "#dfe9f5", 0.1)
        ),
    )
    for tone, width in ((dark, 6.5), (tint, 5.0), (light, 1.3)):
        s.detail.stroke(shape, tone, width)
    cord: list[Point] = [(x + 38, 18), (x + 56, 80), (x + 50, 160), (x + 30, 250)]
    s.detail.stroke(line(cord), dark, 2.4, 0.9)
    return [s]


def eyepatch(character: Character) -> list[Sheet]:
    """Draw a patch over the eye on the right of the picture, and its strap."""
    tint = character.worn.eyepatch
    if tint is None:
        return []
    s, w = sheet(-180, -190, 180, 60), character.face.width
    dark, light = mix(tint, "#000000", 0.5), mix(tint, "#ffffff", 0.3)
    straps = (
        [(40.0, -34.0), (-10, -76), (-70, -122), (-118 * w, -150)],
        [(100.0, -22.0), (124 * w, -36), (147 * w, -58)],
        [(104.0, 10.0), (126 * w, 4), (147 * w, -10)],
    )
    for strap in straps:
        s.shape.stroke(line([(x + 1, y + 4) for x, y in strap]), "#1c0d08", 8, 0.25)
        s.shape.stroke(line(strap), dark, 8)
        s.shape.stroke(line([(x, y - 1.5) for x, y in strap]), mix(tint, light, 0.4), 2, 0.7)
    patch = [(20, -30), (40, -42), (86, -40), (108, -24), (110, 6), (94, 34), (64, 44), (34, 32), (20, 2)]
    s.shape.blob([(x + 2, y + 6) for x, y in patch], "#1c0d08", 0.25)
    fill = s.shape.radial(52, -14, 74, (0, mix(tint, light, 0.6), 1), (0.6, tint, 1), (1, dark, 1))
    s.shape.blob([(float(x), float(y)) for x, y in patch], fill)
    seam = [(64 + (x - 64) * 0.86, (y - 2) * 0.86 + 2) for x, y in patch]
    s.detail.stroke(line(seam, closed=True), mix(tint, "#ffffff", 0.4), 1.2, 0.5)
    return [s]


def nose_ring(character: Character) -> list[Sheet]:
    """Draw a ring through the nostril on the left of the picture."""
    tint = character.worn.nose_ring
    if tint is None:
        return []
    s, x, y = sheet(-60, 70, 10, 125), -22.0 * character.face.nose, 96.0
    dark, light = mix(tint, "#2a1a08", 0.6), mix(tint, "#ffffff", 0.75)
    turns = [-0.35 * math.pi + 1.72 * math.pi * i / 11 for i in range(12)]
    ring = [(x + 9 * math.cos(a), y + 9.5 * math.sin(a)) for a in turns]
    s.shape.stroke(line([(px + 1, py + 2) for px, py in ring]), "#1c0d08", 3.4, 0.3)
    for tone, width in ((dark, 4.2), (tint, 3.0), (light, 1.1)):
        s.shape.stroke(line(ring), tone, width)
    return [s]


def headphones(character: Character) -> list[Sheet]:
    """Draw headphones over hair and hat."""
    tint = character.worn.headphones
    if tint is None:
        return []
    s = sheet(-230, -320, 230, 110)
    dark, light = mix(tint, "#050507", 0.55), mix(tint, "#ffffff", 0.4)
    up = 16 if character.headwear != "none" else 0
    right: list[Point] = [(72, -250 - up), (130, -196), (162, -110), (168, -30)]
    arch = [*mirror(right), (0, -272 - up), *right]
    for tone, width, shift in ((dark, 25, 0), (tint, 20, 0), (light, 5, -5)):
        s.shape.stroke(line([(x, y + shift) for x, y in arch]), tone, width, 0.55 if shift else 1)
    for side in (-1, 1):
        x, y = side * 164.0, 14.0
        s.shape.ellipse(side * 144, y, 22, 54, mix(dark, "#000000", 0.3))
        a, b = (light, tint) if side < 0 else (tint, dark)
        s.shape.ellipse(
            x, y, 29, 60, s.shape.linear(x - 30, y - 50, x + 30, y + 60, (0, a, 1), (0.4, tint, 1), (1, b, 1))
        )
        s.shape.ellipse(side * 173, y, 13, 40, mix(tint, dark, 0.35), 0.9)
        s.detail.stroke(line([(x - 14, y - 46), (x - 20, y), (x - 12, y + 40)]), light, 2.4, 0.5)
    return [s]


def flower(character: Character) -> list[Sheet]:
    """Draw a flower behind the ear on the left of the picture."""
    tint = character.worn.flower
    if tint is None:
        return []
    s, x, y = sheet(-240, -180, -60, 10), -144.0, -88.0
    dark, light = mix(tint, "#3a0a14", 0.4), mix(tint, "#ffffff", 0.5)
    for a in (2.4, 3.6):
        leaf = (x + 38 * math.cos(a), y + 34 * math.sin(a))
        s.shape.ellipse(*leaf, 26, 11, "#3f6b3e", 1, math.degrees(a))
    for ring, r, size in ((0.0, 27.0, 21.0), (0.6, 13.0, 14.0)):
        for k in range(6):
            a = ring + k * math.pi / 3
            px, py = x + r * math.cos(a), y + r * math.sin(a)
            fill = s.shape.radial(x, y, r + size, (0, dark, 1), (0.6, tint, 1), (1, light, 1))
            s.shape.ellipse(px, py, size, size * 0.78, fill, 1, math.degrees(a))
    s.shape.ellipse(x, y, 9, 9, s.shape.radial(x - 2, y - 2, 11, (0, "#fbe6a0", 1), (1, "#c98f2b", 1)))
    return [s]
