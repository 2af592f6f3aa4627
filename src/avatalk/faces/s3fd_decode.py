"""What the maps of S3FD's network mean: boxes of faces in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avatalk.media import Float32Array

SURE = 0.5
_OVERLAP = 0.3
_FINEST_STRIDE = 4
_PRIOR = 4  # side of a prior box, in strides
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2


def decode(maps: Sequence[Float32Array]) -> Float32Array:
    """Return the faces of one picture, (n, 5) float32: x0, y0, x1, y1 in pixels and score, best first.

    Boxes that overlap a better one by more than 0.3 are dropped (Girshick's non-maximum suppression,
    which counts both border pixels), and those with a score of 0.5 or less.

    Args:
        maps: the network's twelve outputs for this picture: for each size, finest first, (2, h, w) scores
            before softmax and (4, h, w) offsets from the prior boxes.
    """
    found = [
        _decode_size(maps[2 * size], maps[2 * size + 1], _FINEST_STRIDE << size)
        for size in range(len(maps) // 2)
    ]
    boxes = np.concatenate(found)
    return _best_of_overlapping(boxes)


def _decode_size(scores: Float32Array, offsets: Float32Array, stride: int) -> Float32Array:
    """Return the likely faces of one map, (n, 5), with SSD's box coding (Liu et al., 2016)."""
    certainty = 1.0 / (1.0 + np.exp(scores[0] - scores[1]))
    row, column = np.nonzero(certainty > SURE)
    prior = float(_PRIOR * stride)
    shift = offsets[:, row, column]
    centre = stride * (np.stack([column, row]) + 0.5) + _CENTRE_VARIANCE * prior * shift[:2]
    half = prior * np.exp(_SIZE_VARIANCE * shift[2:]) / 2
    return np.concatenate([centre - half, centre + half, certainty[None, row, column]]).T.astype(np.float32)


def _best_of_overlapping(boxes: Float32Array) -> Float32Array:
    boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept = []
    while len(boxes):
        best, boxes = boxes[0], boxes[1:]
        kept.append(best)
        inner = np.minimum(best[2:4], boxes[:, 2:4]) - np.maximum(best[:2], boxes[:, :2]) + 1
        shared = np.maximum(inner, 0).prod(axis=1)
        area = (boxes[:, 2:4] - boxes[:, :2] + 1).prod(axis=1)
        union = (best[2:4] - best[:2] + 1).prod() + area - shared
        boxes = boxes[shared <= _OVERLAP * union]
    return np.array(kept, np.float32).reshape(-1, 5)
