"""The face's own coordinate frame, landmark index sets and small helpers shared by the animator's parts.

Everything that moves is described in *face units*: one unit is the eye distance, u points to the picture's
right along the line of the eyes, v down along the face, the origin is the middle of the closed mouth. So a
rolled, small or large face needs no special case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.media import Face, Float32Array

FloatArray = npt.NDArray[np.float64]
AnyArray = npt.NDArray[Any]
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, the last two exclusive."""

# MediaPipe face mesh indices. The lip contours run from the picture's left corner to its right corner.
INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)  # fmt: skip


def resample(picture: AnyArray, where: Float32Array, smooth: bool = True) -> AnyArray:
    """Read `picture` at the pixels `where` (h, w, 2): bicubic, or bilinear; its rim is repeated outside."""
    method = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    out: AnyArray = cv2.remap(picture, where, None, method, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload,unused-ignore]
    return out


@dataclass(frozen=True, slots=True)
class FaceFrame:
    """A similarity between face units and pixels (centre of the top left pixel at 0, 0, as OpenCV counts).

    Attributes:
        origin: (2,) float64 pixel of the middle of the mouth.
        axes: (2, 2) float64, rows are the unit vectors u and v in the picture.
        unit: pixels per face unit.
        points: (478, 2) float64 landmarks in face units.
        depth: (478,) float64 landmarks' z in face units, smaller is nearer.
    """

    origin: FloatArray
    axes: FloatArray
    unit: float
    points: FloatArray
    depth: FloatArray

    @classmethod
    def of(cls, face: Face) -> FaceFrame:
        """Build the frame of `face`; a face turned aside keeps its size, as its height counts too."""
        pixels = face.landmarks[:, :2].astype(np.float64) - 0.5
        height = float(np.linalg.norm(pixels[152] - pixels[10]))
        unit = max(face.eye_distance, 0.5 * height)
        cos, sin = np.cos(face.roll), np.sin(face.roll)
        axes = np.array([[cos, sin], [-sin, cos]])
        origin = pixels[[13, 14]].mean(axis=0)
        points = (pixels - origin) @ axes.T / unit
        return cls(origin, axes, unit, points, face.landmarks[:, 2].astype(np.float64) / unit)

    def to_face(self, pixels: FloatArray) -> FloatArray:
        """Pixels (..., 2) to face units."""
        return np.asarray((pixels - self.origin) @ (self.axes.T / self.unit))

    def to_pixels(self, points: FloatArray) -> FloatArray:
        """Face units (..., 2) to pixels."""
        return np.asarray(points @ (self.axes * self.unit) + self.origin)

    def vectors_to_pixels(self, vectors: FloatArray) -> FloatArray:
        """Displacements (..., 2) in face units to displacements in pixels."""
        return np.asarray(vectors @ (self.axes * self.unit))


