"""Who speaks: a voice by its name, one the user keeps or a sample has, cloned or the nearest to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from avatalk.errors import UnknownName
from avatalk.events import Monitor
from avatalk.media import Float32Array
from avatalk.settings import cache_dir
from avatalk.speech import kept, liken
from avatalk.speech.base import Voice
from avatalk.speech.cloning import clone, cloner_of, cloning_engines, to_clone
from avatalk.speech.espeak_voices import about, tag_of
from avatalk.speech.kept import Kept
from avatalk.speech.sample import open_sample
from avatalk.speech.traits import Traits
from avatalk.speech.voices import choose, language_of, script_of_text

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
        voice: a name, of a kept voice or as `avatalk.speech.voices.lookup` knows it, or None.
        sample: path of a recording whose voice is wanted, or None.
        language: tag of the language of `text`; None for the likely one.
        sex: ``female`` or ``male`` where neither a voice nor a sample is given, or empty.
        monitor: told of progress, and warned.

    Raises:
        UnknownName: there is no such voice, or none of that language.
        UnreadableFile: the sample cannot be read.
        SpeechError: no voice can be learnt from it.
    """
    language = tag_of(language) if language else None
    if sample is not None:
        opened, name = open_sample(sample, monitor), Path(sample).name
        sound = opened.sound(kept.SAMPLE_RATE)
        tag = language or language_of(text)
        if language is None and not tag.startswith("en"):
            monitor.warn(f"The text seems to be {about(tag)[0]}, and is spoken so. Another: --language.")
        return _imitate(name, f"clone of {name}", opened.traits, sound, tag, cache_dir() / "voices", monitor)
    own = kept.get(voice) if voice else None
    if own is not None:
        tag = language or spoken_by(own, text)
        return _imitate(own.name, own.name, own.traits, own.sound(), tag, own.folder, monitor)
    return Role(choose(voice, text, monitor, sex, language))


def spoken_by(own: Kept, text: str) -> str:
    """Tag of the language in which a kept voice speaks `text`: its own, or what another script tells."""
    return own.language if script_of_text(text) in about(own.language)[1] else language_of(text)


def speaks_as(own: Kept) -> str:
    """The engine that clones a kept voice into its own language now; ``nearest`` where none does."""
    engine = cloner_of(own.language)
    return engine.name if engine else "nearest"


def _imitate(
    name: str,
    title: str,
    traits: Traits,
    sound: Float32Array,
    language: str,
    folder: Path,
    monitor: Monitor,
) -> Role:
    """The voice in `sound`, cloned by an engine that can, else the nearest that is here."""
    engine = cloner_of(language)
    if engine is not None:
        monitor.report("speech", message=f"Learning the voice of {name}")
        return Role(clone(engine, title, sound, language, traits.sex, folder))
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
        return "no engine that clones is ready (`avatalk engines` says how to get one)"
    return f"{' and '.join(able)} cannot speak {about(language)[0]}"
