"""Matting by MediaPipe's selfie segmentation: the embedded engine of stage 5."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from avatalk import models
from avatalk.compose.matting import Matting
from avatalk.compose.segmenter import Segmenter
from avatalk.errors import ModelUnavailable
from avatalk.events import Monitor
from avatalk.faces.litert import Network
from avatalk.media import Float32Array, UInt8Array
from avatalk.models.manifest import SELFIE

_SIDE = 256


class Selfie(Segmenter):
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

    def look(self, picture: UInt8Array) -> Float32Array:
        """See `Segmenter.look`; what it sees in a mirror counts as well, for two views err less than one."""
        small = np.asarray(cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)
        mirrored = self._run(small[:, ::-1])[:, ::-1]
        return np.asarray((self._run(small) + mirrored) / 2, np.float32)

    def _run(self, small: UInt8Array) -> Float32Array:
        (mask,) = self._network(np.asarray(small, np.float32)[None] * np.float32(1 / 255))
        return np.asarray(mask.reshape(_SIDE, _SIDE), np.float32)
