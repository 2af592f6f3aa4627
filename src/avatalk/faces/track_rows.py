"""The faces of a track on the disk, 2.9 kB a frame, so that memory does not grow with the clip."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from avatalk.media import Face, Float32Array
from avatalk.workspace import cannot_write


class Row(NamedTuple):
    """A face in half the memory: landmarks from the middle of the box, in halves of its longer side."""

    box: tuple[float, float, float, float]
    landmarks: npt.NDArray[np.float16]
    score: float

    @classmethod
    def of(cls, face: Face) -> Row:
        """Return `face` in this form."""
        middle, half = frame_of(face.box)
        return cls(face.box, ((face.landmarks - middle) / half).astype(np.float16), face.score)

    def face(self) -> Face:
        """Return it as it was, but for rounding."""
        middle, half = frame_of(self.box)
        return Face(self.box, self.landmarks.astype(np.float32) * half + middle, self.score)


class Rows:
    """Rows on the disk, in a file that nobody else sees and that goes with this: a clip may be long."""

    _FORM = np.dtype([("seen", "?"), ("box", "f8", 4), ("score", "f8"), ("landmarks", "f2", (478, 3))])

    def __init__(self) -> None:
        with _told():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this
        weakref.finalize(self, self._file.close)
        self._lock = Lock()
        self._count = 0

    def __len__(self) -> int:
        """Frames so far."""
        return self._count

    def append(self, row: Row | None) -> None:
        """Add the face of the next frame, None where there is none."""
        self[self._count] = row
        self._count += 1

    def __setitem__(self, index: int, row: Row | None) -> None:
        """Put a face in the place of another."""
        record = np.zeros((), self._FORM)
        if row is not None:
            record["seen"], record["box"], record["score"] = True, row.box, row.score
            record["landmarks"] = row.landmarks
        with self._lock, _told():
            self._file.seek(index * self._FORM.itemsize)
            self._file.write(record.tobytes())

    def __getitem__(self, index: int) -> Row | None:
        """Return the face of a frame."""
        if not 0 <= index < self._count:
            raise IndexError(f"frame {index} of {self._count}")
        with self._lock:
            self._file.seek(index * self._FORM.itemsize)
            record = np.frombuffer(self._file.read(self._FORM.itemsize), self._FORM)[0]
        if not record["seen"]:
            return None
        x0, y0, x1, y1 = record["box"].tolist()
        return Row((x0, y0, x1, y1), record["landmarks"], float(record["score"]))


def frame_of(box: tuple[float, float, float, float]) -> tuple[Float32Array, np.float32]:
    """Return the middle (3,) and half the longer side of a box, pixels."""
    x0, y0, x1, y1 = box
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2, 0], np.float32)
    return middle, np.float32(max(x1 - x0, y1 - y0, 1.0) / 2)


@contextmanager
def _told() -> Iterator[None]:
    """Say what failing storage means for the user."""
    try:
        yield
    except OSError as error:
        raise cannot_write(Path(tempfile.gettempdir()), error) from error
