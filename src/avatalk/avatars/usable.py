"""Whether a picture will do as an avatar: each rule a number that is measured, a limit and a plain reason.

The faces are those of stage 3. Lengths are told in eye distances (`Face.eye_distance`), so that no rule
depends on the size of the picture, except that which is about pixels. The limits lie between what the
gallery and portraits of people measure, and the same pictures turned, blurred, covered and cut (see
tests/test_usable.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.media import Face, Float32Array, UInt8Array

LEAST_EYES_PX = 50.0
MOST_TURNED, MOST_NODDED, MOST_TILTED = 25.0, 22.0, 20.0  # degrees
MOST_OPEN_MOUTH = 0.16  # gap between the lips, in eye distances; a broad smile with teeth has 0.135
LEAST_OPEN_EYE = 0.13  # height of the gap between the lids by its width; laughing eyes have 0.21
LEAST_CONTRAST_MOUTH, LEAST_CONTRAST_EYES = 15.0, 35.0  # between dark and bright parts, of 255
LEAST_SHARPNESS = 0.06
LEAST_MARGIN = 0.05  # around the face, in eye distances

_SECOND = 0.3  # of the face's size: smaller ones in the background disturb nothing
_LEVEL_NOD = -11.0  # degrees from chin to forehead by which the mesh of an upright head leans
_EYES_AT = 64.0  # pixels between the eyes at which pictures are compared
_LEFT, _RIGHT, _CHIN, _FOREHEAD = 234, 454, 152, 10
_INNER_LIPS = (13, 14)
_LIDS = ((159, 145, 33, 133), (386, 374, 362, 263))
# fmt: off
_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found.

    Attributes:
        rule: ``faces``, ``size``, ``cut``, ``turn``, ``nod``, ``tilt``, ``mouth``, ``closed``, ``eyes``,
            ``open`` or ``sharp``.
        measured: the number; its unit is in `reason`.
        limit: what it may be at least or at most.
        passed: whether it is on the right side of the limit.
        reason: what is wrong, one sentence for people; empty where nothing is.
    """

    rule: str
    measured: float
    limit: float
    passed: bool
    reason: str


def examine(picture: UInt8Array, faces: Sequence[Face]) -> tuple[Finding, ...]:
    """Return what every rule finds; without a face only the first.

    Args:
        picture: (height, width, 3) uint8 RGB.
        faces: in it, as `avatalk.faces.base.FaceFinder.find` gives them: the largest first.
    """
    large = [face for face in faces if face.eye_distance > _SECOND * faces[0].eye_distance]
    count = len(large)
    found = "no face is seen" if not count else f"{count} faces are seen, not one"
    findings = [Finding("faces", count, 1, count == 1, "" if count == 1 else f"{found}.".capitalize())]
    return tuple(findings + (_examine_face(picture, large[0]) if large else []))


