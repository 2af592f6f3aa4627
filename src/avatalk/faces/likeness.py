"""Whether two faces could be one person's, from what they look like at 32 × 32 pixels.

No recognition: enough to tell the speaker of a clip from somebody else in it, in the same light.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from avatalk.media import Face, Float32Array, UInt8Array

_SIDE = 32
_EYES, _MOUTH = (33, 263), (61, 291)
_REACH = 1.9  # half the side of the picture, in distances of the eyes
_SHADE = 30.0  # difference of skin colours, in units of CIELAB, that makes any two faces unlike


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What is compared.

    Attributes:
        shape: (32, 32) float32 lightness of the upright face, its mean 0 and its variance 1.
        shade: (2,) float32, its mean colour: a and b of CIELAB.
    """

    shape: Float32Array
    shade: Float32Array

    @classmethod
    def of(cls, picture: UInt8Array, face: Face) -> Looks:
        """Look at a face of a picture, (height, width, 3) uint8 RGB."""
        points = face.landmarks[:, :2]
        left, right = points[list(_EYES)]
        eyes, mouth = (left + right) / 2, points[list(_MOUTH)].mean(axis=0)
        run, rise = (float(value) for value in right - left)
        # On a face turned to a side the eyes come together; the way to the mouth stays.
        reach = _REACH * max(math.hypot(run, rise), float(np.linalg.norm(mouth - eyes)), 1.0)
        x, y = (float(value) for value in (eyes + mouth) / 2)
        height, width = picture.shape[:2]
        x0, x1 = (int(np.clip(x + sign * 1.5 * reach, 0, width)) for sign in (-1, 1))
        y0, y1 = (int(np.clip(y + sign * 1.5 * reach, 0, height)) for sign in (-1, 1))
        if min(x1 - x0, y1 - y0) < 2:
            return cls(np.zeros((_SIDE, _SIDE), np.float32), np.zeros(2, np.float32))
        shrink = max(1.0, reach / _SIDE)
        small_size = max(1, round((x1 - x0) / shrink)), max(1, round((y1 - y0) / shrink))
        small = cv2.resize(picture[y0:y1, x0:x1], small_size, interpolation=cv2.INTER_AREA)
        centre = ((x - x0) / shrink, (y - y0) / shrink)
        turn = cv2.getRotationMatrix2D(
            centre, math.degrees(math.atan2(rise, run)), _SIDE / 2 / (reach / shrink)
        )
        turn = turn + np.array([[0, 0, _SIDE / 2 - centre[0]], [0, 0, _SIDE / 2 - centre[1]]])
        crop = cv2.warpAffine(small, turn, (_SIDE, _SIDE), borderMode=cv2.BORDER_REPLICATE)
        lab = cv2.cvtColor(cv2.GaussianBlur(crop, (0, 0), 1.0), cv2.COLOR_RGB2LAB).astype(np.float32)
        light = lab[..., 0] - lab[..., 0].mean()
        shade = lab[_SIDE // 4 : -_SIDE // 4, _SIDE // 4 : -_SIDE // 4, 1:].mean(axis=(0, 1))
        return cls(light / max(float(light.std()), 1.0), np.asarray(shade, np.float32))


def likeness(a: Looks, b: Looks) -> float:
    """Return 1 for the same picture, mostly above 0.8 for the same person, mostly below 0.5 for others."""
    return float((a.shape * b.shape).mean()) - float(np.linalg.norm(a.shade - b.shade)) / _SHADE


def glance(picture: UInt8Array, face: Face) -> Float32Array:
    """Return the lightness at the landmarks, (478,) float32 of mean 0 and length 1: `Looks` for a hurry.

    The product of two of them stays near 1 from one frame to the next and falls where the clip is cut.
    """
    height, width = picture.shape[:2]
    places = face.landmarks[:, :2].astype(np.int64)
    colours = picture[places[:, 1].clip(0, height - 1), places[:, 0].clip(0, width - 1)]
    values = colours.astype(np.float32).mean(axis=1)
    values -= values.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-3), np.float32)
