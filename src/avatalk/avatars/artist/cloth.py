"""What is woven into cloth or printed on it: stripes, checks, dots, flowers."""

from __future__ import annotations

import math

import numpy as np

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, sheet
from avatalk.avatars.artist.svg import Drawing, line, mix, rgb
from avatalk.avatars.artist.torso import folds

_UPRIGHT = ("shirt", "blazer", "waistcoat", "uniform", "jacket", "chef", "robe")
"""Stripes of these run down, those of the others around."""


def printed(s: Sheet, character: Character) -> list[Sheet]:
    """Lay a pattern over the cloth of a sheet, below its lines.

    Args:
        s: a part of a garment.
        character: whose.
    """
    over, d = sheet(*s.shape.box), Drawing(s.shape.box, "a")
    tint = character.pattern_colour or _contrast(character)
    with d.within(s.shape.body):
        _draw(d, character, tint)
    folds(over.shading, character, tint)
    return [Sheet(s.shape, s.shading, Drawing(s.shape.box, "c")), Sheet(d, over.shading, s.detail)]


def _contrast(character: Character) -> str:
    """Return what a pattern is drawn in when nothing is said of its colour."""
    red, green, blue = rgb(character.colour)
    bright = 0.3 * red + 0.59 * green + 0.11 * blue
    if character.pattern == "checks":
        return "#1d1d24" if bright < 130 else "#ffffff" if bright < 175 else "#3a4a6e"
    return "#f3eee6" if bright < 165 else "#2c3c5e"


def _draw(d: Drawing, character: Character, tint: str) -> None:
    lit, dim = mix(tint, "#ffffff", 0.1), mix(tint, "#0c0a12", 0.34)
    fill = d.linear(-330, 300, 330, 520, (0, lit, 1), (0.4, tint, 1), (1, dim, 1))
    match character.pattern:
        case "stripes" if character.clothes in _UPRIGHT:
            _columns(d, fill, 9, 27, 0.9)
        case "stripes":
            _rows(d, fill, 25, 52, 0.96)
        case "pinstripes":
            _columns(d, fill, 3, 25, 0.75)
        case "checks":
            _columns(d, fill, 27, 58, 0.42)
            _rows(d, fill, 27, 58, 0.42)
            _columns(d, mix(character.colour, "#fff4e0", 0.6), 2, 58, 0.5, 40)
            _rows(d, mix(character.colour, "#fff4e0", 0.6), 2, 58, 0.5, 40)
        case "dots":
            for i, j in np.ndindex(24, 32):
                d.ellipse(-470 + 42 * i + 21 * (j % 2), 170 + 36 * j, 8.5, 8.5, fill)
        case "floral":
            _flowers(d, character, tint)
        case "camouflage":
            _patches(d, character.colour)


def _columns(d: Drawing, fill: str, width: float, step: float, opacity: float, start: float = 13) -> None:
    for k in range(-20, 20):
        x = start + k * step
        # Sleeves hang: beyond the shoulders the stripes lean.
        d.path(f"M{x} 150L{x * 1.02:.1f} 1500H{x * 1.02 + width:.1f}L{x + width} 150Z", fill, opacity)


def _rows(d: Drawing, fill: str, width: float, step: float, opacity: float, start: float = 0) -> None:
    for k in range(28):
        y = 150 + start + k * step
        curve = [
            (-480, y + 50),
            (-280, y + 26),
            (-140, y + 6),
            (0, y + 14),
            (140, y + 6),
            (280, y + 26),
            (480, y + 50),
        ]
        d.path(
            line([*curve, *((x, v + width) for x, v in reversed(curve))], closed=True, tension=0.5),
            fill,
            opacity,
        )


def _flowers(d: Drawing, character: Character, tint: str) -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    leaf = mix(character.colour, "#2c5a34", 0.7)
    others = (tint, mix(tint, "#e0708c", 0.55), mix(tint, "#f2c14e", 0.5))
    for i, j in np.ndindex(15, 18):
        x = -470 + 68 * i + 34 * (j % 2) + rng.uniform(-9, 9)
        y = 170 + 58 * j + rng.uniform(-9, 9)
        r, turn, petal = rng.uniform(9, 13), rng.uniform(0, 6), others[int(rng.integers(3))]
        for a in (turn + 0.6, turn + 2.9):
            d.ellipse(
                x + 2 * r * math.cos(a), y + 2 * r * math.sin(a), r, r * 0.42, leaf, 0.85, math.degrees(a)
            )
        for k in range(5):
            a = turn + k * 2 * math.pi / 5
            d.ellipse(
                x + r * math.cos(a), y + r * math.sin(a), r * 0.78, r * 0.6, petal, 0.95, math.degrees(a)
            )
        d.ellipse(x, y, r * 0.5, r * 0.5, "#f0c65a")


def _patches(d: Drawing, colour: str) -> None:
    rng = np.random.Generator(np.random.PCG64(6))
    tones = (mix(colour, "#1c1f14", 0.6), mix(colour, "#5a4630", 0.75), mix(colour, "#d8d0a8", 0.45))
    for k in range(210):
        x, y = rng.uniform(-470, 470), rng.uniform(160, 1000)
        ring = [
            (x + rng.uniform(16, 40) * math.cos(a), y + rng.uniform(9, 24) * math.sin(a))
            for a in np.linspace(0, 5.5, 8)
        ]
        d.blob(ring, tones[k % 3], 0.85)
