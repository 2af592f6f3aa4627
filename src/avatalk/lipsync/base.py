"""The contract of stage 4: mouth and head of any output frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from avatalk.events import Monitor
from avatalk.media import Avatar, FaceTrack, MotionCurve, UInt8Array, VisemeCurve
from avatalk.speech.audio import AudioClip


@dataclass(frozen=True, slots=True)
class Shot:
    """Everything an engine may look at. Rows of both curves are the output frames.

    Attributes:
        avatar: already placed on the canvas: a photograph's `picture` is (height, width, 3), or premultiplied
            RGBA, (height, width, 4), if the person was cut out.
        track: faces in pixels of the canvas; None for a drawn avatar, which knows its own face.
        visemes: what the mouth does.
        motion: what head, lids and eyes do.
        width: of the canvas, pixels, even.
        height: of the canvas, pixels, even.
        seed: of the request.
        audio: what is said.
        fps: frames per second, exact.
        pictures: yields the output frames from one index to another before the lips are redrawn; None for a
            still, whose picture is the avatar's.
        source: (frames,) int64, for each output frame the entry of `track`; None for a still.
        boxes: for each entry of `track` where a detector of boxes sees the face: x0, y0, x1, y1 in whole
            pixels, or None where there is no face; None as a whole: taken from the faces of `track`.
        cut_out: frames show the person alone, as RGBA; the pictures are RGBA then as well, and there is no
            backdrop.
        backdrop: (height, width, 3) uint8 RGB, what a drawn avatar, or a still that was cut out, stands
            before in every frame; None for a drawn avatar's own wall.
        close: how much larger than a bust a drawn avatar is shown, 1 to 2.
    """

    avatar: Avatar
    track: FaceTrack | None
    visemes: VisemeCurve
    motion: MotionCurve
    width: int
    height: int
    seed: int = 0
    audio: AudioClip | None = None
    fps: Fraction = Fraction(25)
    pictures: Callable[[int, int], Iterator[UInt8Array]] | None = None
    source: npt.NDArray[np.int64] | None = None
    boxes: tuple[tuple[int, int, int, int] | None, ...] | None = None
    cut_out: bool = False
    backdrop: UInt8Array | None = None
    close: float = 1.0

    @property
    def n_frames(self) -> int:
        """Number of output frames."""
        return len(self.visemes.values)


class Animation(ABC):
    """A prepared shot. Any frame can be asked for, in any order, any number of times, from any thread.

    Rule: a frame is a pure function of the shot and its index, the same bits whoever asks.
    """

    one_by_one: ClassVar[bool] = True
    """Whether a frame alone costs no more than a frame of a long range."""

    @property
    def by_rows(self) -> bool:
        """Whether a frame depends on nothing but its own rows of the curves, and what no text changes."""
        return False

    @abstractmethod
    def frames(self, start: int, stop: int) -> Iterator[UInt8Array]:
        """Yield frames `start` to `stop` - 1, owned by the caller.

        Each is uint8: (height, width, 3) RGB, or (height, width, 4) premultiplied RGBA of a shot that is
        cut out.
        """

    @property
    def faceless(self) -> list[tuple[float, float]]:
        """Stretches without a face, which pass unchanged: first second, and the one after the last."""
        return []


@dataclass(frozen=True, slots=True)
class Options:
    """What a request says to engines that run networks.

    Attributes:
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        original: put the mouth back as the original of the engine did.
        smooth: steady the face's box in time.
        pads: pixels added to the face's box at the top, bottom, left and right.
        avatar: as the request gives it.
    """

    device: str = "auto"
    original: bool = False
    smooth: bool = True
    pads: tuple[int, int, int, int] = (0, 10, 0, 0)
    avatar: str = ""


class LipSync(ABC):
    """An engine that moves the mouth."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def configured(cls, engine: str, options: Options, monitor: Monitor) -> LipSync:
        """Return the engine called `engine`, told what the request says; it may fetch its weights."""

    @classmethod
    def ahead(cls, engine: str, avatar: Path, device: str) -> Callable[[], object] | None:  # noqa: ARG003
        """Return what can be done before all else, since it takes long and depends on the picture alone.

        It is called in a thread; `configured` finds the result in `avatalk.early`, by the same three. What
        goes wrong in it is told by whoever does it again.
        """
        return None

    @property
    def runs_on(self) -> str:
        """Device, precision and library, for the result; empty where there is nothing to tell."""
        return ""

    @abstractmethod
    def prepare(self, shot: Shot) -> Animation:
        """Do all work that is done once for a shot (rasterise layers, triangulate, load weights)."""
