"""Caption files beside the video: SubRip and WebVTT."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from avatalk.media import Cue
from avatalk.workspace import complete_or_nothing

_MARKUP = re.compile(r"<(?=[A-Za-z/])|\{(?=\\)|--(?=>)")


def write_captions(wanted: Collection[str], cues: Sequence[Cue], video: Path) -> list[Path]:
    """Write `cues` beside the video and return the paths.

    Args:
        wanted: ``srt`` and ``vtt`` are heeded.
        cues: in time order.
        video: path of the finished video; captions have its name with their own ending.

    Raises:
        OutputError: the folder cannot be written.
    """
    paths = []
    for ending, write in (("srt", to_srt), ("vtt", to_vtt)):
        if ending in wanted:
            path = video.with_suffix(f".{ending}")
            with complete_or_nothing(path) as part:
                part.write_text(write(cues), encoding="utf-8", newline="\n")
            paths.append(path)
    return paths


def to_srt(cues: Iterable[Cue]) -> str:
    """Write cues as SubRip, with line feeds; encode as UTF-8.

    It knows no escapes: what players would take for a tag or for a time is parted by an invisible sign.
    """
    return "".join(
        f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n"
        + "".join(_MARKUP.sub("\\g<0>\N{WORD JOINER}", line) + "\n" for line in cue.lines)
        + "\n"
        for number, cue in enumerate(cues, 1)
    )


def to_vtt(cues: Iterable[Cue]) -> str:
    """Write cues as WebVTT (W3C); encode as UTF-8."""
    return "WEBVTT\n\n" + "".join(
        f"{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n"
        + "".join(_escaped(line) + "\n" for line in cue.lines)
        + "\n"
        for cue in cues
    )


def _escaped(line: str) -> str:
    """A line as WebVTT has it: escaped where it would be read as something else.

    Browsers read ``AT&T`` as it stands, and other readers know no escapes.
    """
    if html.unescape(line) != line:
        line = line.replace("&", "&amp;")
    return line.replace("<", "&lt;").replace("-->", "--&gt;")


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return (
        f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}{point}{milliseconds % 1000:03d}"
    )
