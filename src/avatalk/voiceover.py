"""Text becomes a sound file: stage 2 by itself, by the same way as in a video."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

from avatalk.events import Monitor, OnProgress
from avatalk.media import Word
from avatalk.request import VideoRequest
from avatalk.spec import check_local, keep_sources
from avatalk.speech.columns import Columns
from avatalk.speech.perform import perform
from avatalk.speech.soundfile import check_sound_path, write_sound
from avatalk.workspace import temporary_folder


@dataclass(frozen=True, slots=True)
class Said:
    """What `say` returns.

    Attributes:
        path: the finished file.
        duration_s: its length.
        voice: name of the voice that speaks.
        engine: name of the engine that made the sound.
        words: as written, with the seconds at which each is spoken; empty where that is not known.
        seconds: wall seconds spent speaking (``speech``), writing (``encode``), and their ``total``.
        warnings: what the user should know.
        better: what would improve it, each with the command that does it.
    """

    path: str
    duration_s: float
    voice: str
    engine: str
    words: Sequence[Word] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    better: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The JSON of ``avatalk say --json``: every field by its name."""
        return {**asdict(replace(self, words=())), "words": [asdict(word) for word in self.words]}


def say(
    text: str,
    output: str | Path,
    *,
    on_progress: OnProgress | None = None,
    cancel: Event | None = None,
    **how: Any,
) -> Said:
    """Speak `text` into a sound file at `output`, or nothing.

    The sound is that of a video with the same text and voice: mono, -16 LUFS, true peak at most -1 dBTP.

    Args:
        text: plain or SSML, of any length.
        output: path of a ``.wav``, ``.flac``, ``.mp3``, ``.m4a``, ``.ogg`` or ``.opus`` file; an existing
            one is replaced once the new one is complete.
        on_progress: called with every step; may raise to stop.
        cancel: set it from any thread to stop.
        **how: fields of `VideoRequest` that concern speech: ``voice``, ``speed``, ``pitch`` …

    Returns:
        What was made.

    Raises:
        AvatalkError: what is wrong, where, and what to do; no partial file is left.
    """
    output = Path(output)
    monitor = Monitor(on_progress, cancel or Event())
    request = VideoRequest(text=text, **how)
    check_sound_path(output)
    check_local(request)
    keep_sources(request, output)
    began = time.perf_counter()
    monitor.report("speech")
    with temporary_folder() as folder:
        speech = perform(
            text,
            Path(folder),
            monitor,
            voice=request.voice,
            sample=request.voice_sample,
            language=request.language,
            speed=request.speed,
            pitch=request.pitch,
        )
        spoken = time.perf_counter()
        monitor.report("encode", message=f"Writing {output.name}")
        write_sound(output, speech.audio, monitor)
    done = time.perf_counter()
    seconds = {"speech": spoken - began, "encode": done - spoken, "total": done - began}
    return Said(
        path=str(output),
        duration_s=round(speech.audio.duration_s, 3),
        voice=speech.voice,
        engine=speech.engine,
        words=Columns(
            Word,
            (
                replace(word, start_s=round(word.start_s, 3), end_s=round(word.end_s, 3))
                for word in speech.words or ()
            ),
        ),
        seconds={name: round(spent, 3) for name, spent in seconds.items()},
        warnings=monitor.warnings,
        better=list(speech.better),
    )
