"""Beards and moustaches, hair by hair."""

from __future__ import annotations

import numpy as np

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import MOUTH_Y, Sheet, chin_y, outline, sheet
from avatalk.avatars.artist.svg import Drawing, Point, hair, inside, line, mirror, mix, rgb
from avatalk.avatars.artist.tones import tones


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
    if character.beard in ("none", "moustache", "handlebar"):
        return []
    s, t = sheet(-170, -10, 170, 420 if character.beard == "long" else 280), tones(character)
    tint = character.beard_colour or character.hair_colour
    rng = np.random.Generator(np.random.PCG64(31))
    chin = chin_y(character)
    if character.beard == "stubble":
        shape = line(_beard_outline(character, 1), closed=True)
        with s.shape.clipped(_hem(character, 0)), s.shape.blurred(8):
            s.shape.path(shape, mix(tint, t.shade, 0.35), 0.4)
        _bristles(s.detail, _beard_outline(character, 0), tint, rng, 420, 2.2, 0.22)
        return [s]
    low = _LENGTHS.get(character.beard, 7.0)
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
    elif character.beard == "soulpatch":
        ring = [(-15, 159), (0, 157), (15, 159), (13, 172), (5, 186), (-5, 186), (-13, 172)]
    elif character.beard == "muttonchops":
        _chops(s, character, tint, rng)
        return [s]
    shape = line(ring, closed=True)
    with s.shape.clipped(_hem(character, low)), s.shape.blurred(4.5):
        s.shape.path(shape, mix(tint, t.shade, 0.1), 0.92)
    dark, light = _tint_pair(tint)
    with s.shading.blurred(8):
        s.shading.ellipse(0, chin + low - 6, 70, 16, dark, 0.5)
        s.shading.ellipse(-30, chin - 26, 30, 20, light, 0.4)
        s.shading.blob([(60, 130), (110, 100), (132, 60), (136, 110), (90, 190)], dark, 0.5)
    count, length = (900, 7.0) if low < 20 else (1300, 15.0) if low < 60 else (1900, 30.0)
    _bristles(s.detail, ring, tint, rng, count, length, 0.36)
    return [s]


_LENGTHS = {"full": 44.0, "goatee": 10.0, "long": 138.0}
"""Head units by which a beard hangs below the chin."""


def _chops(s: Sheet, c: Character, tint: str, rng: np.random.Generator) -> None:
    """Draw whiskers that run from the ears to the moustache and leave the chin bare."""
    w, m = c.face.width, 57 * c.face.mouth
    right: list[Point] = [
        (128 * w, 6), (141 * w, 20), (143 * w, 70), (132 * w, 116), (104 * w, 158), (m + 10, 160),
        (m - 2, 140), (m + 14, 118), (100 * w, 96), (120 * w, 60),
    ]  # fmt: skip
    for ring in (right, [(-x, y) for x, y in right]):
        with s.shape.blurred(3):
            s.shape.path(line(ring, closed=True), mix(tint, tones(c).shade, 0.1), 0.92)
        _bristles(s.detail, ring, tint, rng, 420, 11, 0.45)


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
    if character.beard in ("none", "stubble", "soulpatch"):
        return []
    s, t = sheet(-110, 90, 110, 180), tones(character)
    tint = character.beard_colour or character.hair_colour
    rng = np.random.Generator(np.random.PCG64(32))
    big = 1.25 if character.beard in ("full", "long", "moustache", "handlebar", "muttonchops") else 1.0
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
    if character.beard == "handlebar":
        for side in (-1, 1):
            curl = [(m - 8, y - 4), (m + 14, y + 6), (m + 30, y - 4), (m + 32, y - 20), (m + 20, y - 24)]
            points = [(side * px, py) for px, py in curl]
            for k, (tone, width) in enumerate(((dark, 10.0), (tint, 7.5), (light, 1.6))):
                s.shape.stroke(line([(px, py - k) for px, py in points]), tone, width, 0.95)
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