def reasons(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return what speaks against the picture; empty if it will do."""
    return tuple(finding.reason for finding in findings if not finding.passed)


def _examine_face(picture: UInt8Array, face: Face) -> list[Finding]:
    points, eyes = face.landmarks, face.eye_distance
    height, width = picture.shape[:2]
    turn = math.degrees(_lean(points[_RIGHT] - points[_LEFT]))
    nod = math.degrees(_lean(points[_FOREHEAD] - points[_CHIN])) - _LEVEL_NOD
    tilt = math.degrees(face.roll)
    oval = points[list(_OVAL), :2]
    margin = float(min(oval.min(), width - oval[:, 0].max(), height - oval[:, 1].max())) / eyes
    gap = _apart(points, *_INNER_LIPS) / eyes
    lids = min(
        _apart(points, upper, lower) / max(1e-6, _apart(points, left, right))
        for upper, lower, left, right in _LIDS
    )
    light, marks = _upright(picture, face)
    mouth = _contrast(light, marks[list(_LIPS)])
    sight = min(_contrast(light, marks[list(eye)]) for eye in _EYES)
    sharp = _sharpness(light, marks[list(_OVAL)])
    small = "The face is too small: {:.0f} pixels between the eyes; {:.0f} is the least."
    return [
        _least("size", eyes, LEAST_EYES_PX, small),
        _least("cut", margin, LEAST_MARGIN, "The edge of the picture cuts the face."),
        _most("turn", turn, MOST_TURNED, "The face is turned {:.0f}° to the side; {:.0f}° is the most."),
        _most("nod", nod, MOST_NODDED, "The face looks {:.0f}° up or down; {:.0f}° is the most."),
        _most("tilt", tilt, MOST_TILTED, "The head is tilted by {:.0f}°; {:.0f}° is the most."),
        _least("mouth", mouth, LEAST_CONTRAST_MOUTH, "The mouth is hidden or cannot be made out."),
        _most("closed", gap, MOST_OPEN_MOUTH, "The mouth is wide open."),
        _least("eyes", sight, LEAST_CONTRAST_EYES, "An eye is hidden or cannot be made out."),
        _least("open", lids, LEAST_OPEN_EYE, "An eye is shut."),
        _least("sharp", sharp, LEAST_SHARPNESS, "The face is blurred."),
    ]  # fmt: skip


def _least(rule: str, measured: float, limit: float, reason: str) -> Finding:
    passed = measured >= limit
    return Finding(rule, measured, limit, passed, "" if passed else reason.format(measured, limit))


def _most(rule: str, measured: float, limit: float, reason: str) -> Finding:
    passed = abs(measured) <= limit
    return Finding(rule, measured, limit, passed, "" if passed else reason.format(abs(measured), limit))


def _lean(across: Float32Array) -> float:
    """Radians between a line through the face, (3,) in pixels, and the plane of the picture."""
    run, rise, depth = map(float, across)
    return math.atan2(depth, math.hypot(run, rise))


def _apart(points: Float32Array, one: int, other: int) -> float:
    return float(np.linalg.norm(points[one, :2] - points[other, :2]))


def _upright(picture: UInt8Array, face: Face) -> tuple[Float32Array, Float32Array]:
    """Return the luma of an upright crop of the face, (side, side) float32 0..255, and the landmarks in it.

    Larger faces are scaled down to the same size, so that sharpness means the same in all; smaller ones stay.
    """
    scale = min(1.0, _EYES_AT / face.eye_distance)
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    ratio = np.array([size[0] / picture.shape[1], size[1] / picture.shape[0]])
    points = face.landmarks[:, :2] * (ratio if scale < 1 else 1.0)
    side = math.ceil(3 * face.eye_distance * scale)
    cos, sin = math.cos(face.roll), math.sin(face.roll)
    turn = np.array([[cos, sin], [-sin, cos]])
    middle = points[list(_OVAL)].mean(axis=0)
    matrix = np.column_stack([turn, side / 2 - turn @ middle])
    crop = cv2.warpAffine(
        cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), matrix, (side, side), borderMode=cv2.BORDER_REPLICATE
    )
    return crop.astype(np.float32), (points @ turn.T + matrix[:, 2]).astype(np.float32)


def _inside(light: Float32Array, outline: Float32Array) -> npt.NDArray[np.bool_]:
    """(side, side) bool: the hull of some points."""
    mask = np.zeros(light.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(outline).astype(np.int32)), (1,))
    return mask.astype(bool)


def _contrast(light: Float32Array, outline: Float32Array) -> float:
    """Difference of the brightest and the darkest part inside an outline: nothing where it is covered."""
    values = light[_inside(light, outline)]
    return float(np.subtract(*np.percentile(values, (95, 5)))) if values.size else 0.0


def _sharpness(light: Float32Array, outline: Float32Array) -> float:
    """Standard deviation of the Laplacian inside an outline, by the contrast there."""
    inside = _inside(light, outline)
    contrast = max(10.0, _contrast(light, outline))
    return float(cv2.Laplacian(light, cv2.CV_32F)[inside].std()) / contrast if inside.any() else 0.0
