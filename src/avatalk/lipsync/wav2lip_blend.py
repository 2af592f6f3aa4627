"""Puts Wav2Lip's answer into the frame without a seam: soft mask, the frame's own colour and grain."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.lipsync.wav2lip_crop import FACE_SIZE, Box
from avatalk.lipsync.wav2lip_look import Look, grain, grown, luma, sharpness
from avatalk.lipsync.wav2lip_parts import Window
from avatalk.media import Float32Array, UInt8Array

# fmt: off
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
# fmt: on
CHIN = (149, 176, 148, 152, 377, 400, 378)
_LIPS = len(OUTER_LIPS)
OUTLINE_POINTS = _LIPS + len(CHIN)
_AROUND_LIPS = (1.25, 1.45)  # the mask reaches so far from the middle of the mouth, across and down
_OWN_TEXTURE = (1.25, 1.25)  # within this, the frame's own fine structure is the old mouth's, and is left out
_FEATHER = 2.5  # pixels of the network's picture
_MARGIN = 4.0  # likewise: the mask has faded out before the window ends
_REACH = 5  # likewise, whole: where the feather of a mask has all but ended
_UPPER = FACE_SIZE // 2  # what lies above is given to the network, and only repeated by it
_LEAST = 16  # rows and columns that there are at least
_SOFTER = 0.7  # likewise
_SKIN = 0.05  # of the mask of the mouth; below it lies skin


def outline(landmarks: Float32Array) -> Float32Array:
    """Return the (27, 2) outer contour of the lips and the chin of landmarks (478, 2 or 3)."""
    return landmarks[[*OUTER_LIPS, *CHIN], :2]


def usual_outline(box: Box) -> Float32Array:
    """Return where `outline` lies as a rule in the network's view of a face."""
    x0, y0, x1, y1 = box
    turn = np.linspace(0.0, 2 * np.pi, _LIPS, endpoint=False)
    lips = np.stack([0.5 + 0.17 * np.cos(turn), 0.75 + 0.07 * np.sin(turn)], axis=1)
    chin = np.stack([np.linspace(0.35, 0.65, len(CHIN)), np.full(len(CHIN), 0.94)], axis=1)
    inside = np.concatenate([lips, chin])
    return (np.array([x0, y0]) + inside * (x1 - x0, y1 - y0)).astype(np.float32)


def reached_by(boxes: npt.NDArray[np.int32], outlines: Float32Array) -> Window:
    """Return the part of the network's answer that is pasted in some frame.

    Args:
        boxes: (frames, 4), that the network's views are cut from.
        outlines: (frames, 27, 2), see `outline`, in pixels of the picture.
    """
    if not len(boxes):
        return Window((_UPPER, _UPPER + _LEAST), (_UPPER, _UPPER + _LEAST))
    corners, sizes = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
    hulls = _masked((outlines - corners) * FACE_SIZE / sizes)
    low, high = hulls.min(axis=(0, 1)), hulls.max(axis=(0, 1))
    (left, top), (right, bottom) = np.floor(low) - _REACH, np.ceil(high) + _REACH
    return Window(_span(top, bottom, _UPPER), _span(left, right, 0))


def _span(start: float, stop: float, first: int) -> tuple[int, int]:
    """Return a span of whole pixels within `first` and the end of the network's picture, not too short."""
    begin = int(np.clip(start, first, FACE_SIZE - _LEAST))
    return begin, int(np.clip(stop, begin + _LEAST, FACE_SIZE))


