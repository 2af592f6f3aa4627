"""Caption files beside the video: SubRip and WebVTT."""

from __future__ import annotations

import html
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from avatalk.media import Cue
from avatalk.workspace import complete_or_nothing


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
    """Write cues as SubRip, with line feeds; encode as UTF-8."""
    return "".join(
        f"{number}\n{_time(cue.start_s, ',')} --> {_time(cue.end_s, ',')}\n{chr(10).join(cue.lines)}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def to_vtt(cues: Iterable[Cue]) -> str:
    """Write cues as WebVTT (W3C), with ``&``, ``<`` and ``>`` escaped; encode as UTF-8."""
    return "WEBVTT\n\n" + "".join(
        f"{_time(cue.start_s, '.')} --> {_time(cue.end_s, '.')}\n"
        + "".join(html.escape(line, quote=False) + "\n" for line in cue.lines)
        + "\n"
        for cue in cues
    )


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return (
        f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}{point}{milliseconds % 1000:03d}"
    )
