"""A brush for what moves in every frame: shapes bounded by curves y(x), painted with exact soft edges.

Lids and lips are painted where they stand in that frame, never warped from a picture of them, so they stay
sharp at any size. Coordinates are those of the unmoved head; the pixels may lie anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from avatalk.avatars.artist.svg import rgb

Floats = npt.NDArray[np.floating[Any]]
Indices = npt.NDArray[np.intp]

SAMPLES = 2048


class Axis:
    """Samples of an x axis on which curves are tabulated.

    Args:
        start: first x.
        stop: last x.
    """

    def __init__(self, start: float, stop: float) -> None:
        self.x: Floats = np.linspace(start, stop, SAMPLES, dtype=np.float32)
        self._start = start
        self._per_unit = (SAMPLES - 1) / (stop - start)

    def spline(self, points: Sequence[tuple[float, float]]) -> Floats:
        """Tabulate the natural cubic spline through `points` (x ascending), held level beyond its ends."""
        px, py = (np.asarray(v, np.float64) for v in zip(*points, strict=True))
        h = np.diff(px)
        system = np.diag(np.r_[1.0, 2 * (h[:-1] + h[1:]), 1.0])
        system += np.diag(np.r_[0.0, h[1:]], 1) + np.diag(np.r_[h[:-1], 0.0], -1)
        slope = np.diff(py) / h
        bend = np.linalg.solve(system, np.r_[0.0, 6 * np.diff(slope), 0.0])
        x = np.clip(self.x.astype(np.float64), px[0], px[-1])
        i = np.clip(np.searchsorted(px, x) - 1, 0, len(h) - 1)
        left, right = x - px[i], px[i + 1] - x
        y = (bend[i] * right**3 + bend[i + 1] * left**3) / (6 * h[i])
        y += (py[i] / h[i] - bend[i] * h[i] / 6) * right + (py[i + 1] / h[i] - bend[i + 1] * h[i] / 6) * left
        return y.astype(np.float32)

    def index(self, x: Floats) -> Indices:
        """Return where to look up `x` in tabulated curves."""
        at: Indices = np.clip((x - self._start) * self._per_unit + 0.5, 0, SAMPLES - 1).astype(np.intp)
        return at


def colour(value: str) -> Floats:
    """Return ``"#rrggbb"`` as (3,) float32, 0..255."""
    return np.array(rgb(value), np.float32)


def coverage(distance: Floats, scale: float, soft: float = 1.0) -> Floats:
    """Return how much of each pixel lies on the positive side of an edge, 0..1.

    Args:
        distance: to the edge in head units.
        scale: pixels per head unit.
        soft: width of the edge's blur in pixels.
    """
    covered: Floats = np.clip(distance * np.float32(scale / soft) + np.float32(0.5), 0, 1)
    return covered


def glow(x: Floats, y: Floats, rx: float, ry: float) -> Floats:
    """Return a soft spot, 1 in its middle, by the offsets from it and its radii."""
    return np.exp(-((x / np.float32(rx)) ** 2) - (y / np.float32(ry)) ** 2)


def over(ground: Floats, paint: Floats, alpha: Floats) -> None:
    """Lay `paint` ((3,) or like `ground`) on `ground` ((3, height, width), 0..255) in place."""
    if paint.ndim == 1:
        paint = paint[:, None, None]
    ground += alpha * (paint - ground)


def smoothstep(x: Floats) -> Floats:
    """Return 0 below 0, 1 above 1 and a smooth slope between."""
    t = np.clip(x, 0, 1)
    return t * t * (3 - 2 * t)
