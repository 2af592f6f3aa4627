"""The inside of the mouth, drawn: a dark cavity, tongue, lower teeth on the jaw and upper teeth on the skull.

Sizes are those of an adult's teeth over an adult's eye distance (outer corners, about 90 mm; tooth widths
after Wheeler's Dental Anatomy), in face units; a narrow mouth gets smaller teeth. Colours come from the
photograph: the white of the eyes lights the teeth, the lips colour the tongue.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from avatalk.lipsync.warp_frame import (
    INNER_LOWER,
    INNER_UPPER,
    OUTER_LOWER,
    OUTER_UPPER,
    FaceFrame,
    FloatArray,
    smoothstep,
)
from avatalk.lipsync.warp_shapes import Mouth
from avatalk.media import Float32Array, UInt8Array

UPPER_WIDTHS = (
    0.092,
    0.072,
    0.074,
    0.060,
    0.050,
)  # from the midline: incisors, canine, premolars, foreshortened
LOWER_WIDTHS = (0.058, 0.062, 0.066, 0.058, 0.050)
UPPER_EDGE = 0.026  # of the upper incisors below the closed lips
LOWER_EDGE = 0.006  # of the lower incisors below the closed lips, jaw shut
TOOTH_HEIGHT = 0.115
TONGUE_TOP = -0.045  # of the tongue at rest, on the jaw
TONGUE_LIFT = 0.050  # of its tip when raised
USUAL_WIDTH = 0.55  # of a mouth, face units

REACH_U, REACH_UP, REACH_DOWN = 0.42, 0.16, 0.34  # of the layers around the middle of the mouth


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of the mouth as lit in the photograph, (3,) float64 RGB 0..255 each."""

    teeth: FloatArray
    tongue: FloatArray
    gum: FloatArray
    cavity: FloatArray

    @classmethod
    def of(cls, picture: UInt8Array, frame: FaceFrame) -> Palette:
        """Sample the photograph's lips, eye whites and cheeks."""
        lips = _inside(picture, frame, OUTER_UPPER + OUTER_LOWER[::-1], cut=INNER_UPPER + INNER_LOWER[::-1])
        lip = np.median(lips, axis=0) if len(lips) else np.array([150.0, 90, 85])
        white = _eye_white(picture, frame)
        light = white.mean()
        tint = white / max(light, 1.0)
        teeth = light * (0.6 * tint + 0.4) * np.array([1.12, 1.08, 1.00])
        flesh = 0.55 * lip + 0.45 * lip.mean() * np.array([1.25, 0.88, 0.87])
        return cls(
            teeth=np.clip(teeth, 40, 238),
            tongue=np.clip(0.80 * flesh, 0, 255),
            gum=np.clip(0.85 * flesh, 0, 255),
            cavity=np.clip(0.20 * lip * np.array([1.0, 0.72, 0.72]), 0, 60),
        )


def _inside(
    picture: UInt8Array, frame: FaceFrame, ring: tuple[int, ...], cut: tuple[int, ...] = ()
) -> FloatArray:
    """Pixels (n, 3) inside a ring of landmarks, without those of a second ring."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    for indices, value in ((ring, 1), (cut, 0)):
        if indices:
            corners = frame.to_pixels(frame.points[list(indices)])
            cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], (value,))
    return picture[mask > 0].astype(np.float64)


def _eye_white(picture: UInt8Array, frame: FaceFrame) -> FloatArray:
    """Colour of a white thing on this face: the brighter eye pixels, never darker than the bright skin."""
    eyes = [
        _inside(
            picture, frame, (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
        ),
        _inside(
            picture, frame, (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382)
        ),
    ]
    skin = _inside(picture, frame, (50, 205, 206, 2, 426, 425, 280, 6))
    bright = [_bright(pixels, 85) for pixels in (*eyes, skin) if len(pixels) > 3]
    if not bright:
        return np.array([190.0, 185, 178])
    best = max(bright, key=lambda colour: float(colour.mean()))
    grey = best.mean()
    return np.asarray(0.45 * best + 0.55 * grey * np.array([1.02, 1.0, 0.97]))


def _bright(pixels: FloatArray, percentile: float) -> FloatArray:
    luma = pixels.mean(axis=1)
    return np.asarray(pixels[luma >= np.percentile(luma, percentile)].mean(axis=0))


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the mouth is in one frame.

    Attributes:
        skull: (2, 3) float64 face units (at rest) → pixels of the patch, for what is fixed to the skull.
        upper: (n, 2) float64 inner contour of the upper lip, face units, left to right.
        lower: (n, 2) float64 that of the lower lip.
        jaw: how far the jaw has dropped, face units.
        tongue: 0 lying to 1 tip raised.
    """

    skull: FloatArray
    upper: FloatArray
    lower: FloatArray
    jaw: float
    tongue: float


