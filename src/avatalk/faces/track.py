"""One face followed through a clip: chosen once, found again when lost, never exchanged for another's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Protocol, overload, runtime_checkable

import cv2
import numpy as np
import numpy.typing as npt

from avatalk.errors import FaceError
from avatalk.events import Monitor
from avatalk.faces.base import FaceFinder
from avatalk.faces.choose import SMALLEST, choose, size
from avatalk.faces.likeness import Looks, glance, likeness
from avatalk.faces.track_rows import Row, Rows, frame_of
from avatalk.media import Face, FaceTrack, Float32Array, UInt8Array

LONGEST_GAP = 3
"""Frames without the face that are bridged by straight lines, as when a hand passes."""
_STRIDE = 5  # frames between two searches while the face is lost; those between are looked at afterwards
_FINE = 5  # of the searches for a first face, one in this many is for small ones too
_SEARCHED_SIZE = 100.0  # pixels that the lost face has in the copy that is searched
_SEARCHED_SIDE = 480  # longer side of the copy at least, pixels
_ALIKE = 0.35  # likeness of a face to what it was shortly before
_SAME_SHOT = 0.8  # product of two glances; below it one had better look again
_ALIKE_NEAR, _ALIKE_FAR = 0.45, 0.7  # likeness of a face found again, where it was lost and elsewhere
_LEAP = 0.12  # distances of the eyes that a landmark may move in two frames for the one between to be skipped
_CAREFUL = 10  # frames in which none is skipped after the face has moved more
_MANY = 250  # frames between two reports


@runtime_checkable
class Follower(Protocol):
    """A finder that is faster where it knows the face in the frame before."""

    def refine(self, picture: UInt8Array, previous: Face) -> Face | None:
        """Return where `previous` has moved to in the next picture; None if it is lost."""


def track_faces(
    pictures: Iterable[UInt8Array],
    finder: FaceFinder,
    wanted: int | tuple[float, float] | None,
    picture_size: tuple[int, int],
    monitor: Monitor | None = None,
    every: int = 10,
) -> FaceTrack:
    """Follow one face through the frames of a clip.

    It is chosen in the first frame with a face that is large enough. The result lies on the disk, 2.9 kB a
    frame; its faces are made when they are asked for, their landmarks the mean of three frames (1, 2, 1)
    where the face moves little.

    Args:
        pictures: every frame in order, (height, width, 3) uint8 RGB.
        finder: of faces; one that is a `Follower` is several times as fast.
        wanted: number of the face, counted from the left; or the point (x, y), in pixels, it is nearest to;
            or None: the largest.
        picture_size: width and height, pixels.
        monitor: told of the frames done, and warned if there are several faces.
        every: frames between two looks at whether it still is the same person.

    Raises:
        FaceError: no frame has a face that is large enough.
        BadInput: there is no face of that number.
        Cancelled: `monitor` was cancelled.
    """
    monitor = monitor or Monitor()
    tracker = _Tracker(finder, wanted, picture_size, monitor, every)
    number = -1
    for number, picture in enumerate(pictures):
        if number % _MANY == 0:
            monitor.report("face", number, 0, "frames")
        tracker.see(picture)
    tracker.finish()
    if not tracker.began:
        width, height = picture_size
        raise FaceError(
            f"No face was found in the clip ({width}×{height}, {number + 1} frames).",
            hint="Use a clip in which a face of at least 40 pixels is seen from the front, upright and well"
            " lit, both eyes and the mouth uncovered.",
            stage="face",
            field="avatar",
        )
    _bridge(tracker.rows)
    return FaceTrack(_Faces(tracker.rows))


def missing_ranges(
    track: FaceTrack, times: npt.NDArray[np.float64], source: npt.NDArray[np.int64] | None = None
) -> list[tuple[float, float]]:
    """Return from when until when the face is not seen, in seconds.

    Args:
        track: the faces.
        times: (frames,) float64 ascending: when each frame is shown.
        source: (frames,) the entry of `track` that each shows; None: one after the other.
    """
    faces = track.faces
    numbers = range(len(faces)) if source is None else source
    seen = [faces[int(number)] is not None for number in numbers]
    ends = np.append(times[1:], times[-1] + (np.median(np.diff(times)) if len(times) > 1 else 0.0))
    ranges = []
    for visible, group in groupby(range(len(seen)), key=seen.__getitem__):
        stretch = list(group)
        if not visible:
            ranges.append((float(times[stretch[0]]), float(ends[stretch[-1]])))
    return ranges


# --- what is kept ----------------------------------------------------------------------------------


class _Faces(Sequence["Face | None"]):
    """Faces made from rows when they are asked for, steadied by their neighbours."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Face | None: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Face | None, ...]: ...
    def __getitem__(self, index: int | slice) -> Face | tuple[Face | None, ...] | None:
        if isinstance(index, slice):
            return tuple(self[number] for number in range(*index.indices(len(self))))
        index += len(self._rows) if index < 0 else 0
        row = self._rows[index]
        if row is None:
            return None
        around = (self._rows[k] if 0 <= k < len(self._rows) else None for k in (index - 1, index + 1))
        face = row.face()
        # Both or none: a mean with one neighbour alone would move the face.
        before, after = (
            other if other is not None and _near(row.box, other.box) else None for other in around
        )
        if before is None or after is None:
            return face
        landmarks = face.landmarks / 2 + (before.face().landmarks + after.face().landmarks) / 4
        box = np.array(row.box) / 2 + (np.array(before.box) + np.array(after.box)) / 4
        x0, y0, x1, y1 = map(float, box)
        return Face((x0, y0, x1, y1), np.asarray(landmarks, np.float32), row.score)


