"""Hair: locks of strands between two guide lines, put together into styles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from avatalk.avatars.artist.character import Character
from avatalk.avatars.artist.face import Sheet, sheet
from avatalk.avatars.artist.hats import HAIR_BELOW, covers_hair
from avatalk.avatars.artist.locks import Curls, Guide, Lock, Part, Style, sides
from avatalk.avatars.artist.styles import STYLES
from avatalk.avatars.artist.svg import Drawing, Float64Array, Point, inside, line, mix


@dataclass(frozen=True, slots=True)
class HairTones:
    """Colours of hair, ``"#rrggbb"``."""

    dark: str
    mid: str
    light: str
    shine: str
    tips: str
    streaks: str | None = None


def hair_tones(character: Character) -> HairTones:
    """Return the colours of a character's hair."""
    c = character.hair_colour
    return HairTones(
        mix(c, "#0b0506", 0.5),
        c,
        mix(c, "#ffdcae", 0.26),
        mix(c, "#fff0da", 0.5),
        character.hair_tips or c,
        character.hair_streaks,
    )


def lerp(a: Guide, b: Guide, u: float) -> list[Point]:
    """Return the guide a fraction `u` of the way from `a` to `b`."""
    return [(p[0] + (q[0] - p[0]) * u, p[1] + (q[1] - p[1]) * u) for p, q in zip(a, b, strict=True)]


def draw_lock(s: Sheet, lock: Lock, t: HairTones, seed: int) -> None:
    """Draw one lock: its body, soft form and single hairs."""
    rng = np.random.Generator(np.random.PCG64(seed))
    if lock.faded:
        _body(s.shape, lock, t)
    else:
        s.shape.path(_outline(lock), t.mid)
        s.shading.flood(_along_lock(s.shading, lock, t))
    if lock.strands > 40:
        _clumps(s.shading, lock, t, rng)
    _form(s.shading, lock, t)
    _hairs(s.detail, lock, t, rng)
    if not lock.faded:
        _fray(s.detail, lock, t, rng)


def draw_cluster(d: Drawing, locks: Sequence[Lock], t: HairTones, seed: int) -> None:
    """Draw overlapping locks into one drawing, each with a dark edge instead of soft form."""
    rng = np.random.Generator(np.random.PCG64(seed))
    for lock in locks:
        _body(d, lock, t)
        for u, width, opacity in ((0.03, 4.5, 0.2), (0.018, 1.4, 0.4)):
            edges = line(lerp(lock.a, lock.b, u)) + line(lerp(lock.a, lock.b, 1 - u))
            d.stroke(edges, t.dark, width, opacity)
        _hairs(d, lock, t, rng)


def _body(d: Drawing, lock: Lock, t: HairTones) -> None:
    d.path(_outline(lock), _along_lock(d, lock, t))


def _outline(lock: Lock) -> str:
    return line([*lock.a, *reversed(lock.b)], closed=True, tension=0.92)


def _along_lock(d: Drawing, lock: Lock, t: HairTones) -> str:
    """Define the colours from the root to the tip."""
    (x0, y0), (x1, y1) = lock.a[0], lock.a[-1]
    root = mix(t.mid, t.dark, 0.45 - 0.25 * lock.light)
    mid = mix(t.mid, t.dark, 0.3 * (1 - lock.light))
    tips = mix(t.tips, t.dark, 0.3 * (1 - lock.light))
    seen = 0.0 if lock.faded else 1.0
    return d.linear(
        x0, y0, x1, y1, (0, root, 1), (0.35, mid, 1), (0.65, mid, 0.6 + 0.4 * seen), (1, tips, seen)
    )


def _form(d: Drawing, lock: Lock, t: HairTones) -> None:
    n = len(lock.a)
    with d.blurred(7):
        d.stroke(line(lerp(lock.a, lock.b, 0.96)), t.dark, 15, 0.6)
        d.stroke(line(lerp(lock.a, lock.b, 0.04)), t.dark, 12, 0.4)
        at = lock.sheen * (n - 1)
        i = min(int(at), n - 2)
        middle = [lerp(lock.a, lock.b, u)[i : i + 2] for u in (0.12, 0.35, 0.6, 0.85)]
        band = [(p[0] + (q[0] - p[0]) * (at - i), p[1] + (q[1] - p[1]) * (at - i)) for p, q in middle]
        d.stroke(line(band), t.shine, 22, 0.62 * lock.light)


