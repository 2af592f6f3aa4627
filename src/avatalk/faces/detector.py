"""MediaPipe's full-range face detector: boxes and six key points of the faces in a square picture.

Method: V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019:
one square anchor per cell of a 48 x 48 grid, overlapping detections blended by their scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatalk.faces.litert import Network
from avatalk.media import Float32Array, UInt8Array

INPUT_SIZE = 192
GRID = 48
MAX_OVERLAP = 0.3
# MediaPipe's is 0.6; this keeps turned and drawn faces too, and the mesh rejects what is no face.
MIN_SCORE = 0.4


@dataclass(frozen=True, slots=True)
class Detection:
    """One face as the detector sees it.

    Attributes:
        box: (4,) float32 x0, y0, x1, y1 (brows to chin, ear to ear), pixels.
        keypoints: (6, 2) float32, pixels: the eye on the left of the picture, the other eye, tip of the
            nose, middle of the mouth, the ear on the left of the picture, the other ear.
        score: 0..1.
    """

    box: Float32Array
    keypoints: Float32Array
    score: float


class FaceDetector:
    """Finds the faces whose boxes are 0.09 to 0.7 of the side of a square.

    Args:
        model: content of ``face_detection_full_range_sparse.tflite``.
    """

    def __init__(self, model: bytes) -> None:
        self._network = Network(model)

    def detect(self, square: UInt8Array) -> list[Detection]:
        """Return the faces in a (192, 192, 3) uint8 RGB square, the surest first."""
        scaled = square[None].astype(np.float32) / np.float32(127.5) - np.float32(1)
        regressors, logits = self._network(scaled)
        return blend(*decode(regressors[0], logits[0, :, 0]))


def decode(regressors: Float32Array, logits: Float32Array) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Turn the network's raw numbers into boxes.

    Args:
        regressors: (2304, 16): x, y of the box's centre, its width and height, then x, y of each key point,
            all in pixels, the points as seen from the centre of the anchor's cell.
        logits: (2304,) scores before the sigmoid.

    Returns:
        Of the anchors that score at least `MIN_SCORE`: boxes (n, 4) x0, y0, x1, y1 and key points
        (n, 6, 2) in pixels of the 192 x 192 input, and scores (n,) in 0..1.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -100, 100)))
    good = np.flatnonzero(scores >= MIN_SCORE)
    anchors = (np.stack([good % GRID, good // GRID], axis=1) + 0.5) * (INPUT_SIZE / GRID)
    raw = regressors[good].astype(np.float64)
    centre, half = raw[:, :2] + anchors, raw[:, 2:4] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    keypoints = raw[:, 4:].reshape(-1, 6, 2) + anchors[:, None]
    return boxes.astype(np.float32), keypoints.astype(np.float32), scores[good].astype(np.float32)


def blend(boxes: Float32Array, keypoints: Float32Array, scores: Float32Array) -> list[Detection]:
    """Merge boxes that overlap the best one into their mean, weighted by score; repeat with the rest.

    Args:
        boxes: (n, 4) x0, y0, x1, y1.
        keypoints: (n, k, 2).
        scores: (n,).

    Returns:
        The merged ones, the surest first, each with the score of its best.
    """
    rest = np.argsort(-scores, kind="stable")
    found: list[Detection] = []
    while rest.size:
        near = overlap(boxes[rest[0]], boxes[rest]) > MAX_OVERLAP
        near[0] = True  # also a box without area, which overlaps nothing
        group, best = rest[near], rest[0]
        weights = scores[group] / scores[group].sum()
        found.append(
            Detection(
                np.average(boxes[group], axis=0, weights=weights).astype(np.float32),
                np.average(keypoints[group], axis=0, weights=weights).astype(np.float32),
                float(scores[best]),
            )
        )
        rest = rest[~near]
    return found


def overlap(box: Float32Array, boxes: Float32Array) -> Float32Array:
    """Intersection over union of `box` (4,) with each of `boxes` (n, 4), all x0, y0, x1, y1."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    union = areas + np.prod(np.maximum(box[2:] - box[:2], 0)) - common
    return np.where(union > 0, common / np.maximum(union, 1e-9), 0).astype(np.float32)