def _bridge(rows: Rows) -> None:
    """Fill short gaps."""
    last, before = -1, None
    for number in range(len(rows)):
        row = rows[number]
        if row is None:
            continue
        if before is not None and 1 < number - last <= LONGEST_GAP + 1 and _near(before.box, row.box):
            for k in range(last + 1, number):
                rows[k] = _between(before, row, (k - last) / (number - last))
        last, before = number, row


def _between(a: Row, b: Row, part: float) -> Row:
    x0, y0, x1, y1 = (float(p + part * (q - p)) for p, q in zip(a.box, b.box, strict=True))
    landmarks = a.landmarks * (1 - part) + b.landmarks * part
    return Row((x0, y0, x1, y1), landmarks.astype(np.float16), min(a.score, b.score))


def _near(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    """Whether two boxes are about as large and less than half a face apart: one face in frames close by."""
    wide, other = max(a[2] - a[0], a[3] - a[1]), max(b[2] - b[0], b[3] - b[1])
    apart = math.hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2
    return apart < 0.5 * wide and 0.7 < wide / max(other, 1e-6) < 1.4


def _way(a: Face, b: Face) -> float:
    """How far the landmark moves that moves most, pixels."""
    return float(np.linalg.norm(a.landmarks[:, :2] - b.landmarks[:, :2], axis=1).max())


# --- following -------------------------------------------------------------------------------------


class _Tracker:
    """Takes the frames one after the other and keeps the rows of the face."""

    def __init__(
        self,
        finder: FaceFinder,
        wanted: int | tuple[float, float] | None,
        picture_size: tuple[int, int],
        monitor: Monitor,
        every: int,
    ) -> None:
        self.rows = Rows()
        self._finder, self._wanted, self._monitor, self._every = finder, wanted, monitor, every
        self._picture_size = picture_size
        self._face: Face | None = None  # in the frame before
        self._last: Face | None = None  # where it was seen last
        self._looks: list[Looks] = []  # at first, and lately
        self._glance: Float32Array | None = None  # at the frame before
        self._waiting: list[UInt8Array] = []  # frames in which it has not been looked for yet
        self._searches = 0
        self._careful = 0  # frames that must not be skipped
        self._check_at = 0  # frames after which it is made sure again that it is the same person
        self._skipped: UInt8Array | None = None  # the frame before, if it waits for the next one

    @property
    def began(self) -> bool:
        """Whether a face has been chosen."""
        return bool(self._looks)

    def see(self, picture: UInt8Array) -> None:
        """Take the next frame. While the face moves little, every second one is taken to lie in between."""
        if self._skipped is not None:
            skipped, self._skipped = self._skipped, None
            if self._leap(picture):
                return
            self._careful = _CAREFUL
            self._step(skipped)
        if self._face is not None and not self._careful and isinstance(self._finder, Follower):
            self._skipped = picture
        else:
            self._careful = max(0, self._careful - 1)
            self._step(picture)

    def _leap(self, picture: UInt8Array) -> bool:
        """Follow the face over the frame that was skipped; False, and nothing done, if it moves too much."""
        before, looked_like = self._face, self._glance
        after = None if before is None else self._follow(picture, before)
        if before is None or after is None or _way(before, after) > _LEAP * before.eye_distance:
            self._glance = looked_like
            return False
        self.rows.append(_between(Row.of(before), Row.of(after), 0.5))
        self.rows.append(Row.of(after))
        self._face = self._last = after
        return True

    def _step(self, picture: UInt8Array) -> None:
        was_seen = self._face is not None or not len(self.rows)
        if self._face is not None:
            self._face = self._follow(picture, self._face)
            if self._face is not None:
                self._last = self._face
                self.rows.append(Row.of(self._face))
                return
        self._waiting.append(picture)
        if was_seen or len(self._waiting) == _STRIDE:
            self._catch_up()

    def finish(self) -> None:
        """Look at the frames that wait."""
        if self._skipped is not None:
            self._step(self._skipped)
            self._skipped = None
        self._catch_up()

    def _catch_up(self) -> None:
        """Look for the face in the frames that wait: in the last, and backwards from there."""
        if not self._waiting:
            return
        picture = self._waiting.pop()
        self._face = face = self._search(picture)
        found: list[Row | None] = [None] * (len(self._waiting) + 1)
        if face is not None:
            self._last, self._glance = face, glance(picture, face)
            found[-1] = Row.of(face)
            there = self._glance
            for number in range(len(self._waiting) - 1, -1, -1):
                face = self._follow(self._waiting[number], face)
                if face is None:
                    break
                found[number] = Row.of(face)
            self._glance = there
        for row in found:
            self.rows.append(row)
        self._waiting.clear()

    def _follow(self, picture: UInt8Array, previous: Face) -> Face | None:
        """Return the face in the frame beside that in which it was `previous`."""
        if isinstance(self._finder, Follower):
            face = self._refined(picture, previous)
        else:
            face = self._pick(picture, [f for f in self._finder.find(picture) if _near(f.box, previous.box)])
        if face is None:
            return None
        before, self._glance = self._glance, glance(picture, face)
        doubtful = before is not None and before @ self._glance < _SAME_SHOT
        if doubtful or len(self.rows) >= self._check_at:
            self._check_at = len(self.rows) + self._every
            looks = Looks.of(picture, face)
            if max(likeness(looks, other) for other in self._looks) < _ALIKE:
                return None
            self._looks[1:] = [looks]
        return face

    def _refined(self, picture: UInt8Array, previous: Face) -> Face | None:
        return self._finder.refine(picture, previous) if isinstance(self._finder, Follower) else None

    def _search(self, picture: UInt8Array) -> Face | None:
        """Find the face anywhere in a picture: the first one, or the lost one again."""
        if self._last is None:
            return self._first(picture)
        longer = max(self._picture_size)
        side = max(_SEARCHED_SIDE, longer * _SEARCHED_SIZE / size(self._last))
        return self._pick(picture, self._find_in_copy(picture, side))

    def _first(self, picture: UInt8Array) -> Face | None:
        """Choose a face; small ones are looked for in the first frame, and now and then."""
        fine = self._searches % _FINE == 0
        self._searches += 1
        if not fine and not self._find_in_copy(picture, _SEARCHED_SIDE):
            return None
        faces = [face for face in self._finder.find(picture) if size(face) >= SMALLEST]
        if not faces:
            return None
        if isinstance(self._wanted, tuple):
            point = self._wanted
            chosen = min(faces, key=lambda face: math.dist(point, frame_of(face.box)[0][:2]))
        else:
            chosen = choose(faces, self._wanted, self._picture_size, self._monitor)
        self._looks.append(Looks.of(picture, chosen))
        return chosen

    def _pick(self, picture: UInt8Array, faces: list[Face]) -> Face | None:
        """Return the face that is the chosen person's, if one is."""
        best, best_likeness = None, 0.0
        for face in faces:
            looks = Looks.of(picture, face)
            alike = max(likeness(looks, other) for other in self._looks)
            near = self._last is not None and _near(face.box, self._last.box)
            if alike > max(best_likeness, _ALIKE_NEAR if near else _ALIKE_FAR):
                best, best_likeness = face, alike
        return best

    def _find_in_copy(self, picture: UInt8Array, side: float) -> list[Face]:
        """Find faces in a copy with a longer side of at most `side`; they are in pixels of `picture`."""
        height, width = picture.shape[:2]
        scale = side / max(height, width)
        if scale >= 1:
            return self._finder.find(picture)
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        copy = np.asarray(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), np.uint8)
        faces = []
        for face in self._finder.find(copy):
            grown = _scaled(face, width / small[0], height / small[1])
            faces.append(self._refined(picture, grown) or grown)
        return faces


def _scaled(face: Face, across: float, down: float) -> Face:
    x0, y0, x1, y1 = face.box
    factors = np.array([across, down, across], np.float32)
    return Face((x0 * across, y0 * down, x1 * across, y1 * down), face.landmarks * factors, face.score)