def _hairs(d: Drawing, lock: Lock, t: HairTones, rng: np.random.Generator) -> None:
    kinds = [
        (t.dark, 2.2, 0.22),
        (t.dark, 1.0, 0.42),
        (mix(t.mid, t.light, 0.5), 1.8, 0.3),
        (t.light, 1.0, 0.5 * (0.3 + lock.light)),
        (t.shine, 0.8, 0.34 * (0.2 + lock.light)),
    ]
    if lock.strands < 20:
        kinds = kinds[1:4]
    if t.streaks is not None:
        kinds.append((t.streaks, 3.0, 0.55))
    paths: list[list[str]] = [[] for _ in kinds]
    for i in range(lock.strands):
        u, wave = float(rng.uniform(0.02, 0.98)), rng.normal(0, 1.2, (len(lock.a), 2))
        v = float(np.clip(u + rng.normal(0, 0.08), 0.02, 0.98))
        p, q = lerp(lock.a, lock.b, u), lerp(lock.a, lock.b, v)
        k = np.linspace(0, 1, len(p))
        points = [
            (a[0] + (b[0] - a[0]) * w + float(z[0]), a[1] + (b[1] - a[1]) * w + float(z[1]))
            for a, b, w, z in zip(p, q, k, wave, strict=True)
        ]
        paths[i % len(kinds)].append(line(points))
    if not lock.faded:
        d.stroke(line(lerp(lock.a, lock.b, 0.012)), t.shine, 2.4, 0.3)
    for (tint, width, opacity), lines in zip(kinds, paths, strict=True):
        if lines:
            d.stroke("".join(lines), tint, width, opacity * (0.5 if lock.faded else 1))


def _fray(d: Drawing, lock: Lock, t: HairTones, rng: np.random.Generator) -> None:
    """Draw single hairs that leave the outline by a little."""
    out = []
    last = len(lock.a) - 1
    for k in range(4):
        edge, inside = (lock.a, lock.b) if k < 3 else (lock.b, lock.a)
        far, turn = float(rng.uniform(1.5, 3.5)), float(rng.uniform(1.0, 2.5))
        hair = []
        for i, (p, q) in enumerate(zip(edge, inside, strict=True)):
            apart = max(math.dist(p, q), 1.0)
            off = far * abs(math.sin(turn * math.pi * i / last)) / apart
            hair.append((p[0] + (p[0] - q[0]) * off, p[1] + (p[1] - q[1]) * off))
        out.append(line(hair))
    d.stroke("".join(out), t.mid, 0.8, 0.5)


def _clumps(d: Drawing, lock: Lock, t: HairTones, rng: np.random.Generator) -> None:
    """Part a lock into strands of lighter and darker hair."""
    cuts = np.sort(rng.uniform(0.04, 0.96, 7))
    for k, (u, v) in enumerate(pairwise(cuts)):
        left, right = lerp(lock.a, lock.b, float(u)), lerp(lock.a, lock.b, float(v))
        tint, opacity = ((t.dark, 0.2), (t.light, 0.08 + 0.16 * lock.light))[k % 2]
        right[-1] = left[-1]
        d.path(line([*left, *reversed(right)], closed=True, tension=0.92), tint, opacity)


_ON_TOP = frozenset({"crop", "messy", "side", "short", "undercut", "mohawk", "combover"})
"""Styles of which a hat leaves only the sides."""


def style(character: Character) -> Style:
    """Return the parts of a character's hair."""
    if covers_hair(character) and character.hair in _ON_TOP:
        return Style((), sides())
    return STYLES[character.hair](character)


def draw_curls(s: Sheet, curls: Curls, t: HairTones, seed: int) -> None:
    """Draw a mass of curls: bumps along its outline, then arcs of light and shadow all over it."""
    rng = np.random.Generator(np.random.PCG64(seed))
    outline = np.array(curls.outline)
    body = line(curls.outline, closed=True)
    ground = mix(t.mid, t.dark, 0.6 - 0.3 * curls.light)
    s.shape.path(body, ground)
    spots = _inside(outline, curls.count, rng)
    rim = _along(outline, round(curls.count * 0.22)) if curls.bumps > 3 else np.empty((0, 2))
    rim = rim + rng.normal(0, curls.bumps * 0.45, rim.shape)
    for x, y in rim:
        r = curls.size * rng.uniform(0.7, 1.25)
        s.shape.ellipse(x, y, r, r * 0.9, ground, 1, rng.uniform(0, 180))
    with s.shading.blurred(16):
        s.shading.ellipse(-60, -190, 110, 56, t.shine, 0.34 * curls.light, -20)
        s.shading.path(
            line([(x * 1.04, y) for x, y in outline if x > 40] or [(0, 0), (1, 1)], closed=True), t.dark, 0.4
        )
    kinds: list[list[str]] = [[], [], []]
    for i, (x, y) in enumerate(np.concatenate([spots, rim])):
        r, turn = curls.size * rng.uniform(0.4, 0.8), rng.uniform(0, 2 * np.pi)
        dx, dy = r * np.cos(turn), r * np.sin(turn)
        lit = (-x * 0.5 - (y + 60)) / 260 + 0.45 * float(rng.normal())
        kind = 0 if i % 3 == 0 else (2 if lit > 0.45 else 1)
        kinds[kind].append(
            f"M{x - dx:.1f} {y - dy:.1f}A{r:.1f} {r * 0.85:.1f} 0 {i % 2} 1 {x + dx:.1f} {y + dy:.1f}"
        )
    w = curls.size * 0.2 + 0.4
    for (tint, opacity), paths in zip(
        ((t.dark, 0.55), (mix(t.mid, t.light, 0.35), 0.5), (t.light, 0.2 + 0.35 * curls.light)),
        kinds,
        strict=True,
    ):
        s.detail.stroke("".join(paths), tint, w, opacity)


