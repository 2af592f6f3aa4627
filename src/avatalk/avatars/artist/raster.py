"""From sheets of vector art to pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import resvg_py

from avatalk.avatars.artist.brush import Floats
from avatalk.avatars.artist.face import Sheet
from avatalk.avatars.artist.svg import Box, Drawing, markup
from avatalk.media import UInt8Array
from avatalk.workspace import kept_or_made

_COARSE = 4.2  # head units between the samples of shading: it is blurred, so that is enough


@dataclass(frozen=True, slots=True)
class View:
    """Where the bust stands on the canvas.

    Attributes:
        scale: pixels per head unit.
        eye_x: pixels from the left edge to the point between the eyes.
        eye_y: pixels from the top edge to it.
        left: first column that the bust may touch.
        top: first row likewise.
        width: of the part of the canvas that the bust may touch.
        height: likewise; it reaches the bottom of the canvas.
    """

    scale: float
    eye_x: float
    eye_y: float
    left: int
    top: int
    width: int
    height: int

    def pixels(self, box: Box) -> tuple[int, int, int, int]:
        """Return x0, y0, x1, y1 of the part's pixels that a box in head units touches."""
        dx, dy = self.eye_x - self.left, self.eye_y - self.top
        x0, y0 = math.floor(box[0] * self.scale + dx), math.floor(box[1] * self.scale + dy)
        x1, y1 = math.ceil(box[2] * self.scale + dx), math.ceil(box[3] * self.scale + dy)
        return max(x0, 0), max(y0, 0), min(x1, self.width), min(y1, self.height)

    def units(self, x0: int, y0: int, x1: int, y1: int) -> Box:
        """Return a box of the part's pixels in head units."""
        dx, dy = self.eye_x - self.left, self.eye_y - self.top
        return (x0 - dx) / self.scale, (y0 - dy) / self.scale, (x1 - dx) / self.scale, (y1 - dy) / self.scale


def place(width: int, height: int, close: float = 1.0) -> View:
    """Stand a bust on a canvas of any shape: headroom above, shoulders in, the head as large as is seemly.

    Args:
        width: of the canvas, pixels.
        height: likewise.
        close: enlargement of the person, 1 to 2.
    """
    scale = close * min(0.535 * height / 412, 0.66 * width / 412)
    eye_x, eye_y = width / 2, max(0.445 * height, 0.0)
    if height > 1.2 * width:
        eye_y = 0.40 * height
    eye_y = max(eye_y, 262 * scale)  # the crown stays in the picture
    left = max(int(eye_x - 500 * scale), 0)
    right = min(int(eye_x + 500 * scale) + 1, width)
    top = max(int(eye_y - 310 * scale), 0)
    return View(scale, eye_x, eye_y, left, top, right - left, height - top)


def paint_sheets(sheets: Sequence[Sheet], view: View) -> UInt8Array:
    """Rasterise sheets and lay them over each other.

    Returns:
        (view.height, view.width, 4) uint8 RGBA, premultiplied.
    """
    picture = np.zeros((view.height, view.width, 4), np.uint8)
    coarse = max(round(_COARSE * view.scale), 1)
    for sheet in sheets:
        x0, y0, x1, y1 = view.pixels(sheet.shape.box)
        if x1 <= x0 or y1 <= y0:
            continue
        part = picture[y0:y1, x0:x1]
        window = (x0, y0, x1, y1)
        if not sheet.shading.body:
            _lay(part, _raster([sheet.shape, sheet.detail], view, window, 1))
            continue
        shape = _raster([sheet.shape], view, window, 1)
        _lay(shape, _raster([sheet.shading], view, window, coarse), atop=True)
        _lay(part, shape)
        if sheet.detail.body:
            _lay(part, _raster([sheet.detail], view, window, 1))
    return picture


def _raster(
    drawings: Sequence[Drawing], view: View, window: tuple[int, int, int, int], coarse: int
) -> UInt8Array:
    """Rasterise drawings over each other: the pixels of a window, RGBA, premultiplied."""
    x0, y0, x1, y1 = window
    width, height = x1 - x0, y1 - y0
    w, h = -(-width // coarse), -(-height // coarse)
    units = view.units(x0, y0, x0 + w * coarse, y0 + h * coarse)
    png = kept_or_made("drawn", markup(drawings, units, w, h), _png)
    decoded = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
    pixels = cv2.cvtColor(cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA), cv2.COLOR_RGBA2mRGBA)
    if coarse > 1:
        pixels = cv2.resize(pixels, (w * coarse, h * coarse), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(pixels[:height, :width], np.uint8)


def _png(svg: str) -> bytes:
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))


def _lay(ground: UInt8Array, layer: UInt8Array, *, atop: bool = False) -> None:
    """Lay a premultiplied layer on another, in place; `atop` keeps it inside what is already there."""
    x, y, w, h = cv2.boundingRect(layer[..., 3])
    if not w:
        return
    part, over = ground[y : y + h, x : x + w], layer[y : y + h, x : x + w]
    rest = cv2.merge([255 - over[..., 3]] * 4)
    if atop:
        over = np.asarray(cv2.multiply(over, cv2.merge([part[..., 3]] * 4), scale=1 / 255))
    alpha = part[..., 3].copy()
    part[:] = cv2.add(cv2.multiply(part, rest, scale=1 / 255), over)
    if atop:
        part[..., 3] = alpha


def sample(picture: UInt8Array, places: Floats) -> UInt8Array:
    """Look up a picture between its pixels; beyond its edge the edge goes on.

    Args:
        picture: (height, width, 4) uint8.
        places: (rows, columns, 2) float32: x, y in pixels of the picture, the first pixel's centre at 0, 0.

    Returns:
        (rows, columns, 4) uint8.
    """
    nothing: Any = None  # the second map, which the stubs of OpenCV 4 and 5 want though it is optional
    found = cv2.remap(picture, places, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.uint8)