class Grid:
    """A coarse lattice over a rectangle of the picture; node (i, j) is the centre of a cell of pixels.

    Smooth fields live on it; `upsample` brings them to the pixels. Columns and rows are whole cells, so that
    the lattice may reach past the picture's right and lower edge.

    Attributes:
        x: left edge of the rectangle, pixels.
        y: upper edge.
        cell: pixels per cell, both ways.
        nodes: (rows, columns, 2) float32 pixel position of every node.
        pixels: (rows * cell, columns * cell, 2) float32 position of every pixel.
    """

    def __init__(self, low: FloatArray, high: FloatArray, cell: int, width: int, height: int) -> None:
        """Cover the part of the rectangle from `low` to `high` that lies inside `width` x `height` pixels."""
        self.cell = cell
        self.x, self.y = (max(0, int(np.floor(edge))) for edge in low)
        right, bottom = min(width, int(np.ceil(high[0]))), min(height, int(np.ceil(high[1])))
        columns, rows = max(1, -(-(right - self.x) // cell)), max(1, -(-(bottom - self.y) // cell))
        self._index = _lattice(columns, rows)
        self.pixels = _lattice(columns * cell, rows * cell) + np.array([self.x, self.y], np.float32)
        self.nodes = (self._index + np.float32(0.5)) * np.float32(cell) + np.array(
            [self.x - 0.5, self.y - 0.5], np.float32
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.nodes.shape[0], self.nodes.shape[1]

    def sample(self, field: Float32Array, pixels: Float32Array) -> Float32Array:
        """Read `field` (rows, columns, channels) bilinearly at `pixels` (h, w, 2), its rim outside."""
        return resample(field, self._index_of(pixels), smooth=False)

    def _index_of(self, pixels: Float32Array) -> Float32Array:
        corner = np.array([self.x - 0.5, self.y - 0.5], np.float32) / np.float32(self.cell) + np.float32(0.5)
        return np.asarray(pixels * np.float32(1 / self.cell) - corner)

    @property
    def box(self) -> Box:
        """The rectangle."""
        return self.x, self.y, self.x + self.pixels.shape[1], self.y + self.pixels.shape[0]

    def upsample(self, field: Float32Array, box: Box) -> Float32Array:
        """Bring a displacement (rows, columns, 2) to the pixels of `box` (within the rectangle's).

        Returns:
            (y1 - y0, x1 - x0, 2) float32: pixel plus displacement.
        """
        x0, y0, x1, y1 = box[0] - self.x, box[1] - self.y, box[2] - self.x, box[3] - self.y
        rows, columns = self.shape
        left, top = max(x0 // self.cell - 1, 0), max(y0 // self.cell - 1, 0)
        right, bottom = min(-(-x1 // self.cell) + 1, columns), min(-(-y1 // self.cell) + 1, rows)
        size = ((right - left) * self.cell, (bottom - top) * self.cell)
        large = cv2.resize(field[top:bottom, left:right], size, interpolation=cv2.INTER_LINEAR)
        dx, dy = left * self.cell, top * self.cell
        return np.asarray(large[y0 - dy : y1 - dy, x0 - dx : x1 - dx] + self.pixels[y0:y1, x0:x1], np.float32)

    def inverse(self, field: Float32Array, rounds: int) -> Float32Array:
        """Backward displacement of a forward one: b with b(y) = -field(y + b(y)), by fixed-point iteration.

        Args:
            field: (rows, columns, 2) float32 forward displacement at the nodes, pixels.
            rounds: iterations; the error shrinks by the field's steepness each time.
        """
        cells = field * np.float32(1 / self.cell)
        came = cells
        for _ in range(rounds):
            came = resample(cells, self._index - came, smooth=False)
        return np.asarray(came * np.float32(-self.cell))


def _lattice(columns: int, rows: int) -> Float32Array:
    """(rows, columns, 2) float32 whose entries are (column, row)."""
    return np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32)


def smoothstep(x: AnyArray) -> AnyArray:
    """0 below 0, 1 above 1, 3x² - 2x³ between."""
    x = np.clip(x, 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x))


def smooth_curve(points: FloatArray, samples: int = 8) -> FloatArray:
    """A Catmull-Rom curve through `points` (n, 2), `samples` per stretch: ((n - 1) * samples + 1, 2)."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = (np.arange(samples) / samples)[None, :, None]
    p0, p1, p2, p3 = (padded[k : len(padded) - 3 + k, None, :] for k in range(4))
    body = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return np.vstack([body.reshape(-1, 2), points[-1:]])


def border_ramp(grid: Grid, width: int, height: int, reach: float) -> Float32Array:
    """(rows, columns) on a lattice: 1 from `reach` pixels inside the picture, 0 at its outermost pixels."""
    x, y = np.moveaxis(grid.nodes, -1, 0)
    nearest = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y))
    # A node less than a cell from the edge still shines on the edge's pixels, so it has to be 0 itself.
    return np.asarray(smoothstep((nearest - grid.cell) / reach), np.float32)
