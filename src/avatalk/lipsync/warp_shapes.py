"""The face's blendshapes: what each viseme parameter does to lips, jaw and cheeks, as smooth fields.

A shape is written down at about a hundred control landmarks, in face units (eye distances), and spread
over the skin by a thin-plate spline (Duchon 1977; Bookstein 1989). Between the lips the skin is cut: the
*upper* sheet carries everything but the lower lip, the *lower* sheet everything but the upper lip. Past
the corners of the mouth both are one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from avatalk.lipsync.warp_frame import (
    FACE_OVAL,
    INNER_LOWER,
    INNER_UPPER,
    OUTER_LOWER,
    OUTER_UPPER,
    AnyArray,
    FaceFrame,
    FloatArray,
    Grid,
    border_ramp,
    resample,
    smoothstep,
)
from avatalk.media import Float32Array, UInt8Array

SHAPES = ("rest", "open", "closed", "wide", "round", "teeth", "brow")
"""`rest` closes the mouth of a photograph that shows teeth; then the visemes; then the brows."""

LIP_GAP = 0.170  # between the lips at open = 1: about 0.09 of the face height
UPPER_RISE = 0.034  # the part of it that the upper lip does
JAW_DROP = 0.105  # of the lower teeth at open = 1; the lower lip goes further than the bone
BROW_RISE = 0.037  # 2 % of the face height
REACH = 0.42  # how far past the face oval skin still moves, to 0
PUCKERED = 0.19  # half the width of a rounded mouth
EDGE_LOSS = 0.010  # of the lips of a mouth photographed open
UPPER_TRAVEL = 0.085  # of the upper lip at most when it closes over bared teeth
SHUT = 0.022  # a photographed gap below this is a closed mouth

# Skin that speech leaves alone: nose, eyes and what lies above the cheekbones.
STILL = (
    *(1, 4, 6, 168, 2, 98, 327, 129, 358, 64, 294, 48, 278),
    *(50, 280, 117, 346, 118, 347, 116, 345, 123, 352, 127, 356, 234, 454, 162, 389, 21, 251),
    *(33, 133, 362, 263, 145, 374, 159, 386, 160, 158, 385, 387, 144, 153, 380, 373),
    *(246, 466, 173, 398, 130, 359),
)  # fmt: skip
FOREHEAD = (10, 67, 297, 54, 284, 103, 332, 109, 338)
BROWS = (46, 53, 52, 65, 55, 276, 283, 282, 295, 285, 70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
ABOVE_BROWS = (151, 108, 337, 69, 299, 104, 333, 68, 298, 9)
JAW = (93, 323, 132, 361, 58, 288, 172, 397, 136, 365, 150, 379, 149, 378, 176, 400, 148, 377, 152)
CHIN = (18, 200, 199, 83, 313, 201, 421, 194, 418, 182, 406, 208, 428, 32, 262, 140, 369, 171, 396, 175)


@dataclass(frozen=True, slots=True)
class Mouth:
    """The lips of the photograph, in face units; every array is (11, 2) float64 from left to right corner.

    Attributes:
        upper: inner contour of the upper lip.
        lower: inner contour of the lower lip.
        closed: the line on which they meet when shut.
        across: (11,) position along the mouth, -1 at the left corner, 0 in the middle, 1 at the right corner.
        was_open: whether the photograph shows a gap, so that it has to be closed at rest.
    """

    upper: FloatArray
    lower: FloatArray
    closed: FloatArray
    across: FloatArray
    was_open: bool

    @classmethod
    def of(cls, frame: FaceFrame, picture: UInt8Array) -> Mouth:
        """Read the lips off the landmarks, and the line of shut lips off the photograph."""
        upper, lower = frame.points[list(INNER_UPPER)], frame.points[list(INNER_LOWER)]
        gap = lower[:, 1] - upper[:, 1]
        was_open = bool(gap[3:8].mean() > SHUT)
        # Shut lips touch up to the outer corners, where the inner contour of the mesh does not quite reach.
        ends = frame.points[[OUTER_UPPER[0], OUTER_UPPER[-1]]]
        for contour in (upper, lower):
            contour[[0, -1]] += (0.2 if was_open else 1.1) * (ends - contour[[0, -1]])
        # Lips meet in the middle; further down when teeth are bared, but the upper one goes only so far.
        down = min(0.62, UPPER_TRAVEL / max(float(gap[5]), 1e-3)) if was_open else 0.5
        closed = upper + down * (lower - upper)
        closed[:, 0] = np.maximum.accumulate(closed[:, 0] + 1e-4 * np.arange(len(closed)))
        if not was_open:
            closed[:, 1] += _dark_line(frame, picture, closed)
        middle = closed[5, 0]
        left, right = middle - closed[0, 0], closed[-1, 0] - middle
        offset = closed[:, 0] - middle
        across = np.clip(np.where(offset < 0, offset / max(left, 1e-3), offset / max(right, 1e-3)), -1, 1)
        if was_open:  # a little of the lips' edge is given up, since teeth shine through there
            lost = max(EDGE_LOSS, 1.2 / frame.unit)
            loss = np.stack([np.zeros(11), lost * gap_profile(across)], axis=1)
            upper, lower = upper - loss, lower + 1.6 * loss
        else:
            upper = lower = closed
        return cls(upper, lower, closed, across, was_open)


def _dark_line(frame: FaceFrame, picture: UInt8Array, line: FloatArray) -> FloatArray:
    """How far (11,) below the landmarks' line the dark line of shut lips really runs, face units.

    The landmarks are a pixel or two off, and lips cut beside their line would each keep a rim of the other.
    The darkest path that stays near the landmarks and bends little is found by dynamic programming.
    """
    offsets = np.linspace(-0.030, 0.030, 25)
    u = np.linspace(line[0, 0], line[-1, 0], 41)
    v = np.interp(u, line[:, 0], line[:, 1])
    places = np.stack(np.broadcast_arrays(u[:, None], v[:, None] + offsets), axis=-1)
    luma = resample(picture, frame.to_pixels(places).astype(np.float32)).astype(np.float64).mean(axis=2)
    contrast = max(float(np.ptp(luma)), 20.0)
    darkness = luma / contrast + 0.4 * (offsets / 0.030) ** 2
    bend = 0.15 * (np.arange(25)[:, None] - np.arange(25)[None, :]) ** 2
    cost, came_from = darkness[0], []
    for row in darkness[1:]:
        total = cost[None, :] + bend
        came_from.append(np.argmin(total, axis=1))
        cost = row + total.min(axis=1)
    path = [int(np.argmin(cost))]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    found = np.convolve(np.pad(offsets[path[::-1]], 2, "edge"), np.ones(5) / 5, "valid")
    return np.interp(line[:, 0], u, found)


def gap_profile(across: FloatArray) -> FloatArray:
    """How the gap between the lips thins from the middle (1) to the corners (0)."""
    return np.asarray((1 - across**2) ** 0.65)


class _Controls:
    """Control points of one sheet and, for each shape, where they go (face units)."""

    def __init__(self, frame: FaceFrame, mouth: Mouth, lower: bool) -> None:
        self.frame, self.mouth, self.lower = frame, mouth, lower
        self.at: list[FloatArray] = []
        self.to: list[FloatArray] = []
        self._lips()
        self._skin()

    def _add(self, points: FloatArray, **shapes: FloatArray) -> None:
        moves = np.zeros((len(points), len(SHAPES), 2))
        for name, move in shapes.items():
            moves[:, SHAPES.index(name)] = move
        self.at.append(points)
        self.to.append(moves)

    def _lips(self) -> None:
        """Inner contour with its corners, then outer contour without."""
        mouth, points = self.mouth, self.frame.points
        inner = mouth.lower if self.lower else mouth.upper
        outer = points[list(OUTER_LOWER if self.lower else OUTER_UPPER)]
        thickness = np.abs(outer[:, 1] - inner[:, 1])
        t, f = mouth.across, gap_profile(mouth.across)
        side = mouth.closed[:, 0] - mouth.closed[5, 0]  # towards the corners, shorter on a turned side
        close = mouth.closed - inner if mouth.was_open else np.zeros_like(inner)
        sag = 0.028 * t**2  # the corners come down a little with the jaw
        pucker = np.clip(1 - 2 * PUCKERED / np.ptp(mouth.closed[:, 0]), 0.26, 0.42)
        flat = np.mean(mouth.closed[:, 1]) - mouth.closed[:, 1]  # what straightens a smile
        sign = 1.0 if self.lower else -1.0
        part = (LIP_GAP - UPPER_RISE) if self.lower else UPPER_RISE

        def move(du: FloatArray, dv: FloatArray) -> FloatArray:
            return np.stack(np.broadcast_arrays(du, dv), axis=1)

        for points_, rim in ((inner, 0.0), (outer[1:-1], 1.0)):
            cut = slice(1, -1) if rim else slice(None)
            s, g, a, h = side[cut], f[cut], t[cut], thickness[cut]
            # For f and v the lower lip's rim rolls in under the teeth, and the upper lip bares them.
            lift = (0.018 if rim else 0.0075) if self.lower else 0.022
            self._add(
                points_,
                rest=close[cut] * (1.0 - 0.25 * rim),
                open=move(-0.06 * s, sign * part * g * (1 - 0.1 * rim) + sag[cut] + 0.2 * flat[cut]),
                closed=move(-0.03 * s, -sign * 0.28 * h * rim),
                wide=move(0.12 * s, -0.012 * a**2 - sign * 0.12 * h * rim),
                round=move(-pucker * s, 0.014 * g + 0.5 * flat[cut] + sign * rim * (0.004 + 0.16 * h)),
                teeth=move(0.02 * s, -lift * g),
            )

    def _skin(self) -> None:
        """Jaw and chin follow the lower lip; nose, eyes and all past the face stay; brows move alone."""
        points = self.frame.points
        chin_v = max(points[152, 1], 0.3)
        drop = LIP_GAP - UPPER_RISE
        close_up = float((self.mouth.closed - self.mouth.lower)[5, 1]) if self.mouth.was_open else 0.0

        jaw = points[list(JAW)]
        share = 0.64 * smoothstep(jaw[:, 1] / chin_v)
        self._add(jaw, open=_down(drop * share), rest=_down(0.5 * close_up * share))
        chin = points[list(CHIN)] if self.lower else points[[152, 175, 171, 396]]
        share = 0.64 + 0.22 * (1 - smoothstep(chin[:, 1] / chin_v))
        self._add(chin, open=_down(drop * share), rest=_down(0.5 * close_up * share))

        self._add(points[list(STILL)])
        self._add(points[list(FOREHEAD)], brow=_down(np.full(len(FOREHEAD), -0.15 * BROW_RISE)))
        self._add(points[list(ABOVE_BROWS)], brow=_down(np.full(len(ABOVE_BROWS), -0.6 * BROW_RISE)))
        self._add(points[list(BROWS)], brow=_down(np.full(len(BROWS), -BROW_RISE)))
        oval = points[list(FACE_OVAL)]
        centre = points[:468].mean(axis=0)
        outward = oval - centre
        self._add(oval + REACH * outward / np.linalg.norm(outward, axis=1, keepdims=True))


def _down(amount: FloatArray) -> FloatArray:
    return np.stack([np.zeros_like(amount), amount], axis=1)


def _kernel(a: AnyArray, b: AnyArray) -> AnyArray:
    """r² log r of the thin-plate spline for every pair of points."""
    square = (a[:, None, 0] - b[None, :, 0]) ** 2
    square += (a[:, None, 1] - b[None, :, 1]) ** 2
    return np.asarray(0.5 * square * np.log(np.maximum(square, 1e-12)))


def spread(at: FloatArray, values: FloatArray, where: FloatArray, stiffness: float = 1e-4) -> FloatArray:
    """Thin-plate spline through `values` (n, k) given `at` (n, 2), read at `where` (m, 2): (m, k).

    Args:
        at: control points, face units.
        values: what to interpolate there.
        where: points to evaluate.
        stiffness: smoothing; 0 interpolates exactly.
    """
    n = len(at)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _kernel(at, at) + stiffness * np.eye(n)
    system[:n, n] = system[n, :n] = 1.0
    system[:n, n + 1 :] = at
    system[n + 1 :, :n] = at.T
    right = np.vstack([values, np.zeros((3, values.shape[1]))])
    weights = np.linalg.solve(system, right)
    near = _kernel(where.astype(np.float32), at.astype(np.float32)) @ weights[:n].astype(np.float32)
    return np.asarray(near + weights[n] + where @ weights[n + 1 :])


@dataclass(frozen=True, slots=True)
class ShapeFields:
    """The blendshapes of one face as forward displacements in pixels, on a lattice over the face.

    Attributes:
        grid: the lattice.
        upper: shape name → (rows, columns, 2) float32, valid above the lips' line and past the corners.
        lower: likewise, valid below it.
        lips: shape name → (2, 11, 2) float64 displacement of the inner contours, upper and lower, face units,
            read off the same fields, so that what is drawn between the lips meets them.
        below: (rows, columns) float32, 1 on nodes below the closed lips' line, 0 above, soft past corners.
    """

    grid: Grid
    upper: dict[str, Float32Array]
    lower: dict[str, Float32Array]
    lips: dict[str, FloatArray]
    below: Float32Array

    @classmethod
    def of(cls, frame: FaceFrame, mouth: Mouth, width: int, height: int) -> ShapeFields:
        """Spread the shapes over the face in a picture of `width` x `height`."""
        oval = frame.to_pixels(frame.points[list(FACE_OVAL)])
        reach = REACH * frame.unit
        cell = max(2, round(frame.unit / 32))
        low, high = oval.min(axis=0) - reach - cell, oval.max(axis=0) + reach + cell
        grid = Grid(low, high, cell, width, height)
        uv = frame.to_face(grid.nodes.reshape(-1, 2).astype(np.float64))
        mask = _falloff(grid, oval, reach) * border_ramp(grid, width, height, 0.25 * frame.unit)

        sheets = []
        for is_lower in (False, True):
            controls = _Controls(frame, mouth, is_lower)
            moves = np.concatenate(controls.to)
            spread_moves = spread(np.concatenate(controls.at), moves.reshape(len(moves), -1), uv)
            sheets.append(spread_moves.reshape(*grid.shape, len(SHAPES), 2) * mask[..., None, None])

        beside, below = _past_corners(uv, mouth)
        beside, below = beside.reshape(*grid.shape, 1, 1), below.reshape(*grid.shape, 1, 1)
        common = sheets[0] + below * (sheets[1] - sheets[0])
        fields = [
            frame.vectors_to_pixels(sheet + beside * (common - sheet)).astype(np.float32) for sheet in sheets
        ]
        upper, lower = (
            {name: np.ascontiguousarray(f[:, :, k]) for k, name in enumerate(SHAPES)} for f in fields
        )
        contour = frame.to_pixels(np.stack([mouth.upper, mouth.lower])).astype(np.float32)
        to_units = frame.axes.T / frame.unit
        lips: dict[str, FloatArray] = {}
        for name in SHAPES:
            per_lip = [
                grid.sample(sheet[name], contour[k][None])[0] for k, sheet in enumerate((upper, lower))
            ]
            lips[name] = np.stack(per_lip).astype(np.float64) @ to_units
            lips[name][:, [0, -1]] = lips[name][:, [0, -1]].mean(axis=0)
        return cls(grid, upper, lower, lips, below.reshape(grid.shape).astype(np.float32))


def _falloff(grid: Grid, oval: FloatArray, reach: float) -> FloatArray:
    """1 inside the face oval, smoothly to exactly 0 at `reach` pixels from it."""
    inside = np.zeros(grid.shape, np.uint8)
    corners = (oval - [grid.x, grid.y] + 0.5) / grid.cell - 0.5
    cv2.fillPoly(inside, [np.round(corners).astype(np.int32)], (1,))
    distance = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_5).astype(np.float64) * grid.cell
    return smoothstep(1 - (distance - grid.cell) / (reach - grid.cell))


def _past_corners(uv: FloatArray, mouth: Mouth) -> tuple[FloatArray, FloatArray]:
    """For points (n, 2): 0 between the corners to 1 past them; 0 above the lips' line to 1 below."""
    u, v = uv[:, 0], uv[:, 1]
    line = np.interp(u, mouth.closed[:, 0], mouth.closed[:, 1])
    outside = np.maximum(mouth.closed[0, 0] - u, u - mouth.closed[-1, 0])
    beside = smoothstep(outside / 0.10)
    softness = 0.01 + 0.12 * beside
    return beside, smoothstep(0.5 + (v - line) / (2 * softness))
