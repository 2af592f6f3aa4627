"""Where persons stand, from a network that sees a whole picture coarsely: it is made to look closer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from avatalk.media import Float32Array, UInt8Array

Look = Callable[[UInt8Array], Float32Array]
"""From a picture, (height, width, 3) uint8 RGB of any shape, to how sure it is that a person is there: (rows,
columns) float32 of any resolution, 0..1."""

_SEEN = 0.5
_PART = 0.3  # of the largest person's area, what else is a person rather than a speck
_HOLE = 0.004  # of the mask's area, up to which a hole in a person is none


def find_persons(
    picture: UInt8Array, look: Look, rims: Sequence[float], size: tuple[int, int]
) -> Float32Array | None:
    """Look for persons, each time closer around those found.

    Args:
        picture: (height, width, 3) uint8 RGB.
        look: the network.
        rims: around the persons found, in shares of their size, at every further look.
        size: width and height of the mask that is wanted.

    Returns:
        (height, width) float32 mask of that size, 0..1; None if there is nobody.
    """
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = 0, 0, width, height
    for rim in (*rims, None):
        seen = _tidy(look(picture[y0:y1, x0:x1]))
        if float(seen.max()) < _SEEN:
            return None
        if rim is None:
            break
        # The box of the persons, from cells of the mask to pixels.
        rows, columns = (np.flatnonzero((seen > _SEEN).any(axis=axis)) for axis in (1, 0))
        down, across = (y1 - y0) / seen.shape[0], (x1 - x0) / seen.shape[1]
        top, bottom = y0 + rows[0] * down, y0 + (rows[-1] + 1) * down
        left, right = x0 + columns[0] * across, x0 + (columns[-1] + 1) * across
        dy, dx = rim * (bottom - top) + 0.02 * (y1 - y0), rim * (right - left) + 0.02 * (x1 - x0)
        x0, x1 = max(int(left - dx), 0), min(int(right + dx) + 1, width)
        y0, y1 = max(int(top - dy), 0), min(int(bottom + dy) + 1, height)
    return _put(seen, (x0 / width, y0 / height, x1 / width, y1 / height), size)


def _put(seen: Float32Array, box: tuple[float, float, float, float], size: tuple[int, int]) -> Float32Array:
    """Put what was seen in a box, in shares of the whole, into a mask of `size`; elsewhere is nobody."""
    x0, y0, x1, y1 = box
    rows, columns = seen.shape
    width, height = size
    # From the middles of the mask's pixels to places in `seen`.
    across, down = columns / (x1 - x0) / width, rows / (y1 - y0) / height
    matrix = np.array(
        [
            [across, 0, across / 2 - x0 * columns / (x1 - x0) - 0.5],
            [0, down, down / 2 - y0 * rows / (y1 - y0) - 0.5],
        ]
    )
    # Where the box ends with the picture, so does its mask; elsewhere it fades into nobody.
    framed = cv2.copyMakeBorder(seen, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    framed[0] *= y0 == 0
    framed[-1] *= y1 == 1
    framed[:, 0] *= x0 == 0
    framed[:, -1] *= x1 == 1
    matrix[:, 2] += 1
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    mask = cv2.warpAffine(framed, matrix, size, flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=0.0)
    return np.asarray(mask, np.float32)


def _tidy(seen: Float32Array) -> Float32Array:
    """Leave out specks far from the persons, and close holes within them."""
    parts, labels, facts, _ = cv2.connectedComponentsWithStats((seen > 0.35).astype(np.uint8))
    if parts > 2:
        areas = facts[:, cv2.CC_STAT_AREA]
        kept = areas > _PART * areas[1:].max()
        kept[0] = False
        near = cv2.dilate(kept[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
        seen = seen * near
    parts, labels, facts, _ = cv2.connectedComponentsWithStats((seen <= 0.65).astype(np.uint8))
    rows, columns = seen.shape
    x, y, w, h, area = facts.T
    inner = (x > 0) & (y > 0) & (x + w < columns) & (y + h < rows) & (area < _HOLE * seen.size)
    inner[0] = False
    return np.where(inner[labels], np.float32(1), seen) if inner.any() else seen
