"""A video that is watched while it is made: its pieces as fragmented MP4, for HLS, MSE or one long answer.

What `opening` gives, followed by what `fragment` gives for each piece in order, is a whole fragmented MP4
(ISO/IEC 14496-12, 8.8), and the parts are what HLS (RFC 8216) calls a Media Initialization Section and
Media Segments; `playlist` lists them. Packets are copied; nothing is encoded. Times are those of the whole
video, so players show no gap. A fragment has the same bytes whether it is cut from its piece or from the
joined video: who began to watch while the video was made goes on when it is finished.
"""

from __future__ import annotations

import heapq
import io
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av

Source = Path | BinaryIO
"""A file by its path, or open for reading in any order."""

_AHEAD = 4  # frames by which decoding runs ahead: more than any of our settings of the encoder wants
_HEADER = 8  # bytes of a box before its content: size and kind
_FLAGS = "+frag_custom+delay_moov+default_base_moof+skip_trailer"


def opening(piece: Source, sound: Source, fps: Fraction) -> bytes:
    """Return what players need before any fragment: the kinds of the tracks, without pictures or sound.

    Args:
        piece: the first piece of the video (`avatalk.video.segments.write_segment`), or the joined video.
        sound: from `avatalk.video.segments.write_sound`, or the joined video.
        fps: frames per second.
    """
    return _muxed(piece, sound, fps, 0, 1, 1, 0, last=False)[0]


def fragment(
    piece: Source,
    sound: Source,
    fps: Fraction,
    *,
    number: int,
    start: int,
    stop: int,
    last: bool,
    origin: int | None = None,
) -> bytes:
    """Return the pictures and the sound of one stretch, to be played after those before it.

    Args:
        piece: the file that holds the pictures.
        sound: the whole sound, as for `opening`.
        fps: frames per second.
        number: of the stretch, from 0.
        start: its first frame, counted in the video; a picture there needs no other.
        stop: the frame after its last.
        last: whether the video ends with it; the rest of the sound then goes with it.
        origin: which frame of the video the file begins with: `start` by default, 0 for the joined video.
    """
    origin = start if origin is None else origin
    return _muxed(piece, sound, fps, start, stop, number + 1, origin, last=last)[1]


def playlist(
    stretches: Sequence[tuple[int, int]],
    fps: Fraction,
    *,
    longest: int,
    ended: bool,
    opening_at: str = "init.mp4",
    fragment_at: str = "{number}.m4s",
) -> str:
    """Return the HLS playlist of what is made so far (RFC 8216, version 7).

    Args:
        stretches: first frame and the frame after the last of each fragment, in order from 0, without gaps.
        fps: frames per second.
        longest: frames of the longest stretch that there will be; it must not change while it is watched.
        ended: whether these are all.
        opening_at: URL of `opening`, absolute or relative to the playlist's.
        fragment_at: likewise of a fragment, with ``{number}``.
    """
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest / fps)}",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{opening_at}"',
    ]
    for number, (start, stop) in enumerate(stretches):
        lines += [f"#EXTINF:{float((stop - start) / fps):.5f},", fragment_at.format(number=number)]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if ended else [])]) + "\n"


def _muxed(
    piece: Source, sound: Source, fps: Fraction, start: int, stop: int, index: int, origin: int, *, last: bool
) -> tuple[bytes, bytes]:
    """The head and the one fragment of an MP4 of that stretch."""
    written = io.BytesIO()
    options = {"movflags": _FLAGS, "fragment_index": str(index), "fflags": "+bitexact", "write_btrt": "0"}
    with (
        av.open(written, "w", format="mp4", options=options) as container,
        av.open(_opened(piece)) as seen,
        av.open(_opened(sound)) as heard,
    ):
        picture = container.add_stream_from_template(seen.streams.video[0])
        picture.time_base = 1 / fps
        track = container.add_stream_from_template(heard.streams.audio[0])
        zero = next(_packets(heard, heard.streams.audio[0])).dts or 0
        pictures = list(_pictures(seen, picture, fps, start, stop, origin))
        sounds = list(_sounds(heard, track, start / fps, None if last else stop / fps, zero))
        for packet in heapq.merge(pictures, sounds, key=_when):
            container.mux(packet)
        # FFmpeg lets every file begin at 0. These times are counted from where the tracks begin, before 0.
        begins = {1: round(start / fps / picture.time_base)}
        if sounds:
            begins[2] = (sounds[0].dts or 0) - zero
    made = bytearray(written.getvalue())
    cut = next(at for kind, at, _ in _boxes(made, 0, len(made)) if kind == b"moof")
    return bytes(made[:cut]), bytes(_timed(made[cut:], begins))


def _pictures(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    fps: Fraction,
    start: int,
    stop: int,
    origin: int,
) -> Iterator[av.Packet[Any]]:
    """The packets of frames `start` to `stop` - 1, in the order of decoding."""
    source = container.streams.video[0]
    assert source.time_base is not None  # for the checker: files have one
    container.seek(round((start - origin) / fps / source.time_base), stream=source)
    for count, packet in enumerate(_packets(container, source)):
        if count == stop - start:
            return
        assert packet.pts is not None
        packet.pts = origin + round(packet.pts * packet.time_base * fps)
        packet.dts, packet.duration = start + count - _AHEAD, 1
        packet.stream, packet.time_base = stream, 1 / fps
        yield packet


def _sounds(
    container: av.container.InputContainer,
    stream: av.AudioStream,
    start_s: Fraction,
    stop_s: Fraction | None,
    zero: int,
) -> Iterator[av.Packet[Any]]:
    """The packets of sound that begin from `start_s` until `stop_s`, of those that begin at `zero`."""
    source = container.streams.audio[0]
    assert source.time_base is not None
    # An encoder of sound begins before 0.
    container.seek(math.floor(start_s / source.time_base) if start_s else zero, stream=source)
    for packet in _packets(container, source):
        if stop_s is not None and _when(packet) >= stop_s:
            return
        if not start_s or _when(packet) >= start_s:
            packet.stream = stream
            yield packet


def _packets(container: av.container.InputContainer, stream: av.stream.Stream) -> Iterator[av.Packet[Any]]:
    return (packet for packet in container.demux(stream) if packet.dts is not None)


def _when(packet: av.Packet[Any]) -> Fraction:
    assert packet.dts is not None  # for the checker: those were left out
    return packet.dts * packet.time_base


def _opened(source: Source) -> Any:
    return str(source) if isinstance(source, Path) else source


def _timed(moof: bytearray, begins: dict[int, int]) -> bytearray:
    """Write into a fragment when its tracks begin to be decoded, by their numbers, in their own units."""
    parts = _boxes(moof, _HEADER, int.from_bytes(moof[:4], "big"))
    for track in (part for part in parts if part[0] == b"traf"):
        inside = {kind: at for kind, at, _ in _boxes(moof, track[1] + _HEADER, track[2])}
        # Of both boxes, a version and flags come first, 4 bytes; then the number, or the time in 8 bytes.
        number = inside[b"tfhd"] + _HEADER + 4
        time = inside[b"tfdt"] + _HEADER + 4
        at = begins[int.from_bytes(moof[number : number + 4], "big")]
        moof[time : time + 8] = at.to_bytes(8, "big")
    return moof


def _boxes(data: bytearray, start: int, stop: int) -> list[tuple[bytes, int, int]]:
    """Kind, start and end of each box there."""
    found = []
    while start < stop:
        end = start + int.from_bytes(data[start : start + 4], "big")
        found.append((bytes(data[start + 4 : start + 8]), start, end))
        start = end
    return found
