"""Faces by MediaPipe's detector and attention mesh: the embedded engine of stage 3."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import ClassVar

import cv2
import numpy as np

from avatalk import models
from avatalk.errors import ModelUnavailable
from avatalk.events import Monitor
from avatalk.faces.base import FaceFinder
from avatalk.faces.detector import INPUT_SIZE as WINDOW
from avatalk.faces.detector import Detection, FaceDetector, overlap
from avatalk.faces.mesh import INPUT_SIZE, AttentionMesh
from avatalk.media import Face, Float32Array, UInt8Array
from avatalk.models.manifest import FACE_DETECTOR, FACE_MESH

EYE_CORNERS = (33, 263)
# Brows, and the outline from the ears down: the box of a face leaves out the forehead.
# fmt: off
BOX_POINTS = (
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152,
    377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356,
)
# fmt: on

# Side of the crop for the mesh: MediaPipe's own factor on the detector's box, and the factor on the extent
# of the landmarks that gives about the same crop (closest to its landmarks, and stable when repeated).
BOX_SCALE = 1.5
LANDMARKS_SCALE = 1.4

FINEST_WINDOW = 320  # pixels of the picture in one look of the detector so that it sees faces of 40
STRIDE = 3 * WINDOW // 4
TRACKED_LOGIT = 5.0  # the mesh's logit for "this is a face" that is enough where one was a frame ago
SETTLED = 0.01  # of the distance of the eyes: landmarks that move less on another look are there
LOOKS = 8  # by which faces have settled; other things often have not
HOPELESS_LOGIT = -10.0  # no face has come back from there
PASSED_OVER = 6  # faces this many times smaller than the largest are background
REMEMBERED = 16  # pictures whose faces are known: a large one takes a second, and is often looked at again


@dataclass(frozen=True, slots=True)
class Roi:
    """A turned square of a picture: centre and side in pixels, angle in radians, clockwise."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def of_detection(cls, found: Detection) -> Roi:
        """The square for a first look at a face that the detector found."""
        x0, y0, x1, y1 = map(float, found.box)
        run, rise = found.keypoints[1] - found.keypoints[0]
        side = BOX_SCALE * max(x1 - x0, y1 - y0)
        return cls((x0 + x1) / 2, (y0 + y1) / 2, side, math.atan2(rise, run))

    @classmethod
    def of_landmarks(cls, landmarks: Float32Array) -> Roi:
        """The square for a second look, or for a look at the next frame."""
        points = landmarks[:, :2].astype(np.float64)
        run, rise = points[EYE_CORNERS[1]] - points[EYE_CORNERS[0]]
        angle = math.atan2(rise, run)
        cos, sin = math.cos(angle), math.sin(angle)
        upright = np.array([[cos, sin], [-sin, cos]])
        turned = points @ upright.T
        low, high = turned.min(axis=0), turned.max(axis=0)
        x, y = upright.T @ ((low + high) / 2)
        return cls(float(x), float(y), LANDMARKS_SCALE * float((high - low).max()), angle)

    @property
    def matrix(self) -> Float32Array:
        """(2, 3): from pixels of the mesh's crop to pixels of the picture."""
        step = self.side / INPUT_SIZE
        cos, sin = math.cos(self.angle) * step, math.sin(self.angle) * step
        linear = np.array([[cos, -sin], [sin, cos]])
        shift = np.array([self.x, self.y]) - linear @ np.full(2, INPUT_SIZE / 2)
        return np.column_stack([linear, shift]).astype(np.float32)


