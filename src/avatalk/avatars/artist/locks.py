"""What hair is made of: locks between two guide lines, and masses of curls, in head units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from avatalk.avatars.artist.svg import Point

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
        faded: whether it runs out into the skin at its tip.
        casts: whether it casts a shadow on the face.
    """

    a: Guide
    b: Guide
    light: float = 0.6
    strands: int = 60
    sheen: float = 0.3
    faded: bool = False
    casts: bool = True


@dataclass(frozen=True, slots=True)
class Curls:
    """A mass of curls.

    Attributes:
        outline: closed, clockwise.
        size: of a curl.
        count: of curls.
        light: how much of the key light it catches, 0 to 1.
        bumps: how far curls stand out of the outline.
    """

    outline: Guide
    size: float
    count: int
    light: float = 0.6
    bumps: float = 6.0


Part = Lock | Curls | tuple[Lock, ...]  # a tuple is a cluster of locks, drawn together


@dataclass(frozen=True, slots=True)
class Style:
    """Parts of a hair style, each list back to front."""

    back: Sequence[Part] = ()
    front: Sequence[Part] = ()


def turned(lock: Lock, light: float) -> Lock:
    """Return the lock on the other side of the head."""
    return replace(lock, a=[(-x, y) for x, y in lock.a], b=[(-x, y) for x, y in lock.b], light=light)


def wavy(lock: Lock, size: float, turns: float, phase: float) -> Lock:
    """Return the lock with its guides resampled and waved from the ears down."""
    n = 12

    def wave(guide: Guide) -> Guide:
        out = []
        for i in range(n):
            at = i / (n - 1) * (len(guide) - 1)
            k = min(int(at), len(guide) - 2)
            f = at - k
            p0, p1, p2, p3 = (guide[min(max(m, 0), len(guide) - 1)] for m in (k - 1, k, k + 1, k + 2))
            grow = min(max((i / (n - 1) - 0.36) / 0.25, 0.0), 1.0)
            shift = size * grow * math.sin(turns * 2 * math.pi * i / (n - 1) + phase)
            x, y = (
                b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))
                for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
            )
            out.append((x + shift, y))
        return out

    return replace(lock, a=wave(lock.a), b=wave(lock.b))


def ribbon(centre: Guide, widths: Sequence[float], light: float, strands: int) -> Lock:
    """Return a lock of given half widths around a centre line."""
    a, b = [], []
    for i, ((x, y), w) in enumerate(zip(centre, widths, strict=True)):
        (x0, y0), (x1, y1) = centre[max(i - 1, 0)], centre[min(i + 1, len(centre) - 1)]
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        nx, ny = (y1 - y0) / length, -(x1 - x0) / length
        a.append((x + nx * w, y + ny * w))
        b.append((x - nx * w, y - ny * w))
    return Lock(a, b, light, strands, 0.3, casts=False)


def arch(rx: float, ry: float, cy: float, low: float, count: int = 18) -> list[Point]:
    """Return a round outline from one side over the top to the other, ending at y = `low`."""
    angle = math.pi / 2 + math.asin(min(max((low - cy) / ry, -1), 1))
    turns = [-angle + 2 * angle * i / (count - 1) for i in range(count)]
    return [(rx * math.sin(a), cy - ry * math.cos(a)) for a in turns]


def sides(strands: int = 50) -> list[Lock]:
    """Short hair above the ears, which runs out into the skin."""
    side = Lock(
        [(-92, -196), (-142, -136), (-155, -60), (-152, 6), (-141, 34)],
        [(-88, -150), (-118, -112), (-129, -60), (-134, -10), (-139, 28)],
        0.7,
        strands,
        0.35,
        faded=True,
    )
    return [side, turned(side, 0.4)]


def drawn_back() -> list[Lock]:
    """Hair combed back from the face to both sides of the crown."""
    left = Lock(
        [(-138, 26), (-162, -50), (-158, -130), (-110, -214), (-20, -248)],
        [(-134, 10), (-132, -60), (-108, -120), (-60, -164), (-4, -178)],
        0.9,
        72,
        0.5,
    )
    right = Lock(
        [(138, 26), (164, -50), (160, -130), (112, -214), (-20, -248)],
        [(134, 10), (133, -60), (108, -122), (60, -164), (-4, -178)],
        0.55,
        79,
        0.5,
    )
    return [right, left]


HAIRLINE: list[Point] = [
    (133, -44),
    (120, -100),
    (92, -140),
    (48, -158),
    (0, -160),
    (-48, -158),
    (-92, -140),
    (-120, -100),
    (-133, -44),
]
