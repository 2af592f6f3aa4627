"""What Wav2Lip sees, and where its answer goes: boxes, crops and the original's rectangular paste."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array, UInt8Array

FACE_SIZE = 96
SMOOTHED = 5
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in whole pixels, x1 and y1 outside."""


def smooth_boxes(boxes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return boxes (frames, 4) averaged over five frames, as the original does.

    Each row becomes the mean of itself and the four that follow (near the end, of the last five), cut to
    whole pixels; rows already averaged count as such.
    """
    smooth = boxes.astype(np.int64)
    last = max(0, len(smooth) - SMOOTHED)
    for index in range(len(smooth)):
        start = min(index, last)
        smooth[index] = smooth[start : start + SMOOTHED].mean(axis=0)
    return smooth


def pad_box(box: Box, pads: tuple[int, int, int, int], width: int, height: int) -> Box:
    """Return `box` grown by `pads` (top, bottom, left, right; pixels) and cut to the picture."""
    x0, y0, x1, y1 = box
    top, bottom, left, right = pads
    return max(0, x0 - left), max(0, y0 - top), min(width, x1 + right), min(height, y1 + bottom)


def face_input(picture: UInt8Array, box: Box) -> Float32Array:
    """Return the network's (6, 96, 96) float32 view of a face: BGR with the lower half black, then BGR whole.

    Args:
        picture: (height, width, 3) uint8 RGB.
        box: of the face, within the picture, not empty.
    """
    x0, y0, x1, y1 = box
    face = cv2.resize(picture[y0:y1, x0:x1], (FACE_SIZE, FACE_SIZE))
    whole = np.asarray(face[:, :, ::-1].transpose(2, 0, 1), np.float32) / np.float32(255)
    hidden = whole.copy()
    hidden[:, FACE_SIZE // 2 :] = 0
    return np.concatenate([hidden, whole])


def paste_rectangle(picture: UInt8Array, box: Box, prediction: Float32Array) -> UInt8Array:
    """Return a copy of `picture` with the whole of `prediction` in `box`, as the original does.

    Args:
        picture: (height, width, 3) uint8 RGB.
        box: that the network's view was cut from.
        prediction: (3, 96, 96) float32 BGR, 0..1, what the network answered.
    """
    x0, y0, x1, y1 = box
    face = (prediction[::-1].transpose(1, 2, 0) * 255.0).astype(np.uint8)
    pasted = picture.copy()
    pasted[y0:y1, x0:x1] = cv2.resize(face, (x1 - x0, y1 - y0))
    return pasted
