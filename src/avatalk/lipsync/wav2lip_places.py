"""Where the face is in every frame of a shot, steadied in time: what Wav2Lip looks at and draws on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

from avatalk.lipsync.base import Shot
from avatalk.lipsync.wav2lip_blend import OUTLINE_POINTS, outline, usual_outline
from avatalk.lipsync.wav2lip_crop import Box, pad_box, smooth_boxes
from avatalk.media import Face, Float32Array

Pads = tuple[int, int, int, int]
MESH = 468  # landmarks, from hairline to chin; the irises follow
_STEADY = 2.0  # frames, width of the bell that boxes and landmarks are smoothed with


@dataclass(frozen=True, slots=True)
class Place:
    """Where the face of a source frame is: the network's box, and the outline of lips and chin, pixels."""

    box: Box
    outline: Float32Array


@dataclass(frozen=True, slots=True, eq=False)
class Places(Sequence["Place | None"]):
    """The place of the face in every source frame, None where there is none: 230 bytes a frame.

    Attributes:
        boxes: (frames, 4) int32, x0, y0, x1, y1.
        outlines: (frames, 27, 2) float32.
        seen: (frames,) bool.
    """

    boxes: npt.NDArray[np.int32]
    outlines: Float32Array
    seen: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """Number of source frames."""
        return len(self.seen)

    @overload
    def __getitem__(self, index: int) -> Place | None: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Place | None]: ...

    def __getitem__(self, index: int | slice) -> Place | Sequence[Place | None] | None:
        """Return one place, or those of a range."""
        if isinstance(index, slice):
            return Places(self.boxes[index], self.outlines[index], self.seen[index])
        if not self.seen[index]:
            return None
        x0, y0, x1, y1 = self.boxes[index].tolist()
        return Place((x0, y0, x1, y1), self.outlines[index])


def find_places(shot: Shot, pads: Pads, smooth: bool, original: bool) -> Places:
    """Return where the face is in every source frame.

    Args:
        shot: with a track, boxes, or both.
        pads: pixels added to the face's box at the top, bottom, left and right.
        smooth: steady boxes and outlines in time.
        original: steady the boxes as the original does.
    """
    faces = shot.track.faces if shot.track is not None else ()
    n = len(shot.boxes or faces)
    outlines = np.zeros((n, OUTLINE_POINTS, 2), np.float32)
    places = Places(np.zeros((n, 4), np.int32), outlines, np.zeros(n, bool))
    for index in range(n):
        face = faces[index] if faces else None
        box = shot.boxes[index] if shot.boxes else _box(face) if face is not None else None
        if box is not None:
            x0, y0, x1, y1 = view = pad_box(box, pads, shot.width, shot.height)
            places.boxes[index], places.seen[index] = view, x1 - x0 > 1 and y1 - y0 > 1
            outlines[index] = outline(face.landmarks) if face is not None else usual_outline(view)
    for run in _runs(places.seen) if smooth else ():
        if original:
            places.boxes[run] = smooth_boxes(places.boxes[run].astype(np.int64))
        else:
            places.boxes[run] = np.round(_steadied(places.boxes[run]))
            places.outlines[run] = _steadied(places.outlines[run])
    return places


def _box(face: Face) -> Box:
    """The box of the whole face with its forehead, as the boxes were that the network learned on."""
    points = face.landmarks[:MESH, :2]
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return round(x0), round(y0), round(x1), round(y1)


def _runs(seen: npt.NDArray[np.bool_]) -> Iterator[slice]:
    """Every stretch in which the face is seen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]])))
    for first, stop in edges.reshape(-1, 2).tolist():
        yield slice(first, stop)


def _steadied(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Smooth (frames, …) in time with a bell, the ends repeated."""
    reach = round(3 * _STEADY)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _STEADY) ** 2)
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    smooth = np.zeros(values.shape)
    for first, weight in enumerate(bell / bell.sum()):
        smooth += weight * padded[first : first + len(values)].astype(np.float64)
    return smooth
