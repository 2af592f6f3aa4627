"""One pass through a clip: which frames are shown, when, and from which of them decoding can begin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, TypeGuard

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avatalk.events import Monitor

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]

_NTSC = tuple(Fraction(1000 * rate, 1001) for rate in (24, 30, 48, 60, 120))
STANDARD_RATES = (*map(Fraction, (10, 12, 15, 24, 25, 30, 48, 50, 60, 100, 120, 240)), *_NTSC)
_SNAP = Fraction(1, 1000)
_USUAL_RATE = Fraction(25)
_SLOWEST, _FASTEST = 1, 1000
# Containers that tell the time of every packet and find a key frame by its time.
_SEEKABLE = ("mov", "matroska")
# Codecs with one shown frame per packet in these containers; others (VP8's hidden frames) must be decoded.
_ONE_BY_ONE = frozenset({"h264", "hevc", "av1", "vp9", "prores", "mjpeg", "dnxhd"})
_REPORT_FRAMES = 250
_LACKING_S, _LACKING_PART = 0.25, 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """The frames of a clip in the order in which they are shown.

    Attributes:
        fps: the rate; of a clip with a variable rate the average.
        times: (frames,) float64, seconds from the first frame on; without the container's rounding where
            the rate is constant.
        duration_s: until the last frame ends.
        stamps: (frames,) int64, time stamps in the stream's units, by which a frame is known again; None
            where they cannot be relied on and frames are counted from the beginning.
        keys: ascending int64, frames at which decoding can begin.
        damaged: packets or frames that were left out.
        lacking_s: by how much the file is shorter than it says, seconds; 0 if it is complete.
    """

    fps: Fraction
    times: Float64Array
    duration_s: float
    stamps: Int64Array | None
    keys: Int64Array
    damaged: int = 0
    lacking_s: float = 0.0


@dataclass(slots=True)
class _Seen:
    """What the pass collects; unknown times are None."""

    stamps: list[int | None] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    is_key: list[bool] = field(default_factory=list)
    damaged: int = 0
    end_s: float = 0.0

    def add(self, unit: Packet[Any] | VideoFrame, is_key: bool) -> None:
        self.stamps.append(unit.pts)
        self.lengths.append(int(getattr(unit, "duration", 0) or 0))  # frames have none in PyAV 14
        self.is_key.append(is_key)


def read_index(container: InputContainer, stream: VideoStream, monitor: Monitor, name: str) -> Index | None:
    """Read a freshly opened clip to its end, without decoding it where that is enough.

    Args:
        container: at its beginning; at its end afterwards.
        stream: of `container`.
        monitor: told of progress in seconds.
        name: of the file, for `monitor`.

    Returns:
        The frames; None if their packets do not tell, and they must be counted with `count_frames`.
    """
    if not is_seekable(container) or stream.codec_context.name not in _ONE_BY_ONE:
        return None
    seen = _Seen()
    total_s = (container.duration or 0) / av.time_base
    for packet in packets(container):
        if packet.pts is not None and packet.time_base is not None:
            seen.end_s = max(seen.end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        if packet.stream_index != stream.index or not packet.size or packet.is_discard:
            continue
        if packet.is_corrupt:
            seen.damaged += 1
            continue
        seen.add(packet, packet.is_keyframe)
        if len(seen.stamps) % _REPORT_FRAMES == 0:
            monitor.report("avatar", min(seen.end_s, total_s), total_s, "seconds", f"Reading {name}")
    if not seen.stamps or None in seen.stamps or not any(seen.is_key):
        return None
    stamps = np.array(seen.stamps, np.int64)
    order = np.argsort(stamps, kind="stable")
    is_key = np.array(seen.is_key)[order]
    shown = order[int(np.argmax(is_key)) :]  # what precedes the first key frame cannot be decoded
    if np.any(np.diff(stamps[shown]) <= 0):
        return None
    begin_s = (container.start_time or 0) / av.time_base
    lacking_s = total_s - (seen.end_s - begin_s)
    complete = lacking_s <= max(_LACKING_S, _LACKING_PART * total_s)
    keys = np.flatnonzero(np.array(seen.is_key)[shown])
    last = seen.lengths[int(shown[-1])]
    return _timed(stream, stamps[shown], keys, last, seen.damaged, 0.0 if complete else lacking_s)


def count_frames(container: InputContainer, stream: VideoStream, monitor: Monitor, name: str) -> Index | None:
    """Decode a freshly opened clip to its end and count its frames; None if there is not one.

    Args:
        container: at its beginning; at its end afterwards.
        stream: of `container`.
        monitor: told of progress in frames.
        name: of the file, for `monitor`.
    """
    seen = _Seen()
    for frame in decode(container, stream):
        seen.add(frame, frame.key_frame)
        if len(seen.stamps) % _REPORT_FRAMES == 0:
            monitor.report("avatar", len(seen.stamps), stream.frames, "frames", f"Reading {name}")
    if not seen.stamps:
        return None
    known = [stamp for stamp in seen.stamps if stamp is not None]
    stamps = np.array(known, np.int64)
    ascending = len(known) == len(seen.stamps) and not np.any(np.diff(stamps) <= 0)
    index = _timed(stream, stamps, np.flatnonzero(seen.is_key), seen.lengths[-1]) if ascending else None
    jumps = "mpegts" in container.format.name  # as its clocks may
    if index is not None and index.fps <= _FASTEST and (index.fps >= _SLOWEST or not jumps):
        if is_seekable(container) and index.keys[:1].tolist() == [0]:
            return index
        return replace(index, stamps=None, keys=np.zeros(1, np.int64))
    fps = next((rate for rate in (stream.average_rate, stream.guessed_rate) if _plausible(rate)), _USUAL_RATE)
    times = np.arange(len(seen.stamps)) / float(fps)
    return Index(fps, times, len(times) / float(fps), None, np.zeros(1, np.int64))


def _plausible(rate: Fraction | None) -> TypeGuard[Fraction]:
    return rate is not None and _SLOWEST <= rate <= _FASTEST


def is_seekable(container: InputContainer) -> bool:
    """Whether the container finds frames by their time."""
    return any(name in container.format.name for name in _SEEKABLE)


def packets(container: InputContainer, stream: VideoStream | None = None) -> Iterator[Packet[Any]]:
    """Yield the packets up to the end of the file or to where it can be read no further."""
    found: Iterator[Packet[Any]] = container.demux(stream) if stream is not None else container.demux()
    while True:
        try:
            packet = next(found, None)
        except (FFmpegError, OSError, IndexError):  # the last: a stream that a damaged file only announces
            return
        if packet is None:
            return
        yield packet


def decode(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield the frames from where the container stands on; what cannot be decoded is passed over."""
    for packet in packets(container, stream):
        if packet.size:
            yield from _decoded(stream, packet)
    yield from _decoded(stream, None)


