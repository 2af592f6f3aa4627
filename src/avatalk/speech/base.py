"""The contract of stage 2's engines: a sentence and a voice become sound with timed phonemes and words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from avatalk.media import Float32Array, Phoneme, Word


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice.

    Attributes:
        name: short and unique, what a request says: ``amy``, ``sw``, ``sw-f``.
        language: BCP-47 tag: ``en-US``, ``pt-BR``, ``cmn``.
        language_name: the language in English: ``English (America)``.
        sex: ``"female"``, ``"male"`` or ``""``.
        engine: name of the engine that speaks it.
        identifier: the engine's own name for it.
        licence: of the voice; what it means for the sound it makes.
        description: one line for people.
        scripts: Unicode scripts that the voice reads: ``("Latin",)``.
    """

    name: str
    language: str
    language_name: str
    sex: str
    engine: str
    identifier: str
    licence: str
    description: str = ""
    scripts: tuple[str, ...] = ("Latin",)


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken sentence. Times count from its own beginning.

    Attributes:
        sound: (samples,) float32, mono, -1..1.
        sample_rate: hertz.
        phonemes: in time order and without gaps, a pause has the symbol ``""``; None if the engine has none.
        words: in time order, as written and with the punctuation that touches them; None likewise.
    """

    sound: Float32Array
    sample_rate: int
    phonemes: tuple[Phoneme, ...] | None = None
    words: tuple[Word, ...] | None = None

    @property
    def duration_s(self) -> float:
        """Seconds of sound."""
        return len(self.sound) / self.sample_rate


class SpeechEngine(ABC):
    """An engine that speaks. One instance may be used from any thread.

    Rule: an utterance is a pure function of the arguments of `speak`, whatever was spoken before.
    """

    name: ClassVar[str]
    sample_rate: int
    """Hertz, of every utterance."""

    @abstractmethod
    def voices(self) -> tuple[Voice, ...]:
        """Return every voice that can be used now, the preferred one of each language first."""

    @abstractmethod
    def speak(self, sentence: str, voice: Voice, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Speak one sentence.

        Args:
            sentence: at most a few hundred characters, with at least one that can be spoken.
            voice: one of `voices`.
            speed: 0.5..2, words per time relative to the voice's own; 2 takes about half as long.
            pitch: 0.5..2, the fundamental frequency relative to the voice's own; 2 is an octave higher.

        Raises:
            EngineUnavailable: the engine cannot run here.
            SpeechError: the engine made no sound of the sentence.
        """
