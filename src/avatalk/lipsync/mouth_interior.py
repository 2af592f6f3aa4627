"""The inside of the mouth in one frame: its layers placed by skull and jaw, shaded by lips and depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from avatalk.lipsync.mouth_layers import Layers
from avatalk.lipsync.mouth_palette import Palette, blur_of
from avatalk.lipsync.warp_frame import FaceFrame, FloatArray, smoothstep
from avatalk.lipsync.warp_shapes import Mouth
from avatalk.media import Float32Array, UInt8Array

TONGUE_LIFT = 0.050  # of its tip when raised, face units
SHADOW = np.array([0.85, 1.05, 1.08], np.float32)  # the mouth's shadows are red: lips and gums light them
SEAM = 0.008  # width of the dark line between lips that were photographed apart


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the mouth is in one frame.

    Attributes:
        skull: (2, 3) float64 face units (at rest) → pixels of the patch, for what is fixed to the skull.
        upper: (n, 2) float64 inner contour of the upper lip, face units, left to right.
        lower: (n, 2) float64 that of the lower lip.
        jaw: how far the jaw has dropped, face units.
        tongue: 0 lying to 1 tip raised.
        pout: 0 to 1 lips pushed out, which leaves the teeth further back in the dark.
    """

    skull: FloatArray
    upper: FloatArray
    lower: FloatArray
    jaw: float
    tongue: float
    pout: float


class Interior:
    """The inside of one mouth, drawn once and placed per frame."""

    def __init__(self, picture: UInt8Array, frame: FaceFrame, mouth: Mouth) -> None:
        """Draw the layers for a photograph (height, width, 3) uint8 RGB."""
        palette = Palette.of(picture, frame)
        self._blur = blur_of(picture, frame)
        self._layers = Layers.of(picture, frame, mouth, palette, self._blur)
        self._cavity = palette.cavity.astype(np.float32)
        self._seam = 0.45 if mouth.was_open else 0.0

    def paint(self, pose: Pose, above: UInt8Array, below: UInt8Array) -> UInt8Array:
        """Put lips and inside together.

        Args:
            pose: of this frame.
            above: (h, w, 3) uint8 the patch with the upper lip, good above its contour.
            below: (h, w, 3) uint8 the patch with the lower lip, good below its contour.

        Returns:
            (h, w, 3) uint8 the finished patch.
        """
        inverse = cv2.invertAffineTransform(pose.skull)
        ys, xs = np.mgrid[: above.shape[0], : above.shape[1]].astype(np.float32)
        u, v = (row[0] * xs + row[1] * ys + row[2] for row in inverse.astype(np.float32))
        soft = self._blur / float(np.hypot(*pose.skull[:, 1]))
        top, under_upper = _below(pose.upper, u, v, soft)
        bottom, under_lower = _below(pose.lower, u, v, soft)
        under_lower = np.minimum(under_lower, under_upper)
        gap = np.maximum(bottom - top, 0)

        inside = self._inside(pose, v, bottom, above.shape[:2])
        left, right = pose.upper[0, 0], pose.upper[-1, 0]
        across = np.clip(np.abs(2 * u - left - right) / max(right - left, 1e-3), 0, 1)
        shade = 0.68 + 0.32 * smoothstep((v - top) / (0.015 + 0.15 * gap))
        shade *= 0.80 + 0.20 * smoothstep((bottom - v) / 0.025)
        shade *= (1 - 0.45 * across**3) * (1 - 0.25 * pose.pout)
        shade *= 0.50 + 0.50 * smoothstep(gap / 0.06)  # little light gets in through a slit

        lips = above * (1 - under_upper)[..., None] + below * under_lower[..., None]
        if self._seam:
            line = (
                np.exp(-(((v - top) / SEAM) ** 2))
                * (1 - smoothstep(gap / 0.03))
                * smoothstep((1 - across) / 0.2)
            )
            lips *= (1 - self._seam * line)[..., None]
        inside *= shade[..., None] ** SHADOW
        patch = lips + inside * (under_upper - under_lower)[..., None]
        return np.asarray(np.rint(np.clip(patch, 0, 255)), np.uint8)

    def _inside(
        self, pose: Pose, v: Float32Array, bottom: Float32Array, size: tuple[int, int]
    ) -> Float32Array:
        """Cavity, tongue and teeth over each other, (h, w, 3) float32."""
        layers, jaw = self._layers, pose.jaw
        glow = 0.55 + 0.45 * np.exp(-np.maximum(bottom - v, 0) / np.float32(0.04))
        colour = self._cavity * glow[..., None]
        stack = [(layers.tongue, jaw), (layers.lower, jaw), (layers.upper, 0.0)]
        if pose.tongue > 0:
            stack.insert(2, (layers.tip, jaw - pose.tongue * (TONGUE_LIFT + 0.6 * jaw)))
        for layer, shift in stack:
            placed = self._place(layer, pose.skull, shift, size)
            colour = colour * (1 - placed[..., 3:]) + placed[..., :3]
        return np.asarray(colour, np.float32)

    def _place(
        self, layer: Float32Array, skull: FloatArray, shift: float, size: tuple[int, int]
    ) -> Float32Array:
        """Bring a layer to the patch, `shift` face units further down."""
        corner = self._layers.corner + np.array([0.0, shift])
        matrix = np.column_stack([skull[:, :2] / self._layers.scale, skull[:, :2] @ corner + skull[:, 2]])
        return np.asarray(cv2.warpAffine(layer, matrix, size[::-1], flags=cv2.INTER_LINEAR), np.float32)


def _below(
    curve: FloatArray, u: Float32Array, v: Float32Array, soft: float
) -> tuple[Float32Array, Float32Array]:
    """The curve's v at each pixel, and how much of the pixel lies below it, 0..1 over a width of `soft`."""
    line = np.interp(u, curve[:, 0], curve[:, 1])
    slope = np.interp(u, curve[:, 0], np.gradient(curve[:, 1], curve[:, 0]), left=0.0, right=0.0)
    cover = np.clip((v - line) / (soft * np.sqrt(1 + slope**2)) + 0.5, 0, 1)
    return line.astype(np.float32), cover.astype(np.float32)
