"""Colours of the inside of the mouth, as the photograph's own light would show them."""

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
)
from avatalk.media import UInt8Array

EYE_RINGS = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382),
)
CHEEKS = (50, 205, 206, 2, 426, 425, 280, 6)


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of the mouth, (3,) float64 RGB 0..255 each.

    Attributes:
        teeth: enamel in full light.
        tongue: its lit middle.
        gum: in full light.
        cavity: the dark at the back.
    """

    teeth: FloatArray
    tongue: FloatArray
    gum: FloatArray
    cavity: FloatArray

    @classmethod
    def of(cls, picture: UInt8Array, frame: FaceFrame) -> Palette:
        """Sample the photograph's lips, eye whites and cheeks."""
        lips = inside(picture, frame, OUTER_UPPER + OUTER_LOWER[::-1], INNER_UPPER + INNER_LOWER[::-1])
        lip = np.median(lips, axis=0) if len(lips) else np.array([150.0, 90, 85])
        flesh = 0.5 * lip + 0.5 * lip.mean() * np.array([1.36, 0.80, 0.80])
        return cls(
            teeth=np.clip(1.08 * white(picture, frame), 40, 240),
            tongue=np.clip(0.92 * flesh, 0, 255),
            gum=np.clip(0.80 * flesh, 0, 255),
            cavity=np.clip(0.30 * lip * [1.0, 0.52, 0.52], 0, 70),
        )


def inside(
    picture: UInt8Array, frame: FaceFrame, ring: tuple[int, ...], hole: tuple[int, ...] = ()
) -> FloatArray:
    """Pixels (n, 3) inside a ring of landmarks, without those inside a second ring."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    for indices, value in ((ring, 1), (hole, 0)):
        if indices:
            corners = frame.to_pixels(frame.points[list(indices)])
            cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], (value,))
    return picture[mask > 0].astype(np.float64)


def white(picture: UInt8Array, frame: FaceFrame) -> FloatArray:
    """What a white thing looks like on this face, (3,) RGB.

    The brighter pixels of the eyes, or of the skin where those are in shadow or behind dark glasses; nearly
    neutral, since skin is not.
    """
    places = [inside(picture, frame, ring) for ring in (*EYE_RINGS, CHEEKS)]
    bright = [_brighter(pixels, 85) for pixels in places if len(pixels) > 3]
    if not bright:
        return np.array([190.0, 185.0, 178.0])
    best = max(bright, key=lambda colour: float(colour.mean()))
    return np.asarray(0.25 * best + 0.75 * best.mean() * np.array([1.03, 1.0, 0.94]))


def _brighter(pixels: FloatArray, percentile: float) -> FloatArray:
    luma = pixels.mean(axis=1)
    return np.asarray(pixels[luma >= np.percentile(luma, percentile)].mean(axis=0))


def blur_of(picture: UInt8Array, frame: FaceFrame) -> float:
    """How soft the photograph is at the face: about the width of its edges in pixels, 1 (sharp) to 4.

    The more detail there is, the more of it a blur takes away; an enlarged or defocused picture has less to
    lose. What is drawn into the photograph has to be as soft as it is.
    """
    pixels = frame.to_pixels(frame.points[:468])
    x0, y0 = np.maximum(pixels.min(axis=0), 0).astype(int)
    x1, y1 = np.maximum(pixels.max(axis=0), 0).astype(int)
    if x1 - x0 < 16 or y1 - y0 < 16:
        return 1.0
    face = cv2.cvtColor(np.ascontiguousarray(picture[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, coarse = (
        float(np.abs(cv2.Laplacian(cv2.GaussianBlur(face, (0, 0), sigma), cv2.CV_32F)).mean())
        for sigma in (0.7, 1.5)
    )
    # Measured on portraits at their own size and enlarged: 2.3 sharp, 1.95 enlarged twice, 1.6 three times.
    return float(np.clip(1.0 + (2.3 - fine / max(coarse, 1e-3)) / 0.36, 1.0, 4.0))
