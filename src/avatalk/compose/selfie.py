"""Matting by MediaPipe's selfie segmentation: the embedded engine of stage 5."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from avatalk import models
from avatalk.compose.layers import premultiplied
from avatalk.compose.matting import Matting
from avatalk.errors import FaceError, ModelUnavailable
from avatalk.events import Monitor
from avatalk.faces.litert import Network
from avatalk.media import Float32Array, UInt8Array
from avatalk.models.manifest import SELFIE

_SIDE = 256


class Selfie(Matting):
    """Needs no GPU; the network takes about a millisecond."""

    name: ClassVar[str] = "selfie"

    def __init__(self, monitor: Monitor) -> None:
        try:
            self._network = Network((models.install("selfie", monitor) / SELFIE).read_bytes())
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelUnavailable(
                "The selfie segmentation cannot be read.",
                hint="Fetch it anew: avatalk models remove selfie, then avatalk models install selfie.",
                stage="compose",
            ) from error

    @classmethod
    def configured(cls, device: str, monitor: Monitor) -> Matting:  # noqa: ARG003 - runs on any processor
        """See `Matting.configured`."""
        return cls(monitor)

    def cut(self, picture: UInt8Array) -> UInt8Array:
        """See `Matting.cut`."""
        coarse = self._coarse(picture)
        if float(coarse.max()) < 0.5:
            raise FaceError(
                "Nobody is found whose background could be changed.",
                hint="Use a picture of a person, or leave out --background.",
                stage="compose",
                field="background",
            )
        height, width = picture.shape[:2]
        alpha = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        alpha = np.clip((alpha - 0.3) / 0.5, 0, 1)
        return premultiplied(picture, np.asarray(alpha * 255 + 0.5, np.uint8))

    def _coarse(self, picture: UInt8Array) -> Float32Array:
        """(256, 256) float32, 0..1: how sure the network is that a person is there."""
        small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        (mask,) = self._network(np.asarray(small, np.float32)[None] / np.float32(255))
        return np.asarray(mask.reshape(_SIDE, _SIDE), np.float32)