class Patch:
    """The place of one frame in which the mouth is replaced; made once for a still.

    Args:
        picture: (height, width, 3) uint8 RGB.
        box: that the network's view was cut from.
        outline: (27, 2) float32, lips and chin in pixels of the picture, see `outline`.
        window: of the network's answer that there is.
    """

    def __init__(self, picture: UInt8Array, box: Box, outline: Float32Array, window: Window) -> None:
        rows, columns = window
        x0, y0, x1, y1 = box
        scale = np.array([(x1 - x0) / FACE_SIZE, (y1 - y0) / FACE_SIZE])
        corner = np.array([x0, y0]) + scale * (columns[0], rows[0])
        far = np.array([x0, y0]) + scale * (columns[1], rows[1])
        self._left, self._top = np.floor(corner).astype(int)
        self._right, self._bottom = np.ceil(far).astype(int)
        self._scale = scale
        # From pixels of the region to pixels of the answer, whole at their centres as OpenCV counts.
        offset = (np.array([self._left, self._top]) + 0.5 - corner) / scale - 0.5
        self._matrix = np.array([[1 / scale[0], 0, offset[0]], [0, 1 / scale[1], offset[1]]])
        size = (columns[1] - columns[0], rows[1] - rows[0])
        face = cv2.resize(picture[y0:y1, x0:x1], (FACE_SIZE, FACE_SIZE))
        self._seen = face[slice(*rows), slice(*columns)].astype(np.float32)
        points = ((outline - corner) / scale - 0.5).astype(np.float64)
        self._alpha = _soft_mask(points, size)
        narrow = np.dstack([self._alpha, _mouth_mask(points, size), luma(_finest(self._seen))])
        self._region_alpha, self._mouth, fine = np.ascontiguousarray(
            self._enlarged(narrow).transpose(2, 0, 1)
        )
        texture = self._cut(picture).astype(np.float32) - self._enlarged(self._seen)
        self._texture = texture * (1.0 - self._mouth)[..., None]
        skin = (self._region_alpha > 0) & (self._mouth < _SKIN)
        grey = luma(texture)
        self._sharpness = sharpness(grey, fine, self._region_alpha)
        self._grain = grain(grey, skin)

    def look(self, prediction: Float32Array) -> Look:
        """Return what `prediction` lacks to look like the frame around it."""
        edge = (self._alpha * (1.0 - self._alpha))[..., None]
        size = max(float(edge.sum()), 1e-3)
        skin, answer = ((one * edge).sum(axis=(0, 1)) / size for one in (self._seen, _rgb(prediction)))
        return Look(skin, answer, self._sharpness, self._grain)

    def apply(self, picture: UInt8Array, prediction: Float32Array, look: Look, seed: int = 0) -> UInt8Array:
        """Put the mouth of `prediction` into `picture`, and return that.

        Args:
            picture: the frame this was made for; it is changed.
            prediction: (3, rows, columns) float32 BGR, 0..1, the window of the network's answer.
            look: what is done to it; the look of `prediction`, or one that is steadied in time.
            seed: of its grain, not negative.
        """
        answer = _rgb(prediction)
        mouth = self._enlarged(answer + look.sharpness * _finest(answer) + look.tint) + self._texture
        if look.grain.any():
            mouth += (self._mouth * grown(look.grain, self._mouth.shape[:2], seed))[..., None]
        region = self._cut(picture)
        shown = region + self._region_alpha[..., None] * (mouth - region)
        region[:] = np.clip(shown + 0.5, 0, 255).astype(np.uint8)
        return picture

    def _cut(self, picture: UInt8Array) -> UInt8Array:
        return picture[self._top : self._bottom, self._left : self._right]

    def _enlarged(self, answer: Float32Array) -> Float32Array:
        """Bring an array of the window to the pixels of the frame."""
        size = (int(self._right - self._left), int(self._bottom - self._top))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(answer, self._matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.float32)


def _finest(answer: Float32Array) -> Float32Array:
    """What a picture loses when it is made a little softer: what is added to sharpen it (unsharp mask)."""
    return answer - cv2.GaussianBlur(answer, (0, 0), _SOFTER)


def _rgb(prediction: Float32Array) -> Float32Array:
    """(3, rows, columns) BGR 0..1 → (rows, columns, 3) RGB 0..255."""
    return np.ascontiguousarray(prediction[::-1].transpose(1, 2, 0)) * np.float32(255)


def _soft_mask(points: npt.NDArray[np.float64], size: tuple[int, int]) -> Float32Array:
    """Mouth and chin, 1 inside and fading to 0 before the window ends."""
    width, height = size
    x = np.minimum(np.arange(width), width - 1 - np.arange(width))
    y = np.minimum(np.arange(height), height - 1 - np.arange(height))
    fade = np.minimum(np.minimum.outer(y, x) / _MARGIN, 1.0)
    return (_filled(_masked(points), size, _FEATHER) * fade).astype(np.float32)


def _masked(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (…, 27, 2) points whose hull is the mask, of those of `outline`."""
    return np.concatenate([_around(points[..., :_LIPS, :], _AROUND_LIPS), points[..., _LIPS:, :]], axis=-2)


def _mouth_mask(points: npt.NDArray[np.float64], size: tuple[int, int]) -> Float32Array:
    """The lips and what moves close to them."""
    return _filled(_around(points[:_LIPS], _OWN_TEXTURE), size, _FEATHER / 2)


def _around(points: npt.NDArray[np.float64], factor: tuple[float, float]) -> npt.NDArray[np.float64]:
    middle = points.mean(axis=-2, keepdims=True)
    return np.asarray(middle + factor * (points - middle))


def _filled(outline: npt.NDArray[np.float64], size: tuple[int, int], feather: float) -> Float32Array:
    """The convex hull of `outline`, feathered, 0..1."""
    bits = 4
    hull = cv2.convexHull(np.round(outline * (1 << bits)).astype(np.int32))
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(mask, hull, 255, lineType=cv2.LINE_AA, shift=bits)
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), feather), np.float32)
