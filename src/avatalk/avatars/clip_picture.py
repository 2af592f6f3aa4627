"""From a decoded frame of a clip to an upright picture: colour, turn and shape of pixels."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream

from avatalk.media import UInt8Array

_HIGH_RANGE = (16, 18)  # ITU-T H.273, transfer characteristics: PQ and HLG
# ITU-T H.273, matrix coefficients, to swscale's numbers, which are not named in every PyAV.
_BT709, _BT601 = 1, 5
_MATRICES = {1: _BT709, 4: 4, 5: _BT601, 6: _BT601, 7: 7, 9: 9, 10: 9}
# swscale's flags likewise. Without full chroma and accurate rounding the results are darker by one level;
# planes, then merged, are twice as fast.
_BICUBIC, _POINT = 0x4, 0x10
_EXACT = 0x2000 | 0x40000


class Turn(NamedTuple):
    """What puts a stored frame upright: rows and columns exchanged, then left and right, top and bottom."""

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @classmethod
    def of(cls, frame: VideoFrame) -> Turn:
        """Read the display matrix (ISO/IEC 14496-12, tkhd): quarter turns and mirrorings, no others."""
        known: Any = frame.side_data  # a mapping by type; its annotations say otherwise
        if SideData.DISPLAYMATRIX not in known:
            return cls()
        matrix = np.frombuffer(bytes(known[SideData.DISPLAYMATRIX]), np.int32)
        a, b, c, d = (int(matrix[k]) for k in (0, 1, 3, 4))
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)


def has_high_range(stream: VideoStream) -> bool:
    """Whether the colours are PQ's or HLG's, once a frame has been decoded."""
    return int(stream.codec_context.color_trc) in _HIGH_RANGE


def square_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Width and height with square pixels, before the turn."""
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or Fraction(1)
    if not Fraction(1, 4) <= aspect <= 4:
        aspect = Fraction(1)
    return max(1, round(frame.width * aspect)), frame.height


class Painter:
    """Makes upright RGB pictures of one size from decoded frames."""

    def __init__(self, size: tuple[int, int], turn: Turn) -> None:
        self._size = size[::-1] if turn.transposed else size
        self._turn = turn
        self._scaler = VideoReformatter()

    def paint(self, frame: VideoFrame) -> UInt8Array:
        """Return a frame as (height, width, 3) uint8 RGB."""
        width, height = self._size
        same = (frame.width, frame.height) == self._size
        matrix = _matrix(frame)
        planes = self._scaler.reformat(
            frame,
            width,
            height,
            "gbrp",
            src_colorspace=matrix,
            # Planes of RGB have no matrix, but PyAV before 17 heeds the source's range only if these differ.
            dst_colorspace=_BT601 if matrix == _BT709 else _BT709,
            src_color_range=_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT | (_POINT if same else _BICUBIC),
        )
        green, blue, red = (
            np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
                :, : plane.width
            ]
            for plane in planes.planes
        )
        picture = cv2.merge((red, green, blue))
        if self._turn.transposed:
            picture = cv2.transpose(picture)
        if self._turn.mirrored or self._turn.flipped:
            both = self._turn.mirrored and self._turn.flipped
            picture = cv2.flip(picture, -1 if both else int(self._turn.mirrored))
        return np.asarray(picture, np.uint8)


def _matrix(frame: VideoFrame) -> int | None:
    """The matrix the file names; else BT.709 for high definition and BT.601 below it, as players do."""
    if frame.format.is_rgb:
        return None
    usual = _BT709 if frame.width >= 1280 or frame.height > 576 else _BT601
    return _MATRICES.get(int(frame.colorspace), usual)


def _range(frame: VideoFrame) -> ColorRange:
    if frame.format.is_rgb or frame.format.name.startswith("yuvj"):
        return ColorRange.JPEG
    return ColorRange.JPEG if int(frame.color_range) == ColorRange.JPEG.value else ColorRange.MPEG
