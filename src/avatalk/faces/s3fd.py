"""Boxes of faces by S3FD, the detector that Wav2Lip was trained behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np

from avatalk import models
from avatalk.events import Monitor
from avatalk.faces.s3fd_decode import decode
from avatalk.media import Float32Array, UInt8Array
from avatalk.models import runtime
from avatalk.models.manifest import S3FD

if TYPE_CHECKING:
    from torch import nn

SIDE = 480
"""Longer side, in pixels, of the copy that is looked at first: faces from 16 pixels of it up are seen."""
FINER_SIDE = 1280
"""Where that shows no face."""
_MEAN = np.array([104, 117, 123], np.float32)


class S3fd:
    """Finds the boxes of faces, forehead to chin, upright or turned, in pictures of any size.

    Args:
        checkpoint: ``s3fd-619a316812.pth`` or its tensors in any form of `avatalk.models.checkpoints`.
        device: one of `avatalk.models.runtime.DEVICES`.
        precision: ``"f32"``, ``"bf16"`` or ``"f16"``; None is the fastest that the device has.

    Raises:
        UnreadableFile: the checkpoint is missing, damaged or another model's.
        EngineUnavailable: a package or the device is missing.
    """

    name: ClassVar[str] = "s3fd"

    def __init__(self, checkpoint: Path, device: str = "auto", precision: str | None = None) -> None:
        self._checkpoint = checkpoint
        self._device = runtime.choose_device(device)
        self._precision = precision or runtime.fastest_precision(self._device)
        self._network: runtime.Network | None = None
        self._size: tuple[int, ...] = ()
        if self._device == "cpu":
            self._path = convert(checkpoint, Monitor())

    @classmethod
    def configured(cls, device: str, monitor: Monitor) -> S3fd:
        """Return the detector with the installed weights, or those that can be fetched.

        Raises:
            ModelUnavailable: the weights are not here and cannot be fetched.
            CannotRun: their licence forbids the use, or has yet to be accepted.
        """
        checkpoint = models.path("s3fd", S3FD, monitor)
        if runtime.choose_device(device) == "cpu":
            convert(checkpoint, monitor)
        return cls(checkpoint, device)

    @property
    def runs_on(self) -> str:
        """Device, precision and library, for the result."""
        return runtime.describe(self._device, self._precision)

    def find_boxes(self, picture: UInt8Array, side: int = SIDE) -> Float32Array:
        """Return the faces of a picture: (n, 5) float32, x0, y0, x1, y1 in its pixels and score, best first.

        Args:
            picture: (height, width, 3) uint8 RGB.
            side: the picture is looked at in a copy whose longer side is not longer than this, pixels.
        """
        height, width = picture.shape[:2]
        shrink = min(1.0, side / max(height, width))
        if shrink < 1.0:
            size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        image = np.ascontiguousarray((picture - _MEAN).transpose(2, 0, 1)[None])
        maps = self._network_for(image.shape[2:])(image)
        boxes = decode([one[0] for one in maps])
        scale = np.array([width / picture.shape[1], height / picture.shape[0]] * 2, np.float32)
        boxes[:, :4] *= scale
        return boxes

    def best_box(self, picture: UInt8Array) -> tuple[int, int, int, int] | None:
        """Return the surest face as the original does: cut off at 0, whole pixels; None if there is none.

        A picture in which no face is seen is looked at again in a finer copy.
        """
        boxes = self.find_boxes(picture)
        if not len(boxes) and max(picture.shape) > SIDE:
            boxes = self.find_boxes(picture, FINER_SIDE)
        if not len(boxes):
            return None
        x0, y0, x1, y1 = (int(max(0.0, edge)) for edge in boxes[0, :4])
        return x0, y0, x1, y1

    def _network_for(self, size: tuple[int, ...]) -> runtime.Network:
        """Return the network for pictures of a height and width; the last one is kept."""
        if self._network is None or (self._size != size and self._device == "cpu"):
            self._size = size
            if self._device == "cpu":
                self._network = runtime.openvino_network(
                    self._path, [(1, 3, *size)], self._precision, alone=True
                )
            else:
                net = _load(self._checkpoint).to(device=self._device, dtype=runtime.require("torch").float16)
                self._network = runtime.torch_network(net, self._device)
        return self._network


def convert(checkpoint: Path, monitor: Monitor) -> Path:
    """Return where the fast form of the weights lies; it is made if it is not there.

    Args:
        checkpoint: in any form of `avatalk.models.checkpoints`.
        monitor: told when there is something to do.

    Raises:
        UnreadableFile: the checkpoint is missing, damaged or another model's.
        EngineUnavailable: PyTorch, which reads it, is missing.
    """
    path = runtime.converted(checkpoint, "s3fd.xml")
    if not path.exists():
        monitor.report("face", message=f"Converting {checkpoint.name}, once")
        net = _load(checkpoint)
        runtime.convert(net, [runtime.require("torch").zeros(1, 3, 256, 256)], path)
    return path


def _load(checkpoint: Path) -> nn.Module:
    # Imported here: once converted, the network starts without PyTorch, whose import takes seconds.
    runtime.require("torch")
    from avatalk.faces.s3fd_net import S3fdNet
    from avatalk.models.checkpoints import load_weights

    net = S3fdNet().eval()
    load_weights(net, checkpoint, "s3fd")
    return net
