"""What lies on the skin of the face: brows, lines of age, freckles, marks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import EYE_X, MOUTH_Y, Sheet, sheet
from avatalk.avatars.artist.svg import Drawing, Point, hair, line, mix
from avatalk.avatars.artist.tones import Tones, tones


def brows_and_age(character: Character) -> Sheet:
    """Draw the brows hair by hair, wrinkles and folds that come with age, freckles, lids' colour."""
    s, t = sheet(-160, -140, 160, 220), tones(character)
    tint = character.brow_colour or mix(character.hair_colour, "#1c100a", 0.25)
    rng = np.random.Generator(np.random.PCG64(11))
    for side in (-1, 1):
        _brow(s, character, t, tint, side, rng)
        if character.makeup > 0.4 or character.eyeshadow:
            _shadow(s.shape, character, t, side)
    old = min(max((character.age - 32) / 40, 0.0), 1.0)
    if old > 0:
        _lines(s, character, t, old)
    if character.skin.freckles > 0:
        over = max(character.skin.freckles - 0.8, 0.0)
        strong, tint = 1 + 9 * over, mix(t.deep, "#6e3214", 2.0 * over)
        for _ in range(round(90 * character.skin.freckles)):
            x, y = rng.normal(0, 52), rng.normal(46, 15)
            r = rng.uniform(0.8, 1.8) * strong**0.5, rng.uniform(0.7, 1.4) * strong**0.5
            s.shape.ellipse(x, y, *r, tint, rng.uniform(0.1, 0.32) * strong**0.65)
    if character.expression.frown > 0:
        _glabella(s, t, character.expression.frown)
    if character.expression.brows > 0:
        for y in (-84.0, -102.0):
            arch = [(-70, y + 5), (-30, y - 1), (30, y - 1), (70, y + 5)]
            s.detail.stroke(line(arch), t.deep, 2, 0.2 * character.expression.brows)
    _marks(s, character, t)
    return s


def _glabella(s: Sheet, t: Tones, frown: float) -> None:
    """Draw the folds that drawn brows make between them."""
    with s.detail.blurred(0.9):
        for side in (-1, 1):
            fold = [(side * 9, -22), (side * 7.5, -36), (side * 10, -50)]
            s.detail.stroke(line(fold), t.deep, 2.6, 0.5 * frown)


def _marks(s: Sheet, c: Character, t: Tones) -> None:
    """Draw a scar, a mole, dimples, a bindi or red cheeks."""
    m = 57 * c.face.mouth
    if "rosy" in c.skin.marks:
        for side in (-1, 1):
            s.shape.glow(side * 86, 58, 44, 34, mix(t.blush, "#e0484e", 0.5), 0.5, side * 14)
    if "scar" in c.skin.marks:
        scar = [(-104.0, 8.0), (-94, 34), (-90, 62), (-78, 88)]
        s.detail.stroke(line([(x + 2.5, y + 1) for x, y in scar]), t.deep, 3, 0.35)
        s.detail.stroke(line(scar), mix(t.light, t.blush, 0.35), 4.4, 0.9)
        for x, y in scar[1:]:
            s.detail.stroke(line([(x - 8, y - 8), (x + 7, y - 13)]), mix(t.deep, t.blush, 0.4), 1.8, 0.6)
    if "mole" in c.skin.marks:
        s.detail.ellipse(-44, MOUTH_Y - 22, 4.6, 4.4, mix(t.deep, "#1c0d08", 0.45), 0.95)
    if "dimples" in c.skin.marks:
        with s.detail.blurred(2):
            for side in (-1, 1):
                dimple = [(side * (m + 17), 122), (side * (m + 21), 132), (side * (m + 18), 143)]
                s.detail.stroke(line(dimple), t.deep, 4.5, 0.5)
                s.detail.stroke(line([(x + side * 5, y) for x, y in dimple]), t.light, 4, 0.25)
    if "bindi" in c.skin.marks:
        s.detail.ellipse(0, -48, 6.4, 6.8, "#a3182c")
        s.detail.ellipse(-1.6, -50, 2, 2, "#e0707c", 0.7)


def _brow(s: Sheet, c: Character, t: Tones, tint: str, side: int, rng: np.random.Generator) -> None:
    male = c.sex == "male"
    lift = 0.0 if male else 3.0
    thick = c.face.brows * (1.15 if male else 0.82)
    spine = np.array(
        [(26, -35.0), (43, -38.5), (63, -40 - lift), (84, -38 - lift), (106, -26.5 - 0.6 * lift)]
    )
    spine[:, 1] -= 3.0 + 0.5 * c.face.tilt * (spine[:, 0] - 25) / 26
    inner, mood = (106 - spine[:, 0]) / 80, c.expression
    spine[:, 1] += mood.frown * (13 * inner - 6) - 13 * mood.brows * (0.6 + 0.4 * np.sin(np.pi * inner))
    spine[:, 0] -= 5 * max(mood.frown, 0) * inner
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
    tint, strength = mix(t.deep, t.blush, 0.45), 0.3 * c.makeup
    if c.eyeshadow:
        tint, strength = c.eyeshadow, 0.75
        d.glow(side * (EYE_X + 4), -14, 42, 17, tint, 0.6, side * 8)
    d.glow(side * (EYE_X + 8), -17, 37, 12, tint, strength, side * 10)


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
