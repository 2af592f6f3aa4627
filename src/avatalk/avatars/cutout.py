"""Pictures of persons without a background: premultiplied RGBA."""

from __future__ import annotations

import cv2
import numpy as np

from avatalk.media import UInt8Array


def laid(layer: UInt8Array, ground: UInt8Array) -> UInt8Array:
    """Return a premultiplied RGBA layer on an RGB ground of its size."""
    rest = cv2.merge([255 - layer[..., 3]] * 3)
    under = cv2.multiply(ground, rest, scale=1 / 255)
    return np.asarray(cv2.add(under, cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB)), np.uint8)


def premultiplied(picture: UInt8Array, alpha: UInt8Array) -> UInt8Array:
    """Return (height, width, 4) uint8 premultiplied RGBA of an RGB picture and its alpha, 0 to 255."""
    merged = cv2.merge([*cv2.split(picture), alpha])
    return np.asarray(cv2.cvtColor(merged, cv2.COLOR_RGBA2mRGBA), np.uint8)
