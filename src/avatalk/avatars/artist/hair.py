"""Hair: locks of strands between two guide lines, put together into styles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, sheet
from avatalk.avatars.artist.svg import Drawing, Point, line, mix

Guide = Sequence[Point]


@dataclass(frozen=True, slots=True)
class Lock:
    """Hair that flows between two guides.

    Attributes:
        a: outer guide, from the root to the tip.
        b: inner guide, as many points.
        light: how much of the key light it catches, 0 to 1.
        strands: how many are drawn.
        sheen: where along it the highlight lies, 0 root to 1 tip.
    """

    a: Guide
    b: Guide
    light: float = 0.6
    strands: int = 60
    sheen: float = 0.3


@dataclass(frozen=True, slots=True)
class HairTones:
    """Colours of hair, ``"#rrggbb"``."""

    dark: str
    mid: str
    light: str
    shine: str
    tips: str


def hair_tones(character: Character) -> HairTones:
    """Return the colours of a character's hair."""
    c = character.hair_colour
    return HairTones(
        mix(c, "#0b0506", 0.5), c, mix(c, "#ffdcae", 0.26), mix(c, "#fff0da", 0.5), character.hair_tips or c
    )


def mirrored(lock: Lock, light: float) -> Lock:
    """Return the lock on the other side of the head."""
    return Lock([(-x, y) for x, y in lock.a], [(-x, y) for x, y in lock.b], light, lock.strands, lock.sheen)


def lerp(a: Guide, b: Guide, u: float) -> list[Point]:
    """Return the guide a fraction `u` of the way from `a` to `b`."""
    return [(p[0] + (q[0] - p[0]) * u, p[1] + (q[1] - p[1]) * u) for p, q in zip(a, b, strict=True)]


def draw_lock(s: Sheet, lock: Lock, t: HairTones, seed: int, *, fray: float = 1.0) -> None:
    """Draw one lock: its body, soft form and single hairs."""
    rng = np.random.Generator(np.random.PCG64(seed))
    body = line([*lock.a, *reversed(lock.b)], closed=True, tension=0.92)
    (x0, y0), (x1, y1) = lock.a[0], lock.a[-1]
    root = mix(t.mid, t.dark, 0.45 - 0.25 * lock.light)
    mid = mix(t.mid, t.dark, 0.3 * (1 - lock.light))
    tips = mix(t.tips, t.dark, 0.3 * (1 - lock.light))
    s.shape.path(
        body, s.shape.linear(x0, y0, x1, y1, (0, root, 1), (0.35, mid, 1), (0.65, mid, 1), (1, tips, 1))
    )
    _form(s.shading, lock, t)
    _hairs(s.detail, lock, t, rng, body)
    if fray:
        _fray(s.detail, lock, t, rng, fray)


def _form(d: Drawing, lock: Lock, t: HairTones) -> None:
    n = len(lock.a)
    with d.blurred(7):
        d.stroke(line(lerp(lock.a, lock.b, 0.96)), t.dark, 15, 0.6)
        d.stroke(line(lerp(lock.a, lock.b, 0.02)), t.dark, 9, 0.32)
        at = lock.sheen * (n - 1)
        i = min(int(at), n - 2)
        middle = [lerp(lock.a, lock.b, u)[i : i + 2] for u in (0.12, 0.35, 0.6, 0.85)]
        band = [(p[0] + (q[0] - p[0]) * (at - i), p[1] + (q[1] - p[1]) * (at - i)) for p, q in middle]
        d.stroke(line(band), t.shine, 20, 0.5 * lock.light)


