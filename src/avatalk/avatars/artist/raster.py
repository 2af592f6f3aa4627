"""From sheets of vector art to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import resvg_py

from avatalk.avatars.artist.face import Sheet
from avatalk.avatars.artist.svg import Drawing
from avatalk.media import UInt8Array

_COARSE = 4  # blurred shading needs no more than every fourth pixel


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

    def box(self) -> tuple[float, float, float, float]:
        """Return that part in head units: x, y, width, height."""
        return (
            (self.left - self.eye_x) / self.scale,
            (self.top - self.eye_y) / self.scale,
            self.width / self.scale,
            self.height / self.scale,
        )


def place(width: int, height: int) -> View:
    """Stand a bust on a canvas of any shape: headroom above, shoulders in, the head as large as is seemly."""
    scale = min(0.535 * height / 412, 0.66 * width / 412)
    eye_x, eye_y = width / 2, max(0.445 * height, 0.0)
    if height > 1.2 * width:
        eye_y = 0.40 * height
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
    for sheet in sheets:
        shape = _raster(sheet.shape, view, 1)
        if sheet.shading.body:
            light = _raster(sheet.shading, view, _COARSE)
            _lay(shape, light, atop=True)
        _lay(picture, shape)
        if sheet.detail.body:
            _lay(picture, _raster(sheet.detail, view, 1))
    return picture


def _raster(drawing: Drawing, view: View, coarse: int) -> UInt8Array:
    size = view.width, view.height
    small = -(-size[0] // coarse), -(-size[1] // coarse)
    x, y, _, _ = view.box()
    reach = (x, y, small[0] * coarse / view.scale, small[1] * coarse / view.scale)
    png = resvg_py.svg_to_bytes(svg_string=drawing.markup(reach, *small), skip_system_fonts=True)
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)
    pixels = cv2.cvtColor(pixels, cv2.COLOR_RGBA2mRGBA)
    if coarse > 1:
        whole = cv2.resize(pixels, (small[0] * coarse, small[1] * coarse), interpolation=cv2.INTER_CUBIC)
        pixels = np.ascontiguousarray(whole[: size[1], : size[0]])
    return pixels


def _lay(ground: UInt8Array, layer: UInt8Array, *, atop: bool = False) -> None:
    """Lay a premultiplied layer on another, in place; `atop` keeps it inside what is already there."""
    x, y, w, h = cv2.boundingRect(layer[..., 3])
    if not w:
        return
    part, layer = ground[y : y + h, x : x + w], layer[y : y + h, x : x + w]
    rest = cv2.merge([255 - layer[..., 3]] * 4)
    if atop:
        layer = cv2.multiply(layer, cv2.merge([part[..., 3]] * 4), scale=1 / 255)
    alpha = part[..., 3].copy()
    part[:] = cv2.add(cv2.multiply(part, rest, scale=1 / 255), layer)
    if atop:
        part[..., 3] = alpha
