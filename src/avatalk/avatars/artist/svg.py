"""A few words of SVG: smooth paths, gradients, blurred groups. Strings only, nothing is rasterised here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Stop = tuple[float, str, float]
Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def rgb(colour: str) -> tuple[float, float, float]:
    """Return ``"#rrggbb"`` as three numbers 0..255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(a: str, b: str, t: float) -> str:
    """Return the colour a fraction `t` of the way from `a` to `b`, both ``"#rrggbb"``."""
    pairs = zip(rgb(a), rgb(b), strict=True)
    return "#" + "".join(f"{round(min(255.0, max(0.0, p + (q - p) * t))):02x}" for p, q in pairs)


def line(points: Sequence[Point], *, closed: bool = False, tension: float = 1.0) -> str:
    """Return path data of a smooth curve through `points` (a Catmull-Rom spline as cubic Béziers).

    Args:
        points: at least two.
        closed: whether the last point joins the first.
        tension: 1 the usual roundness, 0 straight lines.
    """
    n = len(points)
    k = tension / 6
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for i in range(n if closed else n - 1):
        p0, p1 = points[i - 1 if closed or i else 0], points[i]
        p2 = points[(i + 1) % n]
        p3 = points[(i + 2) % n if closed else min(i + 2, n - 1)]
        parts.append(
            f"C{p1[0] + (p2[0] - p0[0]) * k:.1f} {p1[1] + (p2[1] - p0[1]) * k:.1f} "
            f"{p2[0] - (p3[0] - p1[0]) * k:.1f} {p2[1] - (p3[1] - p1[1]) * k:.1f} {p2[0]:.1f} {p2[1]:.1f}"
        )
    return "".join(parts) + ("Z" if closed else "")


def hair(x0: float, y0: float, x1: float, y1: float, rise: float = 0.0) -> str:
    """Return path data of a short hair whose middle stands out upwards by `rise`."""
    return f"M{x0:.1f} {y0:.1f}Q{(x0 + x1) / 2:.1f} {(y0 + y1) / 2 - rise:.1f} {x1:.1f} {y1:.1f}"


def mirror(points: Sequence[Point]) -> list[Point]:
    """Return the points with x turned round, in reverse order (the other half of an outline)."""
    return [(-x, y) for x, y in reversed(points)]