class Interior:
    """Layers of the inside of one mouth, drawn once and placed per frame."""

    def __init__(self, picture: UInt8Array, frame: FaceFrame, mouth: Mouth) -> None:
        """Draw the layers for a photograph (height, width, 3) uint8 RGB."""
        self._palette = Palette.of(picture, frame)
        self._scale = float(min(2.0 * frame.unit, 500.0))  # texture pixels per face unit
        self._middle = mouth.closed[5]
        self._line = mouth.closed - self._middle
        width = float(mouth.closed[-1, 0] - mouth.closed[0, 0])
        self._size = float(np.clip(width / USUAL_WIDTH, 0.6, 1.3))
        columns, rows = (round(k * self._scale) for k in (2 * REACH_U, REACH_UP + REACH_DOWN))
        u = (np.arange(columns) + 0.5) / self._scale - REACH_U
        v = (np.arange(rows) + 0.5) / self._scale - REACH_UP
        sides = self._line[[0, -1], 0] / (0.5 * USUAL_WIDTH * self._size)
        turned = np.where(u < 0, u / max(-sides[0], 0.35), u / max(sides[1], 0.35))
        grid_u, grid_v = np.meshgrid(turned / self._size, v / self._size)
        self._soft = 0.75 / self._scale
        self._upper = self._teeth(grid_u, grid_v, UPPER_WIDTHS, UPPER_EDGE, 1.0)
        self._lower = self._teeth(grid_u, grid_v, LOWER_WIDTHS, LOWER_EDGE, -1.0)
        self._tongue = self._mound(grid_u, grid_v, 0.205, TONGUE_TOP, 1.0)
        self._tip = self._mound(grid_u, grid_v, 0.120, TONGUE_TOP + 0.01, 1.12)

    def _teeth(
        self, u: FloatArray, v: FloatArray, widths: tuple[float, ...], edge: float, down: float
    ) -> Float32Array:
        """One row of teeth, premultiplied RGBA 0..255 (alpha 0..1); `down` 1 upper, -1 lower."""
        far = np.abs(u)
        seams = np.concatenate([[0.0], np.cumsum(widths)])
        index = np.clip(np.searchsorted(seams, far, side="right") - 1, 0, len(widths) - 1)
        across = 2 * (far - seams[index]) / np.asarray(widths)[index] - 1  # -1..1 over each tooth
        lift = (
            np.array([0.0, 0.006, 0.001, 0.012, 0.020])[index]
            if down > 0
            else np.array([0, 0, -0.003, 0.004, 0.01])[index]
        )
        rounding = 0.010 * np.abs(across) ** 3.5
        depth = down * (edge - v) - lift - rounding - 0.12 * far**2  # from the cutting edge towards the gum
        gum_at = TOOTH_HEIGHT * (0.86 if down < 0 else 1.0) - 0.022 * np.abs(across) ** 2
        soft = self._soft / self._size
        inside = np.clip(depth / (2 * soft) + 0.5, 0, 1) * np.clip((seams[-1] - far) / 0.02, 0, 1)
        seam = np.exp(-(((1 - np.abs(across)) * np.asarray(widths)[index] / 2 / 0.0045) ** 2))
        light = (1 - 0.10 * across**2) * (1 - 0.20 * seam) * (0.86 + 0.14 * smoothstep(depth / 0.035))
        light *= np.clip(1.0 - (far / 0.40) ** 2, 0.12, 1)  # the arch turns away and into the shade
        warm = smoothstep((depth - 0.04) / 0.08)[..., None] * np.array([0.0, 0.03, 0.09])
        colour = self._palette.teeth * (1 - warm) * light[..., None]
        gum = smoothstep((depth - gum_at) / 0.012)[..., None]
        gum_light = np.clip(1.0 - (far / 0.42) ** 2, 0.12, 1)[..., None]
        colour = colour * (1 - gum) + gum * self._palette.gum * 0.8 * gum_light
        return _premultiplied(colour, inside)

    def _mound(
        self, u: FloatArray, v: FloatArray, half_width: float, top: float, light: float
    ) -> Float32Array:
        """The tongue: a soft hill with a groove, lit from the front."""
        shape = np.clip(1 - (u / half_width) ** 2, 0, 1)
        depth = v - top - 0.05 * (1 - np.sqrt(shape)) + 0.004 * np.exp(-((u / 0.02) ** 2)) * -1
        inside = np.clip(depth / 0.012, 0, 1) * smoothstep(shape / 0.2)
        shade = light * (0.30 + 0.70 * smoothstep(depth / 0.11)) * (0.6 + 0.4 * shape)
        shade *= 1 - 0.14 * np.exp(-((u / 0.014) ** 2))
        return _premultiplied(self._palette.tongue * shade[..., None], inside)

    def paint(self, pose: Pose, size: tuple[int, int]) -> tuple[Float32Array, Float32Array, Float32Array]:
        """Paint the patch.

        Args:
            pose: of this frame.
            size: height and width of the patch, pixels.

        Returns:
            (h, w, 3) float32 RGB 0..255 of the inside; (h, w) float32 cover 0..1 of upper and of lower lip.
        """
        height, width = size
        inverse = cv2.invertAffineTransform(pose.skull)
        ys, xs = np.mgrid[:height, :width].astype(np.float32)
        u = (inverse[0, 0] * xs + inverse[0, 1] * ys + inverse[0, 2]).astype(np.float32)
        v = (inverse[1, 0] * xs + inverse[1, 1] * ys + inverse[1, 2]).astype(np.float32)
        top, top_cover = _below(pose.upper, u, v, pose.skull)
        bottom, bottom_cover = _below(pose.lower, u, v, pose.skull)
        upper_lip, lower_lip = 1 - top_cover, np.minimum(bottom_cover, top_cover)

        left, right = pose.upper[0, 0], pose.upper[-1, 0]
        across = (2 * u - left - right) / max(right - left, 1e-3)
        gap = np.maximum(bottom - top, 0)
        colour = (
            self._palette.cavity.astype(np.float32)
            * (0.55 + 0.45 * np.exp(-np.maximum(bottom - v, 0) / 0.03))[..., None]
        )
        drop = pose.jaw
        for layer, shift in (
            (self._tongue, drop),
            (self._lower, drop),
            (
                self._tip if pose.tongue > 0 else None,
                drop - TONGUE_LIFT * pose.tongue - 0.6 * drop * pose.tongue,
            ),
            (self._upper, 0.0),
        ):
            if layer is not None:
                placed = self._place(layer, pose.skull, shift, size)
                colour = colour * (1 - placed[..., 3:]) + placed[..., :3]
        shade = 0.58 + 0.42 * smoothstep((v - top) / (0.015 + 0.15 * gap))
        shade *= 0.75 + 0.25 * smoothstep((bottom - v) / 0.025)
        shade *= 1 - 0.45 * np.clip(np.abs(across), 0, 1) ** 3
        return (colour * shade[..., None]).astype(np.float32), upper_lip, lower_lip

    def _place(
        self, layer: Float32Array, skull: FloatArray, shift: float, size: tuple[int, int]
    ) -> Float32Array:
        """Bring a layer to the patch, `shift` face units further down."""
        offset = self._middle - [REACH_U, REACH_UP - shift] + 0.5 / self._scale
        matrix = np.column_stack([skull[:, :2] / self._scale, skull[:, :2] @ offset + skull[:, 2]])
        return np.asarray(cv2.warpAffine(layer, matrix, size[::-1], flags=cv2.INTER_LINEAR), np.float32)


def _premultiplied(colour: FloatArray, alpha: FloatArray) -> Float32Array:
    return np.dstack([colour * alpha[..., None], alpha]).astype(np.float32)


def _below(
    curve: FloatArray, u: Float32Array, v: Float32Array, skull: FloatArray
) -> tuple[Float32Array, Float32Array]:
    """The curve's v above each pixel, and how much of the pixel lies below the curve (0..1)."""
    line = np.interp(u, curve[:, 0], curve[:, 1])
    slope = np.interp(u, curve[:, 0], np.gradient(curve[:, 1], curve[:, 0]), left=0.0, right=0.0)
    per_unit = float(np.hypot(*skull[:, 1]))
    cover = np.clip((v - line) * per_unit / np.sqrt(1 + slope**2) + 0.5, 0, 1)
    return line.astype(np.float32), cover.astype(np.float32)