def _hairs(d: Drawing, lock: Lock, t: HairTones, rng: np.random.Generator, body: str) -> None:
    kinds = [
        (t.dark, 1.7, 0.5),
        (t.dark, 1.0, 0.5),
        (mix(t.mid, t.light, 0.6), 1.3, 0.5),
        (t.light, 1.0, 0.55 * (0.35 + lock.light)),
        (t.shine, 0.8, 0.4 * (0.2 + lock.light)),
    ]
    paths: list[list[str]] = [[] for _ in kinds]
    for i in range(lock.strands):
        u, wave = float(rng.uniform(0.03, 0.97)), rng.normal(0, 1.5, (len(lock.a), 2))
        v = float(np.clip(u + rng.normal(0, 0.09), 0.03, 0.97))
        p, q = lerp(lock.a, lock.b, u), lerp(lock.a, lock.b, v)
        k = np.linspace(0, 1, len(p))
        points = [
            (a[0] + (b[0] - a[0]) * w + float(z[0]), a[1] + (b[1] - a[1]) * w + float(z[1]))
            for a, b, w, z in zip(p, q, k, wave, strict=True)
        ]
        if i % 5 > 2 and len(points) > 4:
            first = int(rng.integers(0, 2))
            points = points[first : first + 4]
        paths[i % len(kinds)].append(line(points))
    with d.clipped(body):
        for (tint, width, opacity), lines in zip(kinds, paths, strict=True):
            d.stroke("".join(lines), tint, width, opacity)


def _fray(d: Drawing, lock: Lock, t: HairTones, rng: np.random.Generator, fray: float) -> None:
    out = []
    for _ in range(round(5 * fray)):
        u = -float(rng.uniform(0.0, 0.03)) if rng.random() < 0.75 else 1 + float(rng.uniform(0, 0.02))
        p = lerp(lock.a, lock.b, u)
        out.append(line([(x + float(rng.normal(0, 1.2)), y + float(rng.normal(0, 1.2))) for x, y in p]))
    d.stroke("".join(out), t.mid, 0.8, 0.5)


@dataclass(frozen=True, slots=True)
class Style:
    """Locks of a hair style, back to front."""

    back: Sequence[Lock] = ()
    front: Sequence[Lock] = ()


def bob() -> Style:
    """Chin-length hair, parted on the side."""
    left = Lock(
        [(-30, -226), (-96, -222), (-156, -150), (-178, -20), (-176, 100), (-128, 206)],
        [(-30, -208), (-62, -176), (-112, -112), (-136, -20), (-142, 80), (-104, 190)],
        0.85,
        90,
        0.34,
    )
    right = Lock(
        [(-34, -226), (64, -232), (156, -154), (181, -16), (178, 104), (130, 210)],
        [(-30, -206), (30, -176), (106, -120), (137, -26), (143, 84), (106, 192)],
        0.5,
        110,
        0.36,
    )
    behind = Lock(
        [(-20, -215), (-130, -190), (-172, -60), (-170, 80), (-140, 196)],
        [(20, -215), (130, -190), (174, -60), (172, 80), (142, 196)],
        0.1,
        90,
        0.3,
    )
    return Style([behind], [left, right])


STYLES: dict[str, Callable[[], Style]] = {"bob": bob}


def style(character: Character) -> Style:
    """Return the locks of a character's hair."""
    make = STYLES.get(character.hair)
    return make() if make else Style()


def back(character: Character) -> list[Sheet]:
    """Draw the hair behind the neck."""
    s, t = sheet(), hair_tones(character)
    for i, lock in enumerate(style(character).back):
        draw_lock(s, lock, t, 100 + i)
    return [s]


def front(character: Character) -> list[Sheet]:
    """Draw the hair around the face."""
    t, sheets = hair_tones(character), []
    for i, lock in enumerate(style(character).front):
        s = sheet()
        draw_lock(s, lock, t, 200 + i)
        sheets.append(s)
    return sheets


def cast(d: Drawing, character: Character, tint: str) -> None:
    """Lay the shadow that the hair casts on the face."""
    with d.blurred(8):
        for lock in style(character).front:
            d.stroke(line([(x, y + 5) for x, y in lock.b]), tint, 20, 0.42)