def _inside(outline: Float64Array, count: int, rng: np.random.Generator) -> Float64Array:
    """Return about `count` points inside an outline, (n, 2), from the top down."""
    p = rng.uniform(outline.min(0), outline.max(0), (count * 2, 2))
    p = p[inside(outline, p)][:count]
    ordered: Float64Array = p[np.argsort(p[:, 1])]
    return ordered


def _along(outline: Float64Array, count: int) -> Float64Array:
    """Return `count` points spread evenly along a closed outline, (n, 2)."""
    ring = np.concatenate([outline, outline[:1]])
    way = np.r_[0, np.cumsum(np.hypot(*np.diff(ring, axis=0).T))]
    at = np.linspace(0, way[-1], count, endpoint=False)
    return np.stack([np.interp(at, way, ring[:, 0]), np.interp(at, way, ring[:, 1])], 1)


def _pressed(guide: Guide) -> Guide:
    """Return a guide as hair lies under a hat: at its edge no wider than the head."""
    out = []
    for x, y in guide:
        wide = 140 + 0.55 * max(y + 60, 0.0)
        out.append((max(min(x, wide), -wide) if y < 0 else x, y))
    return out


def _under_hat(part: Part) -> Part:
    if isinstance(part, Curls):
        return replace(part, outline=_pressed(part.outline))
    if isinstance(part, Lock):
        return replace(part, a=_pressed(part.a), b=_pressed(part.b))
    return tuple(replace(lock, a=_pressed(lock.a), b=_pressed(lock.b)) for lock in part)


def _draw(part: Part, t: HairTones, seed: int, top: float) -> Sheet:
    """Draw a part of a style; nothing of it is seen above `top`."""
    if top == HAIR_BELOW:
        part = _under_hat(part)
    if isinstance(part, Curls):
        points = list(part.outline)
    else:
        points = [p for lock in _locks(part) for p in (*lock.a, *lock.b)]
    x, y = zip(*points, strict=True)
    s = sheet(min(x) - 30, max(min(y) - 30, top), max(x) + 30, max(*y, top) + 30)
    if isinstance(part, Curls):
        draw_curls(s, part, t, seed)
    elif isinstance(part, Lock):
        draw_lock(s, part, t, seed)
    else:
        draw_cluster(s.shape, part, t, seed)
    return s


def _locks(part: Part) -> Sequence[Lock]:
    """Return the locks of a part of a style."""
    if isinstance(part, Curls):
        return ()
    return (part,) if isinstance(part, Lock) else part


def back(character: Character) -> list[Sheet]:
    """Draw the hair behind the neck."""
    t, top = hair_tones(character), _top(character)
    return [_draw(part, t, 100 + i, top) for i, part in enumerate(style(character).back)]


def front(character: Character) -> list[Sheet]:
    """Draw the hair around the face."""
    t, top = hair_tones(character), _top(character)
    return [_draw(part, t, 200 + i, top) for i, part in enumerate(style(character).front)]


def _top(character: Character) -> float:
    return HAIR_BELOW if covers_hair(character) else -1e4


def cast(d: Drawing, character: Character, tint: str) -> None:
    """Lay the shadow that the hair casts on the face."""
    with d.blurred(8):
        for part in style(character).front:
            for lock in _locks(part):
                if lock.casts:
                    d.stroke(line([(x, y + 5) for x, y in lock.b]), tint, 20, 0.42)
            if isinstance(part, Curls):
                edge = [(x, y + 4) for x, y in part.outline if abs(x) < 140 and y > -162]
                d.stroke(line(edge), tint, 14, 0.35)
