"""The contract of stage 2's engines: a sentence and a voice become sound, with times where they are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy.typing as npt

from avatalk.media import Float32Array, Phoneme, Word


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice.

    Attributes:
        name: short and unique, what a request says: ``amy``, ``lessac``, ``sw-f``.
        language: BCP-47 tag: ``en-US``, ``pt-BR``, ``cmn``.
        language_name: the language in English: ``English (America)``.
        sex: ``"female"``, ``"male"`` or ``""``.
        engine: name of the engine that speaks it.
        identifier: the engine's own name for it. Of a cloned voice, the path of an ``.npz`` that holds what
            `SpeechEngine.embed` returned.
        licence: of the voice; what it means for the sound it makes.
        description: one line for people.
        scripts: Unicode scripts that the voice reads: ``("Latin",)``.
        aliases: other names that mean this voice too, if no other voice goes by them.
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
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Utterance:
    """One spoken sentence. Times count from its own beginning.

    Attributes:
        sound: (samples,) float32, mono, -1..1.
        sample_rate: hertz; it may differ from voice to voice.
        phonemes: in time order and without gaps, a pause has the symbol ``""``; None where the engine or the
            voice's model does not tell, and they have to be aligned to the sound.
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
    """An engine that speaks. Instances hold nothing, and may be used from any thread.

    Rule: an utterance is a pure function of the arguments of `speak`, whatever was spoken before. Networks
    are loaded in `speak` and `embed`, by `avatalk.models.loaded`, and are never fetched there.
    """

    name: ClassVar[str]
    clones: ClassVar[bool] = False
    """Whether `embed` makes a voice of a recording."""

    @abstractmethod
    def voices(self) -> tuple[Voice, ...]:
        """Return every voice that can be used now, the preferred one of each language first.

        This is asked for every request: it reads small files at most, and imports nothing heavy.
        """

    def languages(self) -> tuple[str, ...]:
        """Return the BCP-47 tags of what can be spoken now; of an engine that clones, by a cloned voice."""
        return tuple(dict.fromkeys(voice.language for voice in self.voices()))

    @abstractmethod
    def version(self, voice: Voice) -> str:
        """Return what decides the sound besides the arguments of `speak`: versions of engine and model.

        As long as it is the same, `speak` gives the same sound; sentences are kept under it.
        """

    def pronounce(self, ipa: str, voice: Voice) -> str | None:  # noqa: ARG002 - most cannot
        """Return what stands for `ipa` in a sentence that `speak` is given; None if it takes no phonemes."""
        return None

    @abstractmethod
    def speak(self, sentence: str, voice: Voice, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Speak one sentence.

        Args:
            sentence: at most a few hundred characters, with at least one that can be spoken.
            voice: one of `voices`, or a cloned one.
            speed: 0.5..2, words per time relative to the voice's own; 2 takes about half as long.
            pitch: 0.5..2, the fundamental frequency relative to the voice's own; 2 is an octave higher.

        Raises:
            EngineUnavailable: the engine cannot run here.
            SpeechError: the engine made no sound of the sentence.
        """

    def embed(self, sound: Float32Array, sample_rate: int) -> dict[str, npt.NDArray[Any]]:
        """Return what tells the voice in `sound` from others, for engines that clone.

        Args:
            sound: (samples,) float32, mono, -1..1; speech of one person, 3 s to 5 min.
            sample_rate: hertz.

        Returns:
            Arrays by name; what they are is the engine's own affair.

        Raises:
            EngineUnavailable: the engine cannot run here, or does not clone.
        """
        raise NotImplementedError(f"{self.name} does not clone")
