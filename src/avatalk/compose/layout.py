"""The shape of the video, and where a picture lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
# Of the canvas: height of the head, width of the face, room above the head.
_FRAMES = {"bust": (0.58, 0.45, 0.07), "head": (0.86, 0.62, 0.05)}
_CROWN = 0.9  # of the height from the brows to the chin, from the brows to the top of the hair
_ENLARGED = 1.35  # at most, to fill the canvas
_WIDEST, _TALLEST = 0.8, 0.92  # of the canvas, a face and a head at most


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


def frame_person(layout: Layout, width: int, height: int, face: Face, close: str, *, alone: bool) -> Layout:
    """Move and enlarge a picture on its canvas so that the person stands well in it.

    The head has a fixed share of the canvas and some room above; the face is never cut. Where the picture
    ends below, so does the canvas: nobody floats.

    Args:
        layout: whose canvas is kept.
        width: of the picture, pixels.
        height: of the picture, pixels.
        face: in pixels of the picture; in a clip, where it is seen first.
        close: ``bust`` or ``head``.
        alone: whether the person is cut out, so that what the picture leaves free is not its own.
    """
    tall, wide, room = _FRAMES[close]
    x0, y0, x1, y1 = face.box  # from the brows to the chin: the head is higher
    top = y0 - _CROWN * (y1 - y0)
    scale = min(tall * layout.height / (y1 - top), wide * layout.width / (x1 - x0))
    # Not smaller than needed for the picture to reach from the head's room to the lower edge.
    scale = max(scale, (1 - 2 * room) * layout.height / max(height - top, 1.0))
    if not alone:  # rather a somewhat larger person than strips beside the picture
        covering = max(layout.width / width, layout.height / height)
        scale = max(scale, min(covering, _ENLARGED * scale))
    scale = min(scale, _WIDEST * layout.width / (x1 - x0), _TALLEST * layout.height / (y1 - top))
    y = round(room * layout.height - top * scale)
    y = max(y, layout.height - round(height * scale))
    if not alone and round(height * scale) >= layout.height:
        y = min(y, 0)  # the crown was a guess: what the picture shows above the face is enough
    x = round(layout.width / 2 - (x0 + x1) / 2 * scale)
    if round(width * scale) >= layout.width:  # show picture rather than nothing, where there is enough of it
        x = min(max(x, layout.width - round(width * scale)), 0)
    return Layout(layout.width, layout.height, scale, x, y)


def stand(layout: Layout, height: int) -> Layout:
    """The same layout with the picture on the lower edge: somebody cut out of it must not float."""
    return replace(layout, y=max(layout.y, layout.height - round(height * layout.scale)))


def cover(layout: Layout, width: int, height: int) -> Layout:
    """The same canvas with the picture enlarged about its centre, if needed, until it leaves nothing free.

    Args:
        layout: of the picture.
        width: of the picture, pixels.
        height: of the picture, pixels.
    """
    inner = round(width * layout.scale), round(height * layout.scale)
    right, bottom = layout.x + inner[0], layout.y + inner[1]
    if max(layout.x, layout.y, layout.width - right, layout.height - bottom) <= 1:
        return layout
    scale = max(layout.scale, layout.width / width, layout.height / height)
    inner = round(width * scale), round(height * scale)
    x = min(max((layout.x + right - inner[0]) // 2, layout.width - inner[0]), 0)
    y = min(max((layout.y + bottom - inner[1]) // 2, layout.height - inner[1]), 0)
    return replace(layout, scale=scale, x=x, y=y)


def place(picture: UInt8Array, layout: Layout) -> UInt8Array:
    """Lay `picture` on its canvas, or as much of it as fits there.

    Args:
        picture: (height, width, 3) uint8 RGB, or (height, width, 4) premultiplied RGBA.
        layout: from `lay_out` for this picture's size.

    Returns:
        (layout.height, layout.width, channels) uint8. What the picture leaves free is filled from its own
        blurred edges; with RGBA it stays empty.
    """
    height, width = picture.shape[:2]
    inner = round(width * layout.scale), round(height * layout.scale)
    left, top = max(layout.x, 0), max(layout.y, 0)
    right, bottom = min(layout.x + inner[0], layout.width), min(layout.y + inner[1], layout.height)
    shown = _shown(picture, layout, (left, top, right, bottom), inner)
    free = top, layout.height - bottom, left, layout.width - right
    if max(free) <= 1:
        return _bordered(shown, *free)
    if picture.shape[2] == 4:
        return np.asarray(cv2.copyMakeBorder(shown, *free, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0)), np.uint8)
    canvas = _blurred_cover(picture, layout.width, layout.height)
    canvas[top:bottom, left:right] = shown
    return canvas


def _shown(
    picture: UInt8Array, layout: Layout, seen: tuple[int, int, int, int], inner: tuple[int, int]
) -> UInt8Array:
    """The part of the scaled picture that lies on the canvas, between left, top, right and bottom there."""
    left, top, right, bottom = seen
    height, width = picture.shape[:2]
    if inner != (width, height):
        # Area averaging shrinks without moiré, Lanczos enlarges without blur.
        how = cv2.INTER_AREA if layout.scale < 1 else cv2.INTER_LANCZOS4
        if (right - left, bottom - top) == inner:
            return np.asarray(cv2.resize(picture, inner, interpolation=how), np.uint8)
        # Only what is seen is scaled, with a rim for the filter: a face may be a small part of a picture.
        rim = 8
        x0, x1 = (min(max(int((at - layout.x) / layout.scale), 0), width) for at in (left, right))
        y0, y1 = (min(max(int((at - layout.y) / layout.scale), 0), height) for at in (top, bottom))
        x0, y0, x1, y1 = max(x0 - rim, 0), max(y0 - rim, 0), min(x1 + rim, width), min(y1 + rim, height)
        part = picture[y0:y1, x0:x1]
        ends = [(round(a * layout.scale), round(b * layout.scale)) for a, b in ((x0, x1), (y0, y1))]
        size = ends[0][1] - ends[0][0], ends[1][1] - ends[1][0]
        picture = np.asarray(cv2.resize(part, size, interpolation=how), np.uint8)
        x, y = left - layout.x - ends[0][0], top - layout.y - ends[1][0]
    else:
        x, y = left - layout.x, top - layout.y
    return picture[y : y + bottom - top, x : x + right - left]


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
