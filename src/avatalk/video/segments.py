"""Stage 6 in pieces: stretches of a video that are encoded apart and joined without encoding again.

Every piece begins with a picture that needs no other and none refers to a piece before (closed groups of
pictures), so whoever encodes it writes the same bytes, and pieces fit together in any case. Only MP4 is made
so: WebM and MOV are written in one go, by `avatalk.video.encode`.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from avatalk.errors import OutputError
from avatalk.events import Monitor
from avatalk.media import UInt8Array
from avatalk.speech.audio import AudioClip
from avatalk.video.encode import (
    AUDIO_RATE,
    EFFORTS,
    Captions,
    audio_frames,
    audio_stream,
    opened,
    video_stream,
    writing,
)
from avatalk.video.formats import FORMATS
from avatalk.video.pixels import video_frame
from avatalk.video.soft import add_captions, packet_of

SEGMENT_S = 6.0
"""Length that `bounds` aims at: short to spread and to lose, long for what starting costs."""

_MP4 = FORMATS[".mp4"]


def bounds(
    n_frames: int, fps: Fraction, seconds: float | None = None, joints: Sequence[int] = ()
) -> list[tuple[int, int]]:
    """Cut a video into stretches of nearly the same length, or between sentences.

    Args:
        n_frames: of the video, at least 1.
        fps: frames per second.
        seconds: length to aim at, `SEGMENT_S` by default; the pieces have two thirds to one and a half of it,
            only a video that is shorter is one piece.
        joints: frames at which it is best cut, in order; the pieces then have a third to five thirds of
            `seconds`.

    Returns:
        (start, stop) of each, in order; together they are 0 to `n_frames`.
    """
    if joints:
        return _between(n_frames, fps * Fraction(seconds or SEGMENT_S), joints)
    count = min(n_frames, max(1, round(n_frames / fps / Fraction(seconds or SEGMENT_S))))
    cuts = [n_frames * index // count for index in range(count + 1)]
    return list(pairwise(cuts))


def _between(n_frames: int, length: Fraction, joints: Sequence[int]) -> list[tuple[int, int]]:
    """Cut at the joints nearest to `length` frames apart; where there is none, after as many."""
    cuts = [0]
    while n_frames - cuts[-1] > length * 3 / 2:
        least, most = cuts[-1] + length / 3, min(cuts[-1] + length * 5 / 3, n_frames - length / 3)
        near = [joint for joint in joints if least <= joint <= most]
        cuts.append(
            min(near or [cuts[-1] + max(1, round(length))], key=lambda at: abs(at - cuts[-1] - length))
        )
    return list(pairwise([*cuts, n_frames]))


def moved(
    cuts: Sequence[tuple[int, int]],
    splices: Sequence[tuple[int, int, int]],
    fps: Fraction,
    seconds: float | None = None,
) -> list[tuple[int, int]]:
    """Where the pieces of a video lie once stretches of it were replaced.

    Args:
        cuts: from `bounds`, before.
        splices: start and stop of each stretch that is replaced, in order and apart, and how many frames
            take its place.
        fps: frames per second.
        seconds: as for `bounds`: a piece that became longer than five thirds of it is cut once more.

    Returns:
        (start, stop) of each. Pieces that no splice touches have the length that they had.
    """
    places, moved_by = [0], 0
    waiting = list(splices)
    for _, stop in cuts:
        while waiting and waiting[0][1] <= stop:
            start, end, frames = waiting.pop(0)
            moved_by += frames - (end - start)
        if waiting and waiting[0][0] < stop:
            continue  # inside what is replaced: no cut
        at = stop + moved_by
        if at > places[-1]:
            places.append(at)
    most = fps * Fraction(seconds or SEGMENT_S) * 5 / 3
    found: list[tuple[int, int]] = []
    for start, stop in pairwise(places):
        parts = bounds(stop - start, fps, seconds) if stop - start > most else [(0, stop - start)]
        found += [(start + first, start + last) for first, last in parts]
    return found


def take_out(video: Path, path: Path, start: int, stop: int, fps: Fraction) -> None:
    """Copy frames `start` to `stop` - 1 of a joined video into a piece at `path`, or nothing.

    Args:
        video: from `join`; a piece of it had just these frames.
        path: of the new piece, as if `write_segment` had made it.
        start: first frame.
        stop: the frame after the last.
        fps: frames per second.

    Raises:
        OutputError: the folder is read-only, the disk is full, or the video is gone or has no such piece.
    """
    with writing(path) as part, av.open(str(video)) as source, opened(part, _MP4, "") as container:
        seen = source.streams.video[0]
        stream = container.add_stream_from_template(seen)
        stream.time_base = 1 / fps
        assert seen.time_base is not None  # for the checker: files have one
        source.seek(round(start / fps / seen.time_base), stream=seen)
        count = 0
        for packet in source.demux(seen):
            if packet.dts is None or packet.pts is None or count == stop - start:
                break
            at, decoded = (round(time * packet.time_base * fps) - start for time in (packet.pts, packet.dts))
            if not (0 <= at < stop - start and (count or (packet.is_keyframe and not at))):
                break
            packet.stream, packet.time_base = stream, 1 / fps
            packet.pts, packet.dts, packet.duration = at, decoded, 1
            container.mux(packet)
            count += 1
        if count < stop - start:
            raise OutputError(
                f"The video has no piece from frame {start} to {stop}.",
                hint="Its frames are drawn anew.",
                stage="encode",
            )


def write_segment(
    path: Path,
    frames: Iterable[UInt8Array],
    n_frames: int,
    fps: Fraction,
    size: tuple[int, int],
    *,
    quality: str,
    monitor: Monitor,
) -> None:
    """Encode a stretch of frames at `path` (MP4, pictures only, times from 0), or nothing.

    Args:
        path: of the file; its folder exists.
        frames: each (height, width, 3) uint8 RGB, in order.
        n_frames: how many there are, for the progress.
        fps: frames per second.
        size: width and height, even.
        quality: a key of `avatalk.video.encode.EFFORTS`.
        monitor: told of every frame.

    Raises:
        OutputError: the folder is read-only or the disk is full.
        Cancelled: through `monitor`.
    """
    with writing(path) as part, opened(part, _MP4, "") as container:
        stream = video_stream(container, _MP4, fps, size, EFFORTS[quality], False)
        for index, frame in enumerate(frames):
            container.mux(stream.encode(video_frame(frame, "yuv420p", index)))
            monitor.report("encode", index + 1, n_frames, "frames")
        container.mux(stream.encode(None))


def write_sound(path: Path, audio: AudioClip, *, quality: str, monitor: Monitor) -> None:
    """Encode the whole sound at `path` (MP4, AAC) as `avatalk.video.encode.encode` does, or nothing.

    Raises:
        OutputError: the folder is read-only or the disk is full.
        Cancelled: through `monitor`.
    """
    channels = min(2, audio.channels)
    with writing(path) as part, opened(part, _MP4, "") as container:
        stream = audio_stream(container, _MP4, channels, EFFORTS[quality])
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout=stream.layout, rate=AUDIO_RATE
        )
        for second, block in enumerate(audio_frames(audio, channels)):
            monitor.report("encode", second, math.ceil(audio.duration_s), "seconds", "Encoding the sound")
            for converted in resampler.resample(block):
                container.mux(stream.encode(converted))
        for converted in resampler.resample(None):
            container.mux(stream.encode(converted))
        container.mux(stream.encode(None))


def join(
    output: Path,
    segments: Sequence[Path],
    sound: Path,
    fps: Fraction,
    *,
    comment: str,
    monitor: Monitor,
    captions: Captions | None = None,
) -> int:
    """Put the pieces of a video together at `output` (MP4, fast start), or nothing. Nothing is encoded again.

    Args:
        output: path of the file; its folder exists.
        segments: pieces in order, from `write_segment` with the same settings.
        sound: from `write_sound`.
        fps: frames per second of the pieces.
        comment: metadata of the file: the request that made it.
        monitor: told of every frame.
        captions: a track of their own, if wanted.

    Returns:
        The number of frames.

    Raises:
        OutputError: the folder is read-only, the disk is full, or a piece is not what it should be.
        Cancelled: through `monitor`.
    """
    with writing(output) as part, opened(part, _MP4, comment) as container, av.open(str(sound)) as heard:
        with av.open(str(segments[0])) as first:
            settings = first.streams.video[0].codec_context.extradata
            picture = container.add_stream_from_template(first.streams.video[0])
        picture.time_base = 1 / fps
        track = container.add_stream_from_template(heard.streams.audio[0])
        texts = add_captions(container, captions.language) if captions else None
        ways = [_pictures(segments, picture, fps, settings), _sounds(heard, track)]
        if captions and texts:
            ways.append(packet_of(cue, texts) for cue in captions.cues)
        frames = 0
        for packet in heapq.merge(*ways, key=_when):
            container.mux(packet)
            if packet.stream is picture:
                frames += 1
                monitor.report("encode", frames, 0, "frames")
    return frames


def _when(packet: av.Packet[Any]) -> Fraction:
    assert packet.dts is not None  # for the checker: those were left out
    return packet.dts * packet.time_base


def _pictures(
    segments: Sequence[Path], stream: av.VideoStream, fps: Fraction, settings: bytes | None
) -> Iterator[av.Packet[Any]]:
    """The packets of all pieces with times of the whole.

    Their order in the file is that of decoding and a frame has one packet, so the times of decoding are just
    counted, from as far before 0 as the pieces' own begin: so they rise over the cuts as well.
    """
    start, count, delay = 0, 0, None
    for path in segments:
        with av.open(str(path)) as container:
            source = container.streams.video[0]
            if source.codec_context.extradata != settings:
                raise OutputError(
                    "The pieces of the video do not fit together.",
                    hint="They come from different versions of avatalk: make the video again.",
                    stage="encode",
                )
            length = 0
            for packet in container.demux(source):
                if packet.dts is None or packet.pts is None:  # the end
                    continue
                at = round(packet.pts * packet.time_base * fps)
                if delay is None:
                    delay = at - round(packet.dts * packet.time_base * fps)
                packet.stream, packet.time_base = stream, 1 / fps
                packet.pts, packet.dts, packet.duration = start + at, count - delay, 1
                length, count = max(length, at + 1), count + 1
                yield packet
        start += length


def _sounds(container: av.container.InputContainer, stream: av.AudioStream) -> Iterator[av.Packet[Any]]:
    for packet in container.demux(container.streams.audio[0]):
        if packet.dts is not None:
            packet.stream = stream
            yield packet
