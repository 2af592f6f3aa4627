"""Which of the faces in a picture is to speak."""

from __future__ import annotations

import math

from avatalk.errors import BadInput, FaceError
from avatalk.events import Monitor
from avatalk.media import Face

SMALLEST = 36.0  # pixels; a face that a person measures as 40 wide, less what the measure may be off
TURNED = math.radians(35)  # beyond it the far corner of the mouth is hidden
_CHEEKS = (234, 454)  # landmarks in front of the ears, left and right in the picture


def choose(faces: list[Face], wanted: int | None, picture_size: tuple[int, int], monitor: Monitor) -> Face:
    """Return the face to animate: number `wanted`, else the largest.

    Faces that are large enough are numbered from 1, from left to right. A warning tells of the others,
    and of a face that is turned far to a side.

    Args:
        faces: all that were found.
        wanted: number of a face, or None.
        picture_size: width and height of the picture, pixels.
        monitor: takes the warnings.

    Raises:
        FaceError: there is no face, or none large enough.
        BadInput: there is no face of that number.
    """
    width, height = picture_size
    if not faces:
        raise FaceError(
            f"No face was found in the picture ({width}×{height}).",
            hint="Use a picture in which a face of at least 40 pixels is seen from the front, upright and"
            " well lit, both eyes and the mouth uncovered; turn the picture if it lies on its side.",
            stage="face",
            field="avatar",
        )
    numbered = sorted((face for face in faces if size(face) >= SMALLEST), key=lambda face: _centre(face)[0])
    if not numbered:
        raise FaceError(
            f"The face is too small: {size(max(faces, key=size)):.0f} pixels wide, and 40 are needed.",
            hint="Use a larger picture, or one taken from closer.",
            stage="face",
            field="avatar",
        )
    if wanted is not None and not 1 <= wanted <= len(numbered):
        raise BadInput(
            f"There is no face number {wanted}: the picture has {_several(numbered, picture_size)}.",
            hint=f"Choose a number from 1 to {len(numbered)}." if len(numbered) > 1 else "Choose 1.",
            stage="face",
            field="face",
        )
    chosen = max(numbered, key=size) if wanted is None else numbered[wanted - 1]
    if wanted is None and len(numbered) > 1:
        monitor.warn(
            f"The picture has {_several(numbered, picture_size)}. The largest, number"
            f" {numbered.index(chosen) + 1}, is taken; `--face N` chooses another."
        )
    if abs(yaw(chosen)) > TURNED:
        monitor.warn(
            f"The face is turned {abs(math.degrees(yaw(chosen))):.0f}° to the side: the mouth will look"
            " better on a picture taken from the front."
        )
    return chosen


def size(face: Face) -> float:
    """Pixels across the face: the longer side of its box."""
    x0, y0, x1, y1 = face.box
    return max(x1 - x0, y1 - y0)


def yaw(face: Face) -> float:
    """Radians by which the face is turned to a side, from the depth of its cheeks; positive: to the right."""
    run, rise, depth = (float(value) for value in face.landmarks[_CHEEKS[1]] - face.landmarks[_CHEEKS[0]])
    return math.atan2(depth, math.hypot(run, rise))


def _several(faces: list[Face], picture_size: tuple[int, int]) -> str:
    """Say how many faces there are, and where each is."""
    if len(faces) == 1:
        return "one face"
    places = (f"{k} {_place(face, picture_size)} ({size(face):.0f} px)" for k, face in enumerate(faces, 1))
    return f"{len(faces)} faces: {', '.join(places)}"


def _place(face: Face, picture_size: tuple[int, int]) -> str:
    across, down = (
        min(2, max(0, int(3 * at / side))) for at, side in zip(_centre(face), picture_size, strict=True)
    )
    words = " ".join(word for word in (("upper", "", "lower")[down], ("left", "", "right")[across]) if word)
    return {"": "in the middle", "upper": "at the top", "lower": "at the bottom"}.get(
        words, f"at the {words}"
    )


def _centre(face: Face) -> tuple[float, float]:
    x0, y0, x1, y1 = face.box
    return (x0 + x1) / 2, (y0 + y1) / 2
