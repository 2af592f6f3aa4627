"""Clips as avatars: which frames there are and when, and any of them as a picture, in any order.

A frame's number is its place among the frames in the order in which they are shown; its time is counted
from the first one. Colour, turn and shape of pixels follow what the file says of itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avatalk.avatars.clip_index import Index, count_frames, decode, packets, read_index
from avatalk.avatars.clip_picture import Painter, Turn, has_high_range, square_size
from avatalk.errors import UnreadableFile
from avatalk.events import Monitor
from avatalk.media import UInt8Array, reading

Loop = Literal["loop", "bounce", "hold"]
Frames: TypeAlias = "Sequence[int] | npt.NDArray[np.int64]"

HELD_BYTES = 256_000_000
"""Most memory for decoded frames while a clip is shown backwards."""
_NEAR = 8  # frames; further ahead, or back, it is worth looking for a key frame
_EARLY_S = 1e-6  # a frame is shown from this much before its time on, which is more than rounding makes
_THREADS = min(4, os.cpu_count() or 1)  # each holds frames of its own
_STILL_FORMATS = ("image2", "_pipe", "webp", "tty")  # FFmpeg's names for single pictures, and for text
_ATTACHED_PICTURE = 0x400  # FFmpeg's disposition of a cover


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Clip:
    """A clip that was read through once and found good.

    Attributes:
        path: the file.
        width: of the upright picture with square pixels.
        height: likewise.
        fps: the clip's own rate, exact; of a clip with a variable rate the average, or the standard rate
            within 0.1 % of it.
        times: (frames,) float64, ascending from 0: when each frame is shown, seconds.
        duration_s: until the last frame ends.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    times: npt.NDArray[np.float64]
    duration_s: float
    _index: Index
    _turn: Turn

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.times)

    def frames(self, numbers: Frames) -> Iterator[UInt8Array]:
        """Yield frames by number, in the order given, each (height, width, 3) uint8 RGB, the caller's own.

        A frame is the same bits whoever asks, unless the file is damaged. Going forward each is decoded
        once; going backwards stretches of frames are held, at most `HELD_BYTES` of them.

        Args:
            numbers: in 0..len(self)-1, in any order, repeated or not.

        Raises:
            UnreadableFile: the file is gone, or no longer the one that was opened.
        """
        with _Reader(self.path, self._index) as reader:
            painter = Painter((self.width, self.height), self._turn)
            for run in _runs(numbers, max(2, HELD_BYTES // reader.frame_bytes)):
                held = {number: reader.frame(number) for number in sorted(set(run))}
                for number in run:
                    yield painter.paint(held[number])
                held.clear()  # before the next run is held, not after


def is_clip(path: str | Path) -> bool:
    """Whether a file is a moving picture: a video of more than one frame, or one too damaged to tell.

    Pictures, sounds (with or without a cover) and single frames are not; an animated GIF is.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(12)
        with _opened(path) as (container, stream):
            seen = 0
            for packet in packets(container, stream):
                seen += bool(packet.size)
                if seen > 1:
                    return True
    except OSError:
        return False
    except UnreadableFile:
        return _looks_like_video(head)
    return False


def open_clip(path: str | Path, monitor: Monitor | None = None) -> Clip:
    """Read a clip through once, mostly without decoding it, to know its frames, their times and its shape.

    Args:
        path: a video in any container and codec that PyAV reads, of any length.
        monitor: told of progress in seconds, and warned of a damaged or truncated file that is still usable.

    Raises:
        UnreadableFile: missing, a folder, empty, not a video, or too damaged.
    """
    path = Path(path)
    monitor = monitor or Monitor()
    index = None
    for read in (read_index, count_frames):
        if index is None:
            with _opened(path) as (container, stream):
                index = read(container, stream, monitor, path.name)
    if index is None:
        raise _unreadable(path, "is damaged: none of its pictures can be decoded", "Export or copy it again.")
    with _opened(path) as (container, stream):
        first = next(decode(container, stream), None)
        if first is None:
            raise _unreadable(
                path, "is damaged: none of its pictures can be decoded", "Export or copy it again."
            )
        turn = Turn.of(first)
        width, height = square_size(first, stream)
    if index.lacking_s:
        monitor.warn(
            f"{path.name} is incomplete: it says {index.duration_s + index.lacking_s:.1f} s and holds"
            f" {index.duration_s:.1f} s, which are used."
        )
    elif index.damaged:
        monitor.warn(f"{path.name} is damaged; what cannot be decoded was left out.")
    if has_high_range(stream):
        monitor.warn(f"{path.name} has a high dynamic range; its colours will look flat.")
    if turn.transposed:
        width, height = height, width
    return Clip(path, width, height, index.fps, index.times, index.duration_s, index, turn)


def schedule(clip: Clip, fps: Fraction, n_frames: int, loop: Loop) -> npt.NDArray[np.int64]:
    """Return which frame of the clip each frame of the video shows.

    Args:
        clip: longer than the video or shorter; what is over is not shown.
        fps: of the video; frame i shows what the clip shows i / fps seconds after its beginning.
        n_frames: of the video.
        loop: when the clip is over: ``"loop"`` begins anew, ``"bounce"`` goes back and forth without showing
            the frames at the ends twice, ``"hold"`` keeps the last frame.

    Returns:
        (n_frames,) int64 in 0..len(clip)-1.
    """
    lengths = np.diff(clip.times, append=clip.duration_s)
    order = np.arange(len(clip))
    if loop == "bounce":
        order = np.concatenate([order, order[-2:0:-1]])
    ends = np.cumsum(lengths[order])
    times = np.arange(n_frames) * float(1 / fps) + _EARLY_S
    if loop != "hold":
        times %= ends[-1]
    places = np.searchsorted(ends, times, side="right")
    return order[np.minimum(places, len(order) - 1)].astype(np.int64)


# --- reading ---------------------------------------------------------------------------------------


class _Reader:
    """Decodes the frames of one clip by number, cheapest in ascending order."""

    def __init__(self, path: Path, index: Index) -> None:
        self._path, self._index = path, index
        self._count = self._at = -1
        self._shown: VideoFrame | None = None
        self._next: tuple[int, VideoFrame] | None = None
        self._open()

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.__exit__(None, None, None)

    @property
    def frame_bytes(self) -> int:
        """Memory that a decoded frame takes."""
        return sum(plane.buffer_size for plane in self._next[1].planes) if self._next else 1

    def frame(self, number: int) -> VideoFrame:
        """Return a frame; in place of one that cannot be decoded, the one before it."""
        if not 0 <= number < len(self._index.times):
            raise IndexError(f"frame {number} of {len(self._index.times)}")
        keys = self._index.keys
        place = int(np.searchsorted(keys, number, side="right")) - 1
        if number < self._at or max(keys[place], number - _NEAR) > self._at + 1:
            self._seek(place)
        while self._next is not None and self._next[0] <= number:
            self._at, self._shown = self._next
            self._advance()
        if self._shown is not None:
            return self._shown
        if self._next is None:
            raise _unreadable(
                self._path,
                "changed while it was being read",
                "Leave the file in place until the video is finished, then start again.",
            )
        return self._next[1]

    def _open(self) -> None:
        self._context = _opened(self._path)
        self._container, self._stream = self._context.__enter__()
        self._begin()

    def _begin(self) -> None:
        """Decode from where the container stands on."""
        self._decoded = decode(self._container, self._stream)
        self._count = self._at = -1
        self._shown = self._next = None
        self._advance()

    def _advance(self) -> None:
        """Get the next frame that the index knows."""
        for frame in self._decoded:
            self._count += 1
            number = self._number(frame)
            if number is not None:
                self._next = number, frame
                return
        self._next = None

    def _number(self, frame: VideoFrame) -> int | None:
        stamps = self._index.stamps
        if stamps is None:
            return self._count
        if frame.pts is None:
            return None
        number = int(np.searchsorted(stamps, frame.pts))
        return number if number < len(stamps) and stamps[number] == frame.pts else None

    def _seek(self, place: int) -> None:
        """Go to a key frame, or to one before it where the container has its own idea of their times."""
        stamps, keys = self._index.stamps, self._index.keys
        back = 1
        while stamps is not None and place > 0:
            try:
                self._container.seek(int(stamps[keys[place]]), stream=self._stream)
            except (FFmpegError, OSError):
                break
            self._begin()
            if self._next is not None and self._next[0] <= keys[place]:
                return
            place, back = place - back, 2 * back
        self._context.__exit__(None, None, None)
        self._open()


def _runs(numbers: Frames, most: int) -> Iterator[list[int]]:
    """Cut a sequence into single steps forward and stretches backwards that span at most `most` frames."""
    start = 0
    while start < len(numbers):
        stop = start + 1
        first = int(numbers[start])
        while stop < len(numbers):
            before, number = int(numbers[stop - 1]), int(numbers[stop])
            if not before - _NEAR <= number <= before or first - number >= most:
                break
            stop += 1
        yield [int(number) for number in numbers[start:stop]]
        start = stop


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open `path` and choose its video stream; errors say what is wrong with it."""
    if not path.exists():
        raise _unreadable(path, "does not exist", "Check the path of the clip.")
    if not path.is_file():  # a pipe or a device may never end
        what = "is a folder" if path.is_dir() else "is not a file"
        raise _unreadable(path, what, "Give a video or a picture.")
    try:
        file = path.open("rb")
    except OSError as error:
        what = f"cannot be opened: {(error.strerror or 'unknown reason').lower()}"
        raise _unreadable(path, what, "Check its permissions.") from None
    with file:
        head = file.read(12)
        if not head:
            raise _unreadable(path, "is empty (0 bytes)", "Export or copy it again.")
        file.seek(0)
        try:
            container = av.open(file, **reading())
        except (FFmpegError, ValueError, OSError):
            if _looks_like_video(head):
                what = "is a video that is damaged or incomplete"
                raise _unreadable(path, what, "Export or copy it again.") from None
            raise _unreadable(path, "is not a video", "Give a video or a picture.") from None
        with container:
            stream = _video_of(container)
            if stream is None:
                raise _unreadable(path, "has no moving picture", "Give a video or a picture.")
            yield container, stream


def _video_of(container: InputContainer) -> VideoStream | None:
    """Return the main video stream; None for pictures and for the covers of sounds."""
    if any(name in container.format.name for name in _STILL_FORMATS):
        return None
    moving = [
        stream
        for stream in container.streams.video
        # None: a codec that FFmpeg does not know, whatever PyAV's annotations say
        if not _is_cover(stream) and cast(object, stream.codec_context) is not None
    ]
    try:
        best = container.streams.best("video")
    except IndexError:  # a damaged file announces streams that are not there
        best = None
    stream = best if best in moving else next(iter(moving), None)
    if not isinstance(stream, VideoStream):
        return None
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = _THREADS
    return stream


def _is_cover(stream: VideoStream) -> bool:
    """Whether it is the cover of a sound: PyAV 14 does not tell, 15 in an enumeration, 18 in a number."""
    disposition: Any = getattr(stream, "disposition", 0)
    return bool(int(getattr(disposition, "value", disposition)) & _ATTACHED_PICTURE)


def _looks_like_video(head: bytes) -> bool:
    """Whether the first 12 bytes are those of MP4 and MOV (not of HEIC, AVIF and M4A), WebM or AVI."""
    if head[4:8] == b"ftyp":
        return head[8:11] not in (b"hei", b"hev", b"mif", b"msf", b"avi", b"M4A", b"M4B")
    return head[4:8] in (b"moov", b"mdat", b"wide") or head[:4] == b"\x1aE\xdf\xa3" or head[8:12] == b"AVI "


def _unreadable(path: Path, what: str, hint: str) -> UnreadableFile:
    return UnreadableFile(f"{path.name or path} {what}.", hint=hint, stage="avatar", field="avatar")
