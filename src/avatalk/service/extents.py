"""How long a media file says that it is, by the outermost boxes of its container.

A file cut off on its way is shorter than that, even where a decoder makes the best of it without a word.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_STREAMED = 0xFFFF0000  # sizes from here on were never filled in
_MOST_BOXES = 100_000


def is_cut_off(path: Path) -> bool:
    """Whether an MP4, WebM, RIFF (WAV, AVI, WebP), Ogg or GIF file ends before it says so; else False."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"styp"):
            return _end_of_boxes(file, size) > size
        if head.startswith(b"\x1aE\xdf\xa3"):
            return _end_of_segment(file) > size
        if head.startswith(b"RIFF"):
            claimed = int.from_bytes(head[4:8], "little")
            return claimed < _STREAMED and claimed + 8 > size + 1  # the last byte of padding may be missing
        if head.startswith(b"OggS"):
            return _end_of_pages(file, size) > size
        if head.startswith(b"GIF8"):
            file.seek(max(0, size - 64))
            return not file.read().rstrip(b"\0\r\n").endswith(b";")
    return False


def said_seconds(path: Path) -> float:
    """How long the header of an MP4 says that it lasts; 0 where there is none, or it does not know."""
    with path.open("rb") as file:
        start, stop = 0, path.stat().st_size
        for kind in (b"moov", b"mvhd"):
            found = _box(file, start, stop, kind)
            if found is None:
                return 0.0
            start, stop = found
        file.seek(start)
        body = file.read(32)
    if len(body) < 32:
        return 0.0
    wide = body[0] == 1
    scale = int.from_bytes(body[20:24] if wide else body[12:16], "big")
    ticks = body[24:32] if wide else body[16:20]
    return 0.0 if ticks == b"\xff" * len(ticks) or not scale else int.from_bytes(ticks, "big") / scale


def _box(file: BinaryIO, start: int, stop: int, kind: bytes) -> tuple[int, int] | None:
    """Where the first box of a kind begins and ends, without its own header."""
    for _ in range(_MOST_BOXES):
        file.seek(start)
        head = file.read(16)
        length, begin = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, begin = int.from_bytes(head[8:16], "big"), 16
        if len(head) < 8 or length < begin or start >= stop:
            return None
        if head[4:8] == kind:
            return start + begin, min(stop, start + length)
        start += length
    return None


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Of ISO/IEC 14496-12: where the last box ends."""
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8 or at >= size:
            break
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: to the end of the file; less is nonsense, which the decoder judges
            break
        at += length
    return at


def _end_of_segment(file: BinaryIO) -> int:
    """Of RFC 8794: where the first element after the header ends; 0 where it does not say."""
    file.read(4)
    length, _ = _number(file)
    file.seek(length, 1)
    file.read(4)  # the identifier of a segment
    length, unknown = _number(file)
    return 0 if unknown else file.tell() + length


def _number(file: BinaryIO) -> tuple[int, bool]:
    """A number of variable length, and whether it means that nobody knew."""
    first = (file.read(1) or b"\xff")[0]
    if not first:
        return 0, True
    more = 8 - first.bit_length()
    bits = 7 * (more + 1)
    value = int.from_bytes(bytes([first]) + file.read(more), "big") & ((1 << bits) - 1)
    return value, value == (1 << bits) - 1


def _end_of_pages(file: BinaryIO, size: int) -> int:
    """Of RFC 3533: where the last page ends that begins where the one before it ended."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(27)
        if not b"OggS".startswith(head[:4]):
            break  # something else follows, such as a tag
        if len(head) < 27:
            return size + 1
        lengths = file.read(head[26])
        if len(lengths) < head[26]:
            return size + 1
        at += 27 + len(lengths) + sum(lengths)
    return at
