"""Engines that clone voices: which are here, how to get them, and what they learnt of a voice."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from avatalk import engines, models
from avatalk.media import Float32Array
from avatalk.speech.base import SpeechEngine, Voice
from avatalk.speech.espeak_voices import canonical
from avatalk.speech.kept import SAMPLE_RATE
from avatalk.speech.voices import read_by, speech_engines
from avatalk.workspace import cannot_write, complete_or_nothing, prune


def cloning_engines() -> list[SpeechEngine]:
    """The engines that clone and have their weights, the preferred one first."""
    return [engine for engine in speech_engines() if engine.clones and engine.languages()]


def cloner_of(language: str) -> SpeechEngine | None:
    """The preferred engine that clones and speaks a language, given as a tag; None if there is none."""
    tag = canonical(language)
    return next((e for e in cloning_engines() if tag in map(canonical, e.languages())), None)


def clone(
    engine: SpeechEngine, name: str, sound: Float32Array, language: str, sex: str, folder: Path
) -> Voice:
    """Return the voice in `sound`, as `engine` learnt it now or before.

    Args:
        engine: one of `cloning_engines`.
        name: of the voice, for people.
        sound: (samples,) float32 mono at `avatalk.speech.kept.SAMPLE_RATE`.
        language: tag of what it shall speak.
        sex: ``female``, ``male`` or empty.
        folder: where what the engine learns is kept. A file's name tells sound, engine and weights apart, so
            that nothing kept is ever stale.

    Raises:
        OutputError: `folder` cannot be written.
    """
    language_name, scripts = read_by(engine, language)
    licence = next(row.licence for row in engines.ENGINES if row.name == engine.name)

    def voice(identifier: str) -> Voice:
        return Voice(
            name=name,
            language=language,
            language_name=language_name,
            sex=sex,
            engine=engine.name,
            identifier=identifier,
            licence=licence,
            description=f"cloned by {engine.name}",
            scripts=scripts,
        )

    key = hashlib.sha256(sound.tobytes() + engine.version(voice("")).encode()).hexdigest()[:24]
    path = folder / f"{engine.name}-{key}.npz"
    if not path.is_file():
        learnt = engine.embed(sound, SAMPLE_RATE)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        with complete_or_nothing(path) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **learnt)
        with suppress(OSError):
            prune(folder)
    return voice(str(path))


def to_clone() -> tuple[str, ...]:
    """How to get engines that clone voices and are not here, with the commands."""
    ways = []
    for row in engines.ENGINES:
        if row.stage == "speech" and "sample" in row.takes:
            lacking = [name for name in row.models if not models.installed(name)]
            steps = [f"pip install 'avatalk[{row.extra}]'"] if row.missing() else []
            steps += [f"avatalk models install {' '.join(lacking)}"] if lacking else []
            if steps:
                ways.append(f"{row.name} ({row.licence}): {' && '.join(steps)}")
    return tuple(f"The voice itself is cloned by {way}" for way in ways)
