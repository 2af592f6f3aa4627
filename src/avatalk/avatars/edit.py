"""What is done to every source picture before anything else: smaller, turned, cropped."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from avatalk.errors import BadInput
from avatalk.media import UInt8Array


@dataclass(frozen=True, slots=True)
class Edit:
    """Applied in this order, as Wav2Lip's own options are.

    Attributes:
        shrink: divide both sides by this.
        turn: by 90 degrees, clockwise.
        crop: top, bottom, left, right in pixels of the turned picture; -1 is its end; None keeps it whole.
    """

    shrink: int = 1
    turn: bool = False
    crop: tuple[int, int, int, int] | None = None

    def __call__(self, picture: UInt8Array) -> UInt8Array:
        """Return the edited picture, (height, width, 3) uint8 RGB or premultiplied RGBA with four channels.

        Raises:
            BadInput: nothing would be left of it.
        """
        if self.shrink > 1:
            size = picture.shape[1] // self.shrink, picture.shape[0] // self.shrink
            if min(size) < 1:
                raise _nothing_left("resize_factor")
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        if self.turn:
            picture = np.ascontiguousarray(np.rot90(picture, -1))
        if self.crop is not None:
            height, width = picture.shape[:2]
            top, bottom, left, right = self.crop
            bottom, right = (bottom if bottom >= 0 else height), (right if right >= 0 else width)
            picture = np.ascontiguousarray(picture[max(top, 0) : bottom, max(left, 0) : right])
            if min(picture.shape[:2]) < 1:
                raise _nothing_left("crop")
        return picture


def _nothing_left(field: str) -> BadInput:
    return BadInput(
        f"With this {field}, nothing is left of the picture.",
        hint="A crop is top, bottom, left, right in pixels, such as 0 -1 0 -1.",
        stage="avatar",
        field=field,
    )
