"""Laying pictures over each other, frame by frame. RGBA is premultiplied everywhere in here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from avatalk.avatars.cutout import laid
from avatalk.avatars.photo import load_layer
from avatalk.compose.wish import Overlay
from avatalk.errors import UnreadableFile
from avatalk.media import UInt8Array

_MARGIN = 0.03  # of the shorter side, between an overlay and the edges


def before(grounds: Iterator[UInt8Array], frames: Iterator[UInt8Array]) -> Iterator[UInt8Array]:
    """Yield every frame, (height, width, 4) premultiplied RGBA, on its ground, (height, width, 3) RGB."""
    for ground, frame in zip(grounds, frames, strict=True):
        yield laid(frame, ground)


class OverlayLayer:
    """A logo or the like in a corner of every frame.

    Args:
        overlay: as the request says it.
        width: of the canvas, pixels.
        height: of the canvas, pixels.

    Raises:
        UnreadableFile: its file cannot be used.
    """

    def __init__(self, overlay: Overlay, width: int, height: int) -> None:
        try:
            picture = load_layer(Path(overlay.path))
        except UnreadableFile as error:
            raise UnreadableFile(error.message, hint=error.hint, stage="compose", field="overlay") from error
        own_height, own_width = picture.shape[:2]
        scale = min(overlay.width * width / own_width, 0.9 * height / own_height)
        size = max(1, round(own_width * scale)), max(1, round(own_height * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        self._layer = np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
        margin = round(_MARGIN * min(width, height))
        right, below = width - size[0] - margin, height - size[1] - margin
        x = {"left": margin, "right": right}.get(overlay.corner.partition("-")[2], (width - size[0]) // 2)
        y = {"top": margin, "bottom": below}.get(overlay.corner.partition("-")[0], (height - size[1]) // 2)
        self._part = (slice(max(y, 0), max(y, 0) + size[1]), slice(max(x, 0), max(x, 0) + size[0]))

    def over(self, frame: UInt8Array, index: int) -> UInt8Array:  # noqa: ARG002 - the same in every frame
        """Lay it over a frame, (height, width, 3) RGB or (height, width, 4) premultiplied RGBA, in place."""
        part = frame[self._part]
        rest = cv2.merge([255 - self._layer[..., 3]] * part.shape[2])
        layer = self._layer[..., : part.shape[2]]
        part[:] = cv2.add(cv2.multiply(part, rest, scale=1 / 255), np.ascontiguousarray(layer))
        return frame

    def traces(self, start: int, stop: int) -> Iterator[bytes]:  # noqa: ARG002 - the same in every frame
        """See `avatalk.scene.Layer.traces`."""
        return iter(())
