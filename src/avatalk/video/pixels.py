"""Frames as the encoders want them: BT.709, limited range, with alpha where there is one."""

from __future__ import annotations

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from avatalk.media import UInt8Array

_KR, _KG, _KB = 0.2126, 0.7152, 0.0722  # luma of BT.709
# (3, 4): full-range RGB to limited-range Y, Cb, Cr, and their offsets.
_RGB_TO_YUV = np.array(
    [
        [_KR * 219 / 255, _KG * 219 / 255, _KB * 219 / 255, 16],
        [-_KR / (2 - 2 * _KB) * 224 / 255, -_KG / (2 - 2 * _KB) * 224 / 255, 112 / 255, 128],
        [112 / 255, -_KG / (2 - 2 * _KR) * 224 / 255, -_KB / (2 - 2 * _KR) * 224 / 255, 128],
    ],
    np.float32,
)


def video_frame(frame: UInt8Array, pixel_format: str, index: int) -> av.VideoFrame:
    """Return frame number `index` for an encoder.

    Args:
        frame: (height, width, 3) uint8 RGB, or (height, width, 4) premultiplied RGBA.
        pixel_format: ``yuv420p`` or ``yuva420p``, or one that swscale makes.
        index: its time in units of the stream.
    """
    if pixel_format == "yuv420p":
        made = av.VideoFrame.from_ndarray(_planes(frame), format="yuv420p")
    elif pixel_format == "yuva420p":
        made = _with_alpha(_planes(frame), frame[..., 3])
    else:
        kind = "rgba" if frame.shape[2] == 4 else "rgb24"
        given = straight(frame) if frame.shape[2] == 4 else frame
        made = av.VideoFrame.from_ndarray(given, format=kind).reformat(
            format=pixel_format, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
    made.pts = index
    return made


def straight(frame: UInt8Array) -> UInt8Array:
    """Return RGBA whose colours are not multiplied by alpha, as files hold it."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_mRGBA2RGBA), np.uint8)


def _planes(frame: UInt8Array) -> UInt8Array:
    """(height * 3 / 2, width) planes of yuv420p, by OpenCV, which takes a third of the time of swscale."""
    if frame.shape[2] == 4:
        frame = np.ascontiguousarray(straight(frame)[..., :3])
    height, width = frame.shape[:2]
    planes = np.empty((height * 3 // 2, width), np.uint8)
    chroma = planes[height:].reshape(2, height // 2, width // 2)
    full = cv2.transform(frame, _RGB_TO_YUV)
    half = cv2.resize(full, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    cv2.extractChannel(full, 0, planes[:height])
    cv2.extractChannel(half, 1, chroma[0])
    cv2.extractChannel(half, 2, chroma[1])
    return planes


def _with_alpha(planes: UInt8Array, alpha: UInt8Array) -> av.VideoFrame:
    """A frame of yuva420p from the planes of yuv420p and alpha, (height, width)."""
    height, width = alpha.shape
    made = av.VideoFrame(width, height, "yuva420p")
    parts = [planes[:height], *planes[height:].reshape(2, height // 2, width // 2), alpha]
    for plane, values in zip(made.planes, parts, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = values
        plane.update(rows.tobytes())
    return made