class MediaPipeFaces(FaceFinder):
    """Finds faces from 40 pixels up, turned by up to 35 degrees, at any place of a picture.

    Args:
        monitor: told of the bytes when the models must be fetched first.

    Raises:
        ModelUnavailable: the models are not here and cannot be fetched, or are damaged.
        Cancelled: `monitor` was cancelled while fetching.
    """

    name: ClassVar[str] = "mediapipe"

    def __init__(self, monitor: Monitor | None = None) -> None:
        detector, mesh = (models.path("face", file, monitor) for file in (FACE_DETECTOR, FACE_MESH))
        try:
            self._detector = FaceDetector(detector.read_bytes())
            self._mesh = AttentionMesh(mesh.read_bytes())
        except (ValueError, RuntimeError, OSError) as error:
            raise ModelUnavailable(
                "The face model on this machine is damaged.",
                hint="Run `avatalk models install face`.",
                stage="face",
            ) from error

    def find(self, picture: UInt8Array) -> list[Face]:
        """Return every usable face of `picture`, the largest first.

        Faces less than a sixth as large as the largest are passed over as background.

        Args:
            picture: (height, width, 3) uint8 RGB, upright.
        """
        content = hashlib.sha256(repr(picture.shape).encode())
        content.update(np.ascontiguousarray(picture).data)
        with _lock:
            found = _known.get(content.digest())
        if found is None:
            found = tuple(self._search(picture))
            with _lock:
                _known[content.digest()] = found
                if len(_known) > REMEMBERED:
                    del _known[next(iter(_known))]
        return list(found)

    def _search(self, picture: UInt8Array) -> list[Face]:
        faces: list[Face] = []
        for level, scale in reversed(_pyramid(picture)):
            # The level before has seen what is larger than a quarter of this one's window.
            if faces and PASSED_OVER * WINDOW * scale.max() / 4 < _size(faces[0]):
                break
            for found in self._detections(level, scale):
                face = None if _on_one_of(found.box, faces) else self._face_at(picture, found)
                if face is not None and not _on_one_of(np.array(face.box), faces):
                    faces.append(face)
            faces.sort(key=_size, reverse=True)
        return [face for face in faces if PASSED_OVER * _size(face) >= _size(faces[0])]

    def refine(self, picture: UInt8Array, previous: Face) -> Face | None:
        """Return where `previous` has moved to, seen in the next picture of a clip; None if it is lost.

        Much faster than `find`, and good while a face moves by less than a third of its width.
        """
        face, logit = self._look_closely(picture, Roi.of_landmarks(previous.landmarks), previous.score)
        return face if logit > TRACKED_LOGIT and _same(np.array(face.box), previous) else None

    def _detections(self, level: UInt8Array, scale: Float32Array) -> list[Detection]:
        """Return what the detector sees in the windows of a level, in pixels of the picture, surest first."""
        found: list[Detection] = []
        for left, top, square in _windows(level):
            origin = np.array([left, top], np.float32)
            for seen in self._detector.detect(square):
                box = (seen.box.reshape(2, 2) + origin) * scale
                found.append(Detection(box.ravel(), (seen.keypoints + origin) * scale, seen.score))
        return sorted(found, key=lambda one: -one.score)

    def _face_at(self, picture: UInt8Array, found: Detection) -> Face | None:
        """Return the face at a detection, or None if the mesh sees none there."""
        face, logit = self._look_closely(picture, Roi.of_detection(found), found.score)
        for _ in range(LOOKS):
            if logit < HOPELESS_LOGIT:
                return None
            before = face.landmarks[:, :2]
            face, logit = self._look_closely(picture, Roi.of_landmarks(face.landmarks), found.score)
            moved = np.linalg.norm(face.landmarks[:, :2] - before, axis=1).mean()
            if moved < SETTLED * face.eye_distance:
                return face if _convincing(found.score, logit) and _same(found.box, face) else None
        return None

    def _look_closely(self, picture: UInt8Array, roi: Roi, score: float) -> tuple[Face, float]:
        """Return what the mesh sees in a crop, and its logit for "this is a face"."""
        output = self._mesh.run(crop(picture, roi))
        landmarks = self._mesh.landmarks(output)
        matrix = roi.matrix
        landmarks[:, :2] = landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        landmarks[:, 2] *= roi.side / INPUT_SIZE
        outline = landmarks[BOX_POINTS, :2]
        x0, y0, x1, y1 = map(float, (*outline.min(axis=0), *outline.max(axis=0)))
        return Face((x0, y0, x1, y1), landmarks, score), output.face_logit


_known: dict[bytes, tuple[Face, ...]] = {}
_lock = Lock()


