"""Text to speech, all of it: what it says, who speaks it, and the sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avatalk.events import Monitor
from avatalk.media import Speech
from avatalk.speech.casting import cast
from avatalk.speech.ssml import parse
from avatalk.speech.synthesis import speak


def perform(
    text: str,
    folder: Path,
    monitor: Monitor,
    *,
    voice: str | None = None,
    sample: str | None = None,
    language: str | None = None,
    speed: float = 1.0,
    pitch: float = 1.0,
    sex: str = "",
) -> Speech:
    """Speak `text` into a file in `folder`; see `casting.cast` and `synthesis.speak` for what is what."""
    script = parse(text, monitor)
    role = cast(script.text, voice, sample, language, sex, monitor)
    speed, pitch = role.limited(speed, pitch)
    return replace(speak(script, role.voice, speed, pitch, folder, monitor), better=role.better)
