"""Text to speech, all of it: what it says, who speaks it, and the sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avatalk.events import Monitor
from avatalk.media import Speech
from avatalk.speech.casting import cast
from avatalk.speech.espeak_voices import tag_of
from avatalk.speech.ssml import parse
from avatalk.speech.synthesis import Changes, check_script, speak
from avatalk.speech.voices import choose, is_spoken


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
    changes: Changes | None = None,
) -> Speech:
    """Speak `text` into a file in `folder`; see `casting.cast` and `synthesis.speak` for what is what."""
    script = parse(text, monitor)
    by_language = script.languages()
    if voice is None and language is None and "" not in by_language:
        language = _main(by_language)
    role = cast(by_language.get("", script.text), voice, sample, language, sex, monitor)
    speed, pitch = role.limited(speed, pitch)
    return replace(
        speak(script, role.voice, speed, pitch, folder, monitor, changes=changes), better=role.better
    )


def rehearse(text: str, *, voice: str | None = None, language: str | None = None) -> None:
    """Find out in milliseconds what `perform` would refuse to do with these voices, as far as that goes.

    Args:
        text: plain or SSML.
        voice: a name that `avatalk.speech.voices.lookup` knows, or None.
        language: tag or English name of the language of `text`; None for the likely one.

    Raises:
        UnknownName: there is no such voice, or none of that language.
        SpeechError: the text is malformed, or its voice does not read it.
    """
    monitor = Monitor()
    script = parse(text, monitor)
    by_language = script.languages()
    if voice is None and language is None and "" not in by_language:
        language = _main(by_language)
    tag = tag_of(language) if language else None
    check_script(script, choose(voice, by_language.get("", script.text), monitor, "", tag), monitor)


def _main(by_language: dict[str, str]) -> str | None:
    """The language that a script names for most of its text, of those that a voice here speaks."""
    able = [language for language in by_language if is_spoken(language)]
    return max(able, key=lambda language: len(by_language[language]), default=None)