def _decoded(stream: VideoStream, packet: Packet[Any] | None) -> list[VideoFrame]:
    try:
        return [frame for frame in stream.codec_context.decode(packet) if isinstance(frame, VideoFrame)]
    except FFmpegError:
        return []


# --- rates -----------------------------------------------------------------------------------------


def _timed(
    stream: VideoStream,
    stamps: Int64Array,
    keys: Int64Array,
    last: int,
    damaged: int = 0,
    lacking_s: float = 0.0,
) -> Index:
    """Find the rate and the times; `last` is the length of the last frame in the stream's units, or 0."""
    unit = stream.time_base or Fraction(1, av.time_base)
    ticks = stamps - stamps[0]
    fps = constant_rate(ticks, unit, stream.average_rate)
    if fps is not None:
        times = np.arange(len(stamps)) / float(fps)
        duration_s = float(len(stamps) / fps)
    else:
        fps = average_rate(ticks, unit)
        times = ticks * float(unit)
        duration_s = float((int(ticks[-1]) + (last or int(np.median(np.diff(ticks))))) * unit)
    return Index(fps, times, duration_s, stamps, keys, damaged, lacking_s)


def constant_rate(ticks: Int64Array, unit: Fraction, stated: Fraction | None) -> Fraction | None:
    """Return the rate that explains all times but for rounding to whole ticks, or None.

    Args:
        ticks: (frames,) int64, ascending from 0.
        unit: seconds per tick.
        stated: the rate that the file gives, if it does.
    """
    if len(ticks) < 2:
        return stated if _plausible(stated) else _USUAL_RATE
    mean = Fraction(len(ticks) - 1, int(ticks[-1])) / unit
    standard = sorted(STANDARD_RATES, key=lambda rate: (rate != stated, abs(rate - mean)))
    for rate in (*standard, stated, mean):
        if rate:
            early = ticks * float(unit * rate) - np.arange(len(ticks))
            if np.ptp(early) <= min(1.01 * unit * rate, 0.5):
                return rate
    return None


def average_rate(ticks: Int64Array, unit: Fraction) -> Fraction:
    """Return the average rate, or the standard one that is within 0.1 % of it."""
    mean = Fraction(len(ticks) - 1, int(ticks[-1])) / unit
    nearest = min(STANDARD_RATES, key=lambda rate: abs(rate - mean))
    return nearest if abs(nearest / mean - 1) <= _SNAP else mean.limit_denominator(1000)
