"""espeak-ng inside this process: formant speech in 100 languages, with the time of every phoneme and word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from avatalk.errors import SpeechError
from avatalk.media import Float32Array, Phoneme
from avatalk.speech.base import SpeechEngine, Utterance, Voice
from avatalk.speech.espeak_ipa import to_espeak
from avatalk.speech.espeak_voices import espeak_voices
from avatalk.speech.ipa import clean_symbol
from avatalk.speech.libespeak import SAMPLE_RATE, Recording, synthesise
from avatalk.speech.spoken import spoken_form
from avatalk.speech.timing import mouth_times
from avatalk.speech.words import Mark, timed_words

_GAIN = {"female": 1.15, "male": 1.4, "": 1.25}
"""Brings the voices to -17 dBFS, within 2 dB: measured on a sentence each of 24 of them."""
_PACE = {"fr": 0.72, "de": 0.88, "lb": 0.85, "ru": 0.86, "el": 0.86, "vi": 0.86, "da": 0.88}
_PACE_OF_OTHERS = 0.9
"""Brings languages to the pace of somebody who reads aloud, about 15 letters a second, which captions can
follow; of its own, espeak-ng reaches 16 in English and 21 in French. It goes no slower than 80 words a
minute, so that in French half the speed is rather 0.63 of it."""
_KNEE = 0.8
_OPEN, _CLOSE = "\ue010", "\ue011"
"""Marks around phonemes in a sentence, of Unicode's private use."""
_FORM = 3  # counted up when the same words come to sound different


class Espeak(SpeechEngine):
    """espeak-ng."""

    name: ClassVar[str] = "espeak"

    def voices(self) -> tuple[Voice, ...]:
        """Return every voice, the preferred one of each language first."""
        return espeak_voices()

    def version(self, voice: Voice) -> str:  # noqa: ARG002 - the same for all
        """Return the version of the library, and of what is done to its sound here."""
        return f"espeakng-loader {version('espeakng-loader')}, {_FORM}"

    def pronounce(self, ipa: str, voice: Voice) -> str | None:
        """Return `ipa` in espeak-ng's letters between marks; see `SpeechEngine.pronounce`."""
        letters = to_espeak(ipa, voice.identifier)
        return letters and f"{_OPEN}{letters}{_CLOSE}"

    def speak(self, sentence: str, voice: Voice, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Speak one sentence; see `SpeechEngine.speak`."""
        text, places = _library_text(sentence, voice.scripts)
        pace = speed * _PACE.get(voice.language.split("-")[0], _PACE_OF_OTHERS)
        recording = synthesise(text, voice.identifier, pace, pitch, phonemes=places is not None)
        if places is not None:
            recording.words = [(places[min(at, len(places) - 1)], sample) for at, sample in recording.words]
        phonemes = self._phonemes(recording)
        if not any(phoneme.symbol for phoneme in phonemes):
            raise SpeechError(
                f"The voice {voice.name} makes no sound of “{sentence[:40]}”.",
                hint="Write it in the language of the voice, or choose another voice.",
                stage="speech",
                field="text",
            )
        sound = _levelled(np.concatenate(recording.blocks), _GAIN[voice.sex])
        words = timed_words(sentence, self._marks(recording, phonemes))
        phonemes = mouth_times(phonemes, sound, SAMPLE_RATE)
        return Utterance(sound, SAMPLE_RATE, tuple(phonemes), words)

    def _phonemes(self, recording: Recording) -> list[Phoneme]:
        """Events to phonemes: each lasts until the next; pauses in a row are one."""
        total = sum(map(len, recording.blocks))
        starts = [sample for _, sample in recording.phonemes]
        phonemes: list[Phoneme] = []
        if starts and starts[0] > 0:
            phonemes.append(Phoneme("", 0.0, starts[0] / SAMPLE_RATE))
        for (name, start), end in zip(recording.phonemes, [*starts[1:], total], strict=True):
            if end <= start:
                continue
            symbol, stressed = clean_symbol(name.decode("utf-8", "ignore"))
            start_s, end_s = start / SAMPLE_RATE, end / SAMPLE_RATE
            if phonemes and not symbol and not phonemes[-1].symbol:
                phonemes[-1] = Phoneme("", phonemes[-1].start_s, end_s)
            else:
                phonemes.append(Phoneme(symbol, start_s, end_s, stressed))
        return phonemes

    def _marks(self, recording: Recording, phonemes: list[Phoneme]) -> Iterator[Mark]:
        """Word events to marks: from the first to the last phoneme that sounds before the next event."""
        total = sum(map(len, recording.blocks))
        starts = [sample for _, sample in recording.words]
        sounding = iter([phoneme for phoneme in phonemes if phoneme.symbol])
        phoneme = next(sounding, None)
        for (position, _), stop in zip(recording.words, [*starts[1:], total], strict=True):
            mark: Mark | None = None
            while phoneme is not None and phoneme.start_s < stop / SAMPLE_RATE:
                mark = Mark(position, mark.start_s if mark else phoneme.start_s, phoneme.end_s)
                phoneme = next(sounding, None)
            if mark:
                yield mark


def _library_text(sentence: str, scripts: tuple[str, ...]) -> tuple[str, list[int] | None]:
    """What the library is given, and the place in `sentence` of each of its characters; None if the same."""
    if _OPEN not in sentence:
        return spoken_form(sentence, scripts), None
    text = ""
    places: list[int] = []
    for match in re.finditer(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}|[^{_OPEN}]+|{_OPEN}", sentence):
        if match[1] is None:
            text += spoken_form(match[0], scripts)
            places += range(match.start(), match.end())
        else:
            text += f"[[{match[1]}]]"
            places += [match.start(1)] * 2 + [*range(match.start(1), match.end(1))] + [match.end(1)] * 2
    return text, places


def _levelled(sound: npt.NDArray[np.int16], gain: float) -> Float32Array:
    """Amplify to float; what would pass the knee is bent, sample by sample, and cannot clip."""
    loud = sound.astype(np.float32) * np.float32(gain / 32768)
    size = np.abs(loud)
    high = np.flatnonzero(size > _KNEE)
    bent = _KNEE + (1 - _KNEE) * np.tanh((size[high] - _KNEE) / (1 - _KNEE))
    loud[high] = np.copysign(bent, loud[high])
    return loud
