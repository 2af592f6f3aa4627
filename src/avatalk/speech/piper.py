"""Piper voices: neural speech (VITS), its phonemes from espeak-ng, its times from the network itself.

What symbols a voice is given, and in which order, follows Piper's documentation of its voices
(https://github.com/OHF-Voice/piper1-gpl): phonemes of espeak-ng letter by letter, punctuation kept, a
padding symbol behind each, a symbol for the beginning and one for the end.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import ClassVar

import numpy as np

from avatalk import models
from avatalk.errors import EngineUnavailable, SpeechError
from avatalk.media import Phoneme
from avatalk.models.loaded import loaded
from avatalk.models.piper import PREFIX
from avatalk.speech import piper_net
from avatalk.speech.base import SpeechEngine, Utterance, Voice
from avatalk.speech.piper_symbols import Symbol, pronounced, symbols_of
from avatalk.speech.piper_voices import piper_voices, read_files
from avatalk.speech.resample import resample
from avatalk.speech.words import Mark, timed_words

_LONGEST_JOIN_S = 0.06
"""A gap between two words up to which the mouth does not rest."""
_FORM = 1  # counted up when the same words come to sound different


class Piper(SpeechEngine):
    """Piper voices, by OpenVINO."""

    name: ClassVar[str] = "piper"

    def voices(self) -> tuple[Voice, ...]:
        """Return every speaker of every installed voice, better ones first."""
        return piper_voices()

    def version(self, voice: Voice) -> str:
        """Return the version of OpenVINO and of espeak-ng, and the checksum of the voice."""
        stem = voice.identifier.partition("#")[0]
        libraries = " ".join(f"{name} {version(name)}" for name in ("openvino", "espeakng-loader"))
        return f"{libraries} {models.kept(PREFIX + stem)[f'{stem}.onnx'].sha256} {_FORM}"

    def pronounce(self, ipa: str, voice: Voice) -> str | None:
        """Return `ipa` between marks; see `SpeechEngine.pronounce`."""
        return pronounced(ipa, read_files(voice.identifier.partition("#")[0]))

    def speak(self, sentence: str, voice: Voice, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Speak one sentence; see `SpeechEngine.speak`.

        The pitch is moved by speaking slower and playing faster, so a large change sounds of a smaller head.
        """
        stem, _, speaker = voice.identifier.partition("#")
        if not models.installed(PREFIX + stem):
            raise EngineUnavailable(
                f"The Piper voice {stem} is not installed.",
                hint=f"Run `avatalk models install {PREFIX}{stem}`.",
                stage="speech",
                field="voice",
            )
        path = models.path(PREFIX + stem, f"{stem}.onnx")
        files = read_files(stem)
        symbols = symbols_of(sentence, voice.scripts, files)
        if not any(symbol.ids and symbol.sounds for symbol in symbols):
            raise SpeechError(
                f"The voice {voice.name} makes no sound of “{sentence[:40]}”.",
                hint="Write it in the language of the voice, or choose another voice.",
                stage="speech",
                field="text",
            )
        facts = path.stat()
        run = loaded(("piper", str(path), facts.st_size, facts.st_mtime_ns), lambda: piper_net.load(path))
        ids = np.array([number for symbol in symbols for number in symbol.ids], np.int64)
        made, frames = run(ids, files.scales, pitch / speed, files.speakers.get(speaker, 0))
        played_rate = round(files.sample_rate * pitch)
        sound = np.clip(resample(made, played_rate, files.sample_rate), -1, 1).astype(np.float32)
        if frames is None or int(frames.sum()) * files.hop != len(made):
            return Utterance(sound, files.sample_rate)
        ends_s = np.minimum(np.cumsum(frames) * files.hop / played_rate, len(sound) / files.sample_rate)
        timed = _timed(symbols, ends_s.tolist())
        marks = [Mark(s.position, p.start_s, p.end_s) for s, p in timed if s.sounds and s.position >= 0]
        words = timed_words(sentence, marks)
        return Utterance(sound, files.sample_rate, _phonemes(timed, len(sound) / files.sample_rate), words)


def _timed(symbols: list[Symbol], ends_s: list[float]) -> list[tuple[Symbol, Phoneme]]:
    """Give every symbol its time, from the ends of its numbers'."""
    timed, at, start_s = [], 0, 0.0
    for symbol in symbols:
        at += len(symbol.ids)
        end_s = ends_s[at - 1] if symbol.ids else start_s
        timed.append((symbol, Phoneme(symbol.ipa, start_s, end_s, symbol.stressed)))
        start_s = end_s
    return timed


def _phonemes(timed: list[tuple[Symbol, Phoneme]], duration_s: float) -> tuple[Phoneme, ...]:
    """Return phonemes without gaps; what makes no sound is a pause, or belongs to what comes before."""
    phonemes: list[Phoneme] = []
    for symbol, phoneme in timed:
        if phoneme.end_s <= phoneme.start_s:
            continue
        last = phonemes[-1] if phonemes else None
        brief = symbol.joins and phoneme.end_s - phoneme.start_s <= _LONGEST_JOIN_S
        if last is not None and (brief or not (phoneme.symbol or last.symbol)):
            phonemes[-1] = replace(last, end_s=phoneme.end_s)
        else:
            phonemes.append(phoneme)
    if phonemes and phonemes[-1].end_s < duration_s:
        phonemes[-1] = replace(phonemes[-1], end_s=duration_s)
    return tuple(phonemes)
