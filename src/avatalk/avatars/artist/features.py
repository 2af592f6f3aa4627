"""What lies on the face: brows, lines of age, freckles, beard, moustache, glasses."""

from __future__ import annotations

import numpy as np

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import EYE_X, MOUTH_Y, Sheet, chin_y, outline, sheet
from avatalk.avatars.artist.svg import Drawing, Point, line, mix
from avatalk.avatars.artist.tones import Tones, tones


def brows_and_age(character: Character) -> Sheet:
    """Draw the brows hair by hair, wrinkles and folds that come with age, freckles, lids' colour."""
    s, t = sheet(), tones(character)
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
    lift = 0.0 if male else 3.5
    thick = c.face.brows * (1.15 if male else 0.82)
    spine = np.array(
        [(25, -29.0), (42, -35.5), (62, -39.5 - lift), (82, -37 - lift), (103, -25 - 0.4 * lift)]
    )
    spine[:, 1] -= 3.0 + 0.5 * c.face.tilt * (spine[:, 0] - 25) / 26
    heights = np.array([6.8, 7.6, 7.2, 5.2, 0.8]) * thick
    top = [(side * x, y - h * 0.5) for (x, y), h in zip(spine, heights, strict=True)]
    low = [(side * x, y + h * 0.5) for (x, y), h in zip(spine, heights, strict=True)]
    s.shape.path(line([*top, *reversed(low)], closed=True, tension=0.9), mix(tint, t.shade, 0.25), 0.5)
    hairs: list[list[str]] = [[], []]
    along = np.linspace(0, 1, len(spine))
    for i in range(95):
        a = (i + rng.random()) / 95
        x, y = np.interp(a, along, spine[:, 0]), np.interp(a, along, spine[:, 1])
        h = np.interp(a, along, heights)
        across = rng.uniform(-0.48, 0.5)
        y += across * h
        lean = np.interp(a, [0, 0.12, 0.5, 1], [1.45, 1.0, 0.3, -0.42]) + across * -0.5
        length = rng.uniform(7, 11) * np.interp(a, [0, 0.2, 1], [0.75, 1, 0.8]) * (0.8 + 0.2 * thick)
        x2, y2 = x + length * np.cos(lean), y - length * np.sin(lean) * 0.75
        hairs[i % 2].append(
            f"M{side * x:.1f} {y:.1f}Q{side * (x + x2) / 2:.1f} {(y + y2) / 2 - 0.8:.1f} {side * x2:.1f} {y2:.1f}"
        )
    s.detail.stroke("".join(hairs[0]), tint, 1.25, 0.72)
    s.detail.stroke("".join(hairs[1]), mix(tint, t.shade, 0.3), 1.0, 0.6)


def _shadow(d: Drawing, c: Character, t: Tones, side: int) -> None:
    tint = mix(t.deep, t.blush, 0.45)
    d.glow(side * (EYE_X + 8), -17, 37, 12, tint, 0.3 * c.makeup, side * 10)


def _lines(s: Sheet, c: Character, t: Tones, old: float) -> None:
    d, e = s.shape, s.detail
    m = 57 * c.face.mouth
    for side in (-1, 1):
        strong = old * (1.0 if side > 0 else 0.85)
        fold: list[Point] = [(side * 31, 82), (side * 45, 102), (side * (m + 2), 124), (side * (m + 7), 142)]
        _crease(d, fold, t, strong, 5)
        e.stroke(line(fold), t.deep, 1.5, 0.42 * strong)
        bag = [(side * 38, 17.0), (side * 56, 26), (side * 78, 25), (side * 96, 13)]
        _crease(d, bag, t, strong * 0.8, 4)
        e.stroke(line(bag), t.deep, 1.2, 0.26 * strong)
        for k, (dy, out) in enumerate(((-8, 126), (0, 129), (9, 125))):
            foot = [(side * 101, -1 + dy * 0.45), (side * 112, dy * 0.9), (side * out, dy * 1.7 + 2)]
            e.stroke(line(foot), t.deep, 1.2, (0.34 - 0.05 * k) * strong)
        if old > 0.45:
            jowl = [(side * (m + 6), 152.0), (side * (m + 11), 172), (side * (m + 8), 186)]
            _crease(d, jowl, t, strong - 0.3, 5)
        e.stroke(line([(side * 7, -28), (side * 8.5, -38), (side * 8, -46)]), t.deep, 1.4, 0.26 * strong)
    for k, y in enumerate((-74.0, -95.0, -115.0)):
        brow = [(-78 + 9 * k, y + 4), (-40, y - 2), (0, y + 1), (42, y - 2), (78 - 9 * k, y + 4)]
        e.stroke(line(brow), t.deep, 1.4, 0.24 * old * (1 - 0.15 * k))
        d.stroke(line([(x, v + 3.2) for x, v in brow]), t.light, 3, 0.2 * old)


def _crease(d: Drawing, points: list[Point], t: Tones, strong: float, width: float) -> None:
    inner = [(x * 0.955, y - 1.0) for x, y in points]
    for k in range(3):
        d.stroke(line(points), t.shade, width * (1.6 - 0.5 * k), 0.14 * max(strong, 0.0))
        d.stroke(
            line([(x * 1.06, y - 2) for x, y in points]),
            t.light,
            width * (1.4 - 0.4 * k),
            0.1 * max(strong, 0.0),
        )
    del inner


def beard(character: Character) -> list[Sheet]:
    """Draw a beard on cheeks and chin, which the jaw will carry."""
    return []


def moustache(character: Character) -> list[Sheet]:
    """Draw a moustache, which overlaps the upper lip."""
    return []


def glasses(character: Character) -> list[Sheet]:
    """Draw glasses with a faint reflection."""
    return []