def crop(picture: UInt8Array, roi: Roi) -> UInt8Array:
    """Return the (192, 192, 3) crop that the mesh looks at, bilinear, edges of the picture repeated."""
    shrink = int(roi.side // INPUT_SIZE)
    if shrink >= 2:  # average first, or fine texture turns into noise
        reach = roi.side  # the turned square fits into a box of side * sqrt(2) around the centre
        height, width = picture.shape[:2]
        left, top = max(0, int(roi.x - reach)), max(0, int(roi.y - reach))
        part = picture[top : min(height, int(roi.y + reach)), left : min(width, int(roi.x + reach))]
        if min(part.shape[:2]) < shrink:
            return np.zeros((INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
        part = part[: part.shape[0] // shrink * shrink, : part.shape[1] // shrink * shrink]
        size = part.shape[1] // shrink, part.shape[0] // shrink
        picture = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        roi = replace(roi, x=(roi.x - left) / shrink, y=(roi.y - top) / shrink, side=roi.side / shrink)
    matrix = roi.matrix
    matrix[:, 2] += matrix[:, :2] @ np.full(2, 0.5, np.float32) - np.float32(
        0.5
    )  # OpenCV's centres are whole
    return np.asarray(
        cv2.warpAffine(
            picture,
            matrix,
            (INPUT_SIZE, INPUT_SIZE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def _pyramid(picture: UInt8Array) -> list[tuple[UInt8Array, Float32Array]]:
    """Return (picture scaled, pixels of `picture` per pixel of it in x and y), from fine to coarse.

    In the coarsest the whole picture leaves a margin in one window: the detector misses faces that fill it.
    """
    height, width = picture.shape[:2]
    levels: list[tuple[UInt8Array, Float32Array]] = []
    window, scaled = float(FINEST_WINDOW), picture
    while not levels or window < 3 * max(height, width):
        size = max(1, round(width * WINDOW / window)), max(1, round(height * WINDOW / window))
        # The first step, to 0.6, needs no averaging, which is slow for steps that are not whole.
        way = cv2.INTER_AREA if levels else cv2.INTER_LINEAR
        scaled = np.asarray(cv2.resize(scaled, size, interpolation=way), np.uint8)
        levels.append((scaled, np.array([width / size[0], height / size[1]], np.float32)))
        window *= 2
    return levels


def _windows(level: UInt8Array) -> Iterator[tuple[int, int, UInt8Array]]:
    """Yield left, top and content of the (192, 192, 3) windows that cover `level`, overlapping."""
    height, width = level.shape[:2]
    for top in _starts(height):
        for left in _starts(width):
            square = np.zeros((WINDOW, WINDOW, 3), np.uint8)
            y0, x0 = max(0, -top), max(0, -left)
            part = level[max(0, top) : top + WINDOW, max(0, left) : left + WINDOW]
            square[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] = part
            yield left, top, square


def _starts(length: int) -> list[int]:
    """Return where the windows begin along one side; a side shorter than a window lies in its middle."""
    if length <= WINDOW:
        return [-((WINDOW - length) // 2)]
    steps = math.ceil((length - WINDOW) / STRIDE)
    return [round(k * (length - WINDOW) / steps) for k in range(steps + 1)]


def _convincing(score: float, logit: float) -> bool:
    """Whether detector and mesh together are sure of a face: the less the one, the more the other must be.

    On faces, also small, turned and drawn ones, the score is mostly above 0.6 and the logit above 25; on
    textures, noise and night skies that got past the detector they reached (0.65, 10) and (0.42, 21).
    """
    return logit > 30 - 20 * score


def _size(face: Face) -> float:
    x0, y0, x1, y1 = face.box
    return max(x1 - x0, y1 - y0)


def _same(box: Float32Array, face: Face) -> bool:
    """Whether a box (4,) and a face are of one face."""
    return bool(overlap(np.array(face.box, np.float32), box[None])[0] > 0.3)


def _on_one_of(box: Float32Array, faces: list[Face]) -> bool:
    """Whether a box (4,) lies mostly on a known face: that one again, or an eye or ear taken for a face."""
    for face in faces:
        other = np.array(face.box, np.float32)
        common = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
        smaller = min(np.prod(box[2:] - box[:2]), np.prod(other[2:] - other[:2]))
        if common.min() > 0 and np.prod(common) > 0.5 * smaller:
            return True
    return False
