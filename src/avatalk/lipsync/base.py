"""The contract of stage 4: mouth and head of any output frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from avatalk.media import Avatar, FaceTrack, MotionCurve, UInt8Array, VisemeCurve


@dataclass(frozen=True, slots=True)
class Shot:
    """Everything an engine may look at. Rows of both curves are the output frames.

    Attributes:
        avatar: already placed on the canvas: a photograph's `picture` is (height, width, 3).
        track: faces in pixels of the canvas; None for a drawn avatar, which knows its own face.
        visemes: what the mouth does.
        motion: what head, lids and eyes do.
        width: of the canvas, pixels, even.
        height: of the canvas, pixels, even.
        seed: of the request.
    """

    avatar: Avatar
    track: FaceTrack | None
    visemes: VisemeCurve
    motion: MotionCurve
    width: int
    height: int
    seed: int = 0

    @property
    def n_frames(self) -> int:
        """Number of output frames."""
        return len(self.visemes.values)


class Animation(ABC):
    """A prepared shot. Any frame can be asked for, in any order, any number of times, from any thread.

    Rule: a frame is a pure function of the shot and its index, the same bits whoever asks.
    """

    @abstractmethod
    def frames(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """Yield frames `start` to `stop` - 1, each (height, width, 3) uint8 RGB, owned by the caller."""


class LipSync(ABC):
    """An engine that moves the mouth."""

    name: ClassVar[str]

    @abstractmethod
    def prepare(self, shot: Shot) -> Animation:
        """Do all work that is done once for a shot (rasterise layers, triangulate, load weights)."""
