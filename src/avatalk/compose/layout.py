"""The shape of the video, and where a picture lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import cv2
import numpy as np

from avatalk.media import Face, UInt8Array

# Canvas by aspect and quality, for drawn avatars and for pictures that are put into another shape.
_SHORT_SIDE = {"draft": 360, "standard": 720, "high": 1080}
_RATIO = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1)}
# A picture keeps its own resolution up to this.
_LONGEST, _SHORTEST = 1920, 1080
_DRAFT_LONGEST = 960


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture of some size laid on a canvas of `width` × `height` pixels (both even).

    Attributes:
        width: of the canvas.
        height: of the canvas.
        scale: canvas pixels per picture pixel.
        x: left edge of the picture on the canvas, pixels.
        y: top edge of the picture on the canvas, pixels.
    """

    width: int
    height: int
    scale: float = 1.0
    x: int = 0
    y: int = 0

    def move(self, face: Face) -> Face:
        """The same face, from pixels of the picture to pixels of the canvas."""
        at = np.array([self.x, self.y, 0], np.float32)
        landmarks = (face.landmarks * np.float32(self.scale) + at).astype(np.float32)
        return Face(self._moved(face.box), landmarks, face.score)

    def move_box(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """The same box of whole pixels, from the picture to the canvas."""
        x0, y0, x1, y1 = map(round, self._moved(box))
        return x0, y0, x1, y1

    def _moved(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = (edge * self.scale + (self.x, self.y)[k % 2] for k, edge in enumerate(box))
        return x0, y0, x1, y1


@dataclass(frozen=True, slots=True)
class MovedFaces(Sequence[Face | None]):
    """Faces of a clip on the canvas, each moved when it is asked for: a track may be long."""

    layout: Layout
    faces: Sequence[Face | None]

    def __len__(self) -> int:
        """Number of source frames."""
        return len(self.faces)

    @overload
    def __getitem__(self, index: int) -> Face | None: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Face | None]: ...

    def __getitem__(self, index: int | slice) -> Face | Sequence[Face | None] | None:
        """Return one face, or those of a range."""
        if isinstance(index, slice):
            return MovedFaces(self.layout, self.faces[index])
        face = self.faces[index]
        return None if face is None else self.layout.move(face)


def canvas_size(aspect: str, quality: str) -> tuple[int, int]:
    """Width and height of the canvas for an aspect of its own (``source`` means 16:9 here)."""
    across, down = _RATIO.get(aspect, (16, 9))
    unit = _SHORT_SIDE[quality] / min(across, down)
    return round(across * unit / 2) * 2, round(down * unit / 2) * 2


def even(size: tuple[int, int]) -> tuple[int, int]:
    """The smallest size of even sides that holds `size`: H.264 stores colour at half resolution."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def lay_out(width: int, height: int, size: tuple[int, int] | None, aspect: str, quality: str) -> Layout:
    """Place a picture of `width` × `height` whole on its canvas; it is never cropped.

    Args:
        width: of the picture, pixels.
        height: of the picture, pixels.
        size: of the canvas, if the request gives one.
        aspect: of the request.
        quality: of the request.
    """
    if size is None and aspect == "source":
        longest = _DRAFT_LONGEST if quality == "draft" else _LONGEST
        scale = min(1.0, longest / max(width, height), longest * _SHORTEST / _LONGEST / min(width, height))
        inner = max(2, round(width * scale)), max(2, round(height * scale))
        return Layout(*even(inner), scale)
    canvas = even(size or canvas_size(aspect, quality))
    scale = min(canvas[0] / width, canvas[1] / height)
    x = (canvas[0] - round(width * scale)) // 2
    y = (canvas[1] - round(height * scale)) // 2
    return Layout(*canvas, scale, x, y)


def place(picture: UInt8Array, layout: Layout) -> UInt8Array:
    """Lay `picture` on its canvas; what it leaves free is filled from its own blurred edges.

    Args:
        picture: (height, width, 3) uint8 RGB.
        layout: from `lay_out` for this picture's size.

    Returns:
        (layout.height, layout.width, 3) uint8 RGB.
    """
    height, width = picture.shape[:2]
    inner = round(width * layout.scale), round(height * layout.scale)
    if inner != (width, height):
        # Area averaging shrinks without moiré, Lanczos enlarges without blur.
        how = cv2.INTER_AREA if layout.scale < 1 else cv2.INTER_LANCZOS4
        picture = np.asarray(cv2.resize(picture, inner, interpolation=how), np.uint8)
    right, below = layout.width - layout.x - inner[0], layout.height - layout.y - inner[1]
    if max(layout.x, layout.y, right, below) <= 1:
        return _bordered(picture, layout.y, below, layout.x, right)
    canvas = _blurred_cover(picture, layout.width, layout.height)
    canvas[layout.y : layout.y + inner[1], layout.x : layout.x + inner[0]] = picture
    return canvas


def _bordered(picture: UInt8Array, top: int, below: int, left: int, right: int) -> UInt8Array:
    if not (top or below or left or right):
        return picture
    return np.asarray(cv2.copyMakeBorder(picture, top, below, left, right, cv2.BORDER_REPLICATE), np.uint8)


def _blurred_cover(picture: UInt8Array, width: int, height: int) -> UInt8Array:
    """`picture` enlarged to cover the canvas, softened and dimmed so that the eye stays on the person."""
    small_w, small_h = max(2, width // 16), max(2, height // 16)
    scale = max(small_w / picture.shape[1], small_h / picture.shape[0])
    inner = max(small_w, round(picture.shape[1] * scale)), max(small_h, round(picture.shape[0] * scale))
    small = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)
    x, y = (inner[0] - small_w) // 2, (inner[1] - small_h) // 2
    small = cv2.GaussianBlur(small[y : y + small_h, x : x + small_w], (0, 0), 2.5)
    cover = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.convertScaleAbs(cover, alpha=0.72), np.uint8)