@dataclass
class Drawing:
    """SVG under construction, in head units (see `avatalk.avatars.artist.face`).

    Attributes:
        box: x0, y0, x1, y1 of what may be drawn; what lies outside is cut off.
        prefix: of the names of definitions, so that drawings can be put together.
        defs: gradients, filters and clip paths.
        body: shapes, back to front.
    """

    box: Box
    prefix: str = "d"
    defs: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    def _define(self, kind: str, attributes: str, inner: str) -> str:
        name = f"{self.prefix}{len(self.defs)}"
        self.defs.append(f'<{kind} id="{name}" {attributes}>{inner}</{kind}>')
        return f"url(#{name})"

    def linear(self, x1: float, y1: float, x2: float, y2: float, *stops: Stop) -> str:
        """Define a gradient along a line, in user units; stops are (offset, colour, opacity)."""
        where = f'gradientUnits="userSpaceOnUse" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"'
        return self._define("linearGradient", where, _stops(stops))

    def radial(self, cx: float, cy: float, r: float, *stops: Stop, squash: float = 1.0) -> str:
        """Define a round gradient; `squash` scales its height."""
        shift = cy * (1 - squash)
        where = (
            f'gradientUnits="userSpaceOnUse" cx="{cx}" cy="{cy}" r="{r}" '
            f'gradientTransform="matrix(1 0 0 {squash} 0 {shift:.2f})"'
        )
        return self._define("radialGradient", where, _stops(stops))

    def path(self, data: str, fill: str = "none", opacity: float = 1.0) -> None:
        """Fill an outline."""
        self.body.append(f'<path d="{data}" fill="{fill}" fill-opacity="{opacity:.3f}"/>')

    def blob(self, points: Sequence[Point], fill: str, opacity: float = 1.0) -> None:
        """Fill a smooth closed curve through `points`."""
        self.path(line(points, closed=True), fill, opacity)

    def flood(self, fill: str, x0: float = -1e4, x1: float = 1e4) -> None:
        """Fill the whole box, or the part of it between two x."""
        x0, x1 = max(x0, self.box[0]), min(x1, self.box[2])
        y0, y1 = self.box[1], self.box[3]
        self.path(f"M{x0:.1f} {y0:.1f}H{x1:.1f}V{y1:.1f}H{x0:.1f}Z", fill)

    def stroke(self, data: str, colour: str, width: float, opacity: float = 1.0) -> None:
        """Draw a line with round ends."""
        self.body.append(
            f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{width:.2f}" '
            f'stroke-opacity="{opacity:.3f}" stroke-linecap="round" stroke-linejoin="round"/>'
        )

    def ellipse(
        self, cx: float, cy: float, rx: float, ry: float, fill: str, opacity: float = 1.0, turn: float = 0.0
    ) -> None:
        """Fill an ellipse, turned by `turn` degrees clockwise."""
        self.body.append(
            f'<ellipse cx="{cx:.1f}" cy="{cy:.1f}" rx="{rx:.1f}" ry="{ry:.1f}" fill="{fill}" '
            f'fill-opacity="{opacity:.3f}" transform="rotate({turn:.1f} {cx:.1f} {cy:.1f})"/>'
        )

    def glow(
        self, cx: float, cy: float, rx: float, ry: float, colour: str, opacity: float, turn: float = 0.0
    ) -> None:
        """Lay an ellipse of colour that fades to nothing at its rim: cheaper than a blur."""
        fill = self.radial(
            cx, cy, rx, (0, colour, opacity), (0.5, colour, opacity * 0.55), (1, colour, 0), squash=ry / rx
        )
        self.ellipse(cx, cy, rx, ry, fill, 1, turn)

    @contextmanager
    def blurred(self, deviation: float, opacity: float = 1.0) -> Iterator[None]:
        """Blur what is drawn inside, all together."""
        x0, y0, x1, y1 = self.box
        region = f'filterUnits="userSpaceOnUse" x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" '
        region += f'height="{y1 - y0:.1f}" color-interpolation-filters="sRGB"'
        name = self._define("filter", region, f'<feGaussianBlur stdDeviation="{deviation}"/>')
        self.body.append(f'<g filter="{name}" opacity="{opacity}">')
        yield
        self.body.append("</g>")

    @contextmanager
    def clipped(self, data: str) -> Iterator[None]:
        """Keep what is drawn inside to the inside of an outline."""
        with self.within([f'<path d="{data}"/>']):
            yield

    @contextmanager
    def within(self, shapes: Sequence[str]) -> Iterator[None]:
        """Keep what is drawn inside to the inside of shapes, which are elements of a drawing's body."""
        name = self._define("clipPath", "", "".join(shapes))
        self.body.append(f'<g clip-path="{name}">')
        yield
        self.body.append("</g>")


def markup(drawings: Sequence[Drawing], view: Box, width: int, height: int) -> str:
    """Return an SVG document of drawings over each other, showing `view` (x0, y0, x1, y1)."""
    defs = "".join("".join(d.defs) for d in drawings)
    body = "".join("".join(d.body) for d in drawings)
    x0, y0, x1, y1 = view
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="{x0:.4f} {y0:.4f} {x1 - x0:.4f} {y1 - y0:.4f}" preserveAspectRatio="none">'
        f"<defs>{defs}</defs>{body}</svg>"
    )


def _stops(stops: Sequence[Stop]) -> str:
    return "".join(
        f'<stop offset="{at:.3f}" stop-color="{colour}" stop-opacity="{alpha:.3f}"/>'
        for at, colour, alpha in stops
    )


def inside(ring: Float64Array, points: Float64Array) -> BoolArray:
    """Return which of `points` (n, 2) lie inside a closed outline (m, 2)."""
    x0, y0 = ring.T
    x1, y1 = np.roll(ring, -1, 0).T
    x, y = points[:, 0, None], points[:, 1, None]
    crossing = ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / np.where(y1 == y0, 1e-9, y1 - y0) + x0)
    found: BoolArray = crossing.sum(1) % 2 == 1
    return found
