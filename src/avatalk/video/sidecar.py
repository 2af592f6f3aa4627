"""Caption files beside the video."""

from __future__ import annotations

from pathlib import Path

from avatalk.events import Monitor
from avatalk.media import Speech
from avatalk.video.captions import captions, to_srt, to_vtt
from avatalk.workspace import complete_or_nothing

_WRITERS = {"srt": to_srt, "vtt": to_vtt}


def write_captions(wanted: str, speech: Speech, video: Path, monitor: Monitor) -> list[Path]:
    """Write the captions of `speech` beside `video` and return their paths.

    Args:
        wanted: ``none``, ``srt``, ``vtt`` or ``both``.
        speech: its words must be known; without them, a warning is all that comes of it.
        video: path of the finished video; captions have its name with their own ending.
        monitor: takes the warning.

    Raises:
        OutputError: the folder cannot be written.
    """
    if wanted == "none":
        return []
    if speech.words is None:
        monitor.warn(
            "There are no captions: the words of a recording are not known. Give a text to have them."
        )
        return []
    cues, paths = captions(speech.words, speech.audio.duration_s), []
    for ending, write in _WRITERS.items():
        if wanted in (ending, "both"):
            path = video.with_suffix(f".{ending}")
            with complete_or_nothing(path) as part:
                part.write_text(write(cues), encoding="utf-8", newline="\n")
            paths.append(path)
    return paths
