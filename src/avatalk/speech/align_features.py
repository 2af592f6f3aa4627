"""What the aligner compares: a recording, and espeak-ng's reading of its text, as rows 10 ms apart.

A row is a mel cepstrum and its slope. Where the recording is silence, a network says (`lipsync.listen`):
hiss, hum and music are no speech.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from avatalk.errors import SpeechError
from avatalk.events import Monitor
from avatalk.lipsync.listen import SPEECH, lip_net, said, windows
from avatalk.lipsync.listen_features import BANDS, SAMPLE_RATE, SHAPES_EAR, STEP_S
from avatalk.media import Float32Array, Phoneme, Word
from avatalk.speech.base import Voice
from avatalk.speech.lines import lines
from avatalk.speech.resample import resample
from avatalk.speech.ssml import Script
from avatalk.speech.voices import engine_of

Int32Array = npt.NDArray[np.int32]

FRAME_S = 0.01
_STRIDE = round(FRAME_S * SAMPLE_RATE / SHAPES_EAR.hop)
_CEPSTRA = 13
_SLOPE = 4.5  # weight of slopes; they are smaller
_REACH = 2  # frames either side that a slope is taken over
_DOUBT = 0.3  # weight of the network's word that it is speech, or is not
_LOUD = 2.0  # price of taking for silence what is as loud as speech, per 20 dB
_LOUD_FROM = -1.0  # in 20 dB, relative to speech nearby
_SUREST = 5.0  # of log odds
_GAP_S = 0.3  # between the sentences of the reading


def _cosines() -> Float32Array:
    """(40, 13): the discrete cosine transform of type II, orthonormal."""
    k = np.arange(_CEPSTRA)
    table = np.cos(np.pi * (np.arange(BANDS)[:, None] + 0.5) * k / BANDS) * np.sqrt(2 / BANDS)
    table[:, 0] /= np.sqrt(2)
    return np.asarray(table, np.float32)


_COSINES = _cosines()


def heard(sound: Iterable[Float32Array]) -> Iterator[tuple[Float32Array, Float32Array]]:
    """Yield what is heard in a recording, a page at a time.

    Args:
        sound: pieces of mono sound, float32, at `SAMPLE_RATE`.

    Yields:
        (frames, 26) float32 to compare; and (frames, 2) float32, what it costs to hold each frame for speech,
        and for silence.
    """
    for before, rows, after in windows(iter(sound), lip_net()):
        frames = _compared(before, rows, after)
        speech = said(lip_net(), before, rows, after)[:, SPEECH]
        probability = np.repeat(speech, round(STEP_S / FRAME_S))[: len(frames)]
        odds = np.log(np.maximum(probability, 1e-9) / np.maximum(1.0 - probability, 1e-9))
        odds = np.clip(odds, -_SUREST, _SUREST)
        loud = _LOUD * np.maximum(rows[::_STRIDE, BANDS] - _LOUD_FROM, 0.0)
        price = np.stack([_DOUBT * np.logaddexp(0, -odds), _DOUBT * np.logaddexp(0, odds) + loud], axis=1)
        yield frames, price.astype(np.float32)


def _compared(before: Float32Array, rows: Float32Array, after: Float32Array) -> Float32Array:
    """(frames, 26) of a page of `windows`."""
    reach = _REACH * _STRIDE
    lacking = (max(reach - len(before), 0), max(reach - len(after), 0))
    near = np.concatenate([before[-reach:], rows, after[:reach]])
    near = np.pad(near, (lacking, (0, 0)), mode="edge")[::_STRIDE]
    cepstrum = near[:, :BANDS] @ _COSINES
    count = -(-len(rows) // _STRIDE)
    slope = np.zeros((count, _CEPSTRA), np.float32)
    for k in range(1, _REACH + 1):
        slope += k * (cepstrum[_REACH + k :][:count] - cepstrum[_REACH - k :][:count])
    slope /= 2 * sum(k * k for k in range(1, _REACH + 1))
    return np.concatenate([cepstrum[_REACH : _REACH + count], _SLOPE * slope], axis=1).astype(np.float32)


@dataclass(slots=True)
class Reference:
    """espeak-ng's reading of a text, made as it is needed. Times count from its beginning.

    Attributes:
        text: what is read.
        voice: who reads; one of espeak-ng's.
        speed: 0.5..2, how fast.
        phonemes: of what was read so far, without gaps.
        words: likewise, as written, with the number of their sentence.
    """

    text: str
    voice: Voice
    speed: float = 1.0
    phonemes: list[Phoneme] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)

    @property
    def spoken_s(self) -> float:
        """Seconds of what was read so far, without pauses."""
        return sum(phoneme.end_s - phoneme.start_s for phoneme in self.phonemes if phoneme.symbol)

    def states(self) -> Iterator[tuple[Float32Array, Int32Array]]:
        """Yield the states of a `Trellis`, some at a time.

        Yields:
            (states, 26) float32; and (states,) int32, the frame of the reading that each stands for, -1 for
            a silence: one before every word and every sound after a pause, and one at the end.
        """
        begun, last = 0, -2
        first_phoneme, first_word = 0, 0
        for before, rows, after in windows(self._sound(), lip_net()):
            compared = _compared(before, rows, after)
            sounding = np.zeros(len(compared), bool)
            starts = np.zeros(len(compared), bool)
            stop = begun + len(compared)
            for phoneme in self.phonemes[first_phoneme:]:
                span = slice(
                    max(frame_of(phoneme.start_s) - begun, 0), max(frame_of(phoneme.end_s) - begun, 0)
                )
                sounding[span] = bool(phoneme.symbol)
            for word in self.words[first_word:]:
                if begun <= frame_of(word.start_s) < stop:
                    starts[frame_of(word.start_s) - begun] = True
            while first_phoneme < len(self.phonemes) and frame_of(self.phonemes[first_phoneme].end_s) <= stop:
                first_phoneme += 1
            while first_word < len(self.words) and frame_of(self.words[first_word].start_s) < stop:
                first_word += 1
            frames = np.flatnonzero(sounding)
            if len(frames):
                apart = starts[frames] | (np.diff(frames, prepend=last - begun) > 1)
                which = np.repeat(frames + begun, 1 + apart).astype(np.int32)
                which[np.flatnonzero(apart) + np.arange(apart.sum())] = -1
                last = begun + int(frames[-1])
                yield compared[which - begun * (which >= 0)], which
            begun = stop
        yield np.zeros((1, 2 * _CEPSTRA), np.float32), np.array([-1], np.int32)

    def _sound(self) -> Iterator[Float32Array]:
        """Yield the sentences, each with a pause behind it, in whole steps of the network at 16 kHz."""
        at_s, told = 0.0, Monitor()  # what its voice cannot say, the reader need not tell
        for line in lines(Script(self.text), self.voice, self.speed, 1.0, told):
            try:
                spoken = engine_of(line.voice).speak(line.reading.spoken, line.voice, line.speed)
            except SpeechError:  # nothing in it that this voice can say
                continue
            phonemes, words = spoken.phonemes or (), line.reading.words(spoken.words or ())
            self.phonemes += [replace(p, start_s=at_s + p.start_s, end_s=at_s + p.end_s) for p in phonemes]
            self.words += [Word(w.text, at_s + w.start_s, at_s + w.end_s, line.sentence) for w in words]
            lasts_s = (np.ceil(spoken.duration_s / STEP_S) + round(_GAP_S / STEP_S)) * STEP_S
            lacking = round(lasts_s * spoken.sample_rate) - len(spoken.sound)
            self.phonemes.append(Phoneme("", at_s + spoken.duration_s, at_s + lasts_s))
            at_s += lasts_s
            yield resample(np.pad(spoken.sound, (0, lacking)), spoken.sample_rate, SAMPLE_RATE)


def frame_of(seconds: float) -> int:
    """The frame that is centred nearest to a time."""
    return round(seconds / FRAME_S)
