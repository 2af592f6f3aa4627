"""Who speaks: a voice by its name, one cloned from a sample, or the one nearest to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatalk import engines, models
from avatalk.errors import UnknownName
from avatalk.events import Monitor
from avatalk.media import Float32Array
from avatalk.settings import cache_dir
from avatalk.speech import liken
from avatalk.speech.base import SpeechEngine, Voice
from avatalk.speech.espeak_voices import about, canonical
from avatalk.speech.sample import open_sample
from avatalk.speech.traits import Traits
from avatalk.speech.voices import choose, language_of, speech_engines
from avatalk.workspace import cannot_write, complete_or_nothing

EMBEDDED_RATE = 24000
"""Hertz at which engines are handed a sample; none of them hears more."""

_FACTORS = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Role:
    """A voice, and how it is to be set.

    Attributes:
        voice: who speaks.
        speed: factor on its own speed.
        pitch: factor on its own pitch.
        better: what would come nearer to what was asked for, each with the command that does it.
    """

    voice: Voice
    speed: float = 1.0
    pitch: float = 1.0
    better: tuple[str, ...] = ()

    def limited(self, speed: float, pitch: float) -> tuple[float, float]:
        """The user's factors times those of the role, within what engines take."""
        lowest, highest = _FACTORS
        return (
            min(max(self.speed * speed, lowest), highest),
            min(max(self.pitch * pitch, lowest), highest),
        )


def cast(
    text: str, voice: str | None, sample: str | None, language: str | None, sex: str, monitor: Monitor
) -> Role:
    """Find who speaks `text`.

    Args:
        text: what is to be said.
        voice: a name, see `avatalk.speech.voices.lookup`, or None.
        sample: path of a recording whose voice is wanted, or None.
        language: tag of the language of `text`; None for what its script tells.
        sex: ``female`` or ``male`` where neither a voice nor a sample is given, or empty.
        monitor: told of progress, and warned.

    Raises:
        UnknownName: there is no such voice, or none of that language.
        UnreadableFile: the sample cannot be read.
        SpeechError: no voice can be learnt from it.
    """
    if sample is None:
        return Role(choose(voice, text, monitor, sex, language))
    opened = open_sample(sample, monitor)
    name = Path(sample).name
    tag = language or language_of(text)
    return imitate(name, opened.traits, opened.sound(EMBEDDED_RATE), tag, monitor, cache_dir() / "voices")


def imitate(
    name: str, traits: Traits, sound: Float32Array, language: str, monitor: Monitor, folder: Path
) -> Role:
    """Return the voice in `sound`, cloned by an engine that can, else the nearest that is here.

    Args:
        name: of the sample or of the kept voice, for people.
        traits: what the voice is like.
        sound: (samples,) float32 mono at `EMBEDDED_RATE`.
        language: tag of what it shall speak.
        monitor: told of progress, and warned of an approximation.
        folder: where what engines learn of the voice is kept.
    """
    engine = next(
        (engine for engine in cloning_engines() if canonical(language) in map(canonical, engine.languages())),
        None,
    )
    if engine is None:
        return _approximate(name, traits, language, monitor)
    language_name, scripts = about(language)
    licence = next(row.licence for row in engines.ENGINES if row.name == engine.name)
    title = f"clone of {name}"
    voice = Voice(title, language, language_name, traits.sex, engine.name, "", licence, title, scripts)
    monitor.report("speech", message=f"Learning the voice of {name}")
    path = embedding(engine, voice, sound, folder)
    return Role(
        Voice(title, language, language_name, traits.sex, engine.name, str(path), licence, title, scripts)
    )


def cloning_engines() -> list[SpeechEngine]:
    """The engines that clone and have their weights, the preferred one first."""
    return [engine for engine in speech_engines() if engine.clones and engine.languages()]


def embedding(engine: SpeechEngine, voice: Voice, sound: Float32Array, folder: Path) -> Path:
    """Return the file of what `engine` learnt of the voice in `sound`, in `folder`; made if it is not there.

    Its name tells sound, engine and weights apart, so that nothing kept is ever stale.
    """
    key = hashlib.sha256(sound.tobytes() + engine.version(voice).encode()).hexdigest()[:24]
    path = folder / f"{engine.name}-{key}.npz"
    if not path.is_file():
        learnt = engine.embed(sound, EMBEDDED_RATE)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(folder, error) from error
        with complete_or_nothing(path) as part, part.open("wb") as file:
            np.savez(file, allow_pickle=False, **learnt)
    return path


def _approximate(name: str, traits: Traits, language: str, monitor: Monitor) -> Role:
    try:
        voice, speed, pitch = liken.nearest(traits, language)
    except UnknownName as error:
        error.field = "language"
        raise
    monitor.warn(
        f"The voice of {name} is approximated, since {_why_not(language)}: {voice.name} ({voice.engine}) "
        f"speaks at its pitch, {traits.pitch_hz:.0f} Hz, and rate, {traits.rate:.1f} syllables/s."
    )
    return Role(voice, speed, pitch, to_clone())


def _why_not(language: str) -> str:
    able = [engine.name for engine in cloning_engines()]
    if not able:
        return "no engine that clones is installed"
    return f"{' and '.join(able)} cannot speak {about(language)[0]}"


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
