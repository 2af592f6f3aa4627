"""Sentences of a finished speech are said otherwise, and all others keep their very samples.

What follows a corrected sentence moves by whole frames, so that pictures made before still fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import BinaryIO, TypeVar

from avatalk.errors import BadInput, SpeechError
from avatalk.events import Monitor
from avatalk.media import Phoneme, Speech, Splice, Word
from avatalk.speech.audio import AudioClip
from avatalk.speech.columns import Columns
from avatalk.speech.frames import frame_at
from avatalk.speech.riff import header
from avatalk.speech.ssml import Script, parse
from avatalk.speech.text import check_speakable, pieces

Timed = TypeVar("Timed", Word, Phoneme)

_BLOCK = 1 << 16  # samples
_SAMPLE = 2  # bytes


@dataclass(frozen=True, slots=True)
class Take:
    """A sentence as it lies in a speech, and what is said instead.

    Attributes:
        sentence: its number.
        start: first sample of its sound.
        stop: the sample after its last; the pause after it is not part of it.
        speech: said instead, at the loudness of the whole, times from its own beginning.
    """

    sentence: int
    start: int
    stop: int
    speech: Speech


def corrected(
    before: Speech, spoken: Sequence[int], takes: Sequence[Take], fps: Fraction, n_frames: int, path: Path
) -> Speech:
    """Put other sentences into a speech.

    Args:
        before: in a file of `avatalk.speech.synthesis`, with phonemes, words and joints.
        spoken: numbers of its sentences; a joint lies between two.
        takes: what is said otherwise, in order, each of another sentence.
        fps: of the video, exact.
        n_frames: of the video before.
        path: of the file to write.

    Returns:
        The speech at `path`, with `splices`. Samples before, between and after the takes are those of
        `before`; behind each take there is silence, less than a frame, so that what follows moves by whole
        frames, to the nearest sample.
    """
    rate = before.audio.sample_rate
    joints = [0, *(frame_at(joint, fps) for joint in before.joints), n_frames]
    places = dict(zip(spoken, pairwise(joints), strict=True))
    splices, moves = [], []
    for take in takes:
        longer = _samples(take.speech.audio) - (take.stop - take.start)
        frames = ceil(longer * fps / rate)
        while round(frames * rate / fps) < longer:
            frames += 1
        start, stop = places[take.sentence]
        splices.append(Splice(start, stop, stop - start + frames, take.speech, take.start / rate))
        moves.append(round(frames * rate / fps))
    samples = _write(path, before.audio, takes, moves)
    timeline = _Timeline(takes, moves, rate)
    return replace(
        before,
        audio=AudioClip(path, rate, 1, samples / rate),
        phonemes=timeline.phonemes(before.phonemes or ()),
        words=timeline.words(before.words or ()),
        joints=tuple(joint + timeline.moved_s(joint) for joint in before.joints),
        before=before,
        splices=tuple(splices),
    )


def _write(path: Path, audio: AudioClip, takes: Sequence[Take], moves: Sequence[int]) -> int:
    """Write the sound of `corrected`, and return its number of samples."""
    old = _samples(audio)
    samples = old + sum(moves)
    with path.open("wb") as new:
        new.write(header(samples, audio.sample_rate))
        at = 0
        for take, move in zip(takes, moves, strict=True):
            _copy(audio, new, at, take.start)
            said = _samples(take.speech.audio)
            _copy(take.speech.audio, new, 0, said)
            new.write(bytes(_SAMPLE * (take.stop - take.start + move - said)))
            at = take.stop
        _copy(audio, new, at, old)
    return samples


def _samples(audio: AudioClip) -> int:
    return round(audio.duration_s * audio.sample_rate)


def _copy(audio: AudioClip, target: BinaryIO, start: int, stop: int) -> None:
    """Append samples `start` to `stop` - 1 of a file of `avatalk.speech.synthesis`."""
    with audio.path.open("rb") as source:
        source.seek(len(header(_samples(audio), audio.sample_rate)) + _SAMPLE * start)
        for first in range(start, stop, _BLOCK):
            target.write(source.read(_SAMPLE * (min(first + _BLOCK, stop) - first)))


@dataclass(frozen=True, slots=True)
class _Timeline:
    """Where things lie after the corrections."""

    takes: Sequence[Take]
    moves: Sequence[int]
    rate: int

    def moved_s(self, at_s: float) -> float:
        """Seconds by which what lay at `at_s` moves; it lies in no take."""
        pairs = zip(self.takes, self.moves, strict=True)
        return sum(move for take, move in pairs if take.stop <= at_s * self.rate + 0.5) / self.rate

    def words(self, words: Sequence[Word]) -> Columns[Word]:
        """Words of sentences that stay, and of those that are said instead, under the number of theirs."""
        new = {take.sentence: take for take in self.takes}
        kept = [self._moved(word) for word in words if word.sentence not in new]
        for take in self.takes:
            at = self._begin_s(take)
            kept += [
                replace(word, start_s=at + word.start_s, end_s=at + word.end_s, sentence=take.sentence)
                for word in take.speech.words or ()
            ]
        return Columns(Word, sorted(kept, key=lambda word: word.start_s))

    def phonemes(self, phonemes: Sequence[Phoneme]) -> Columns[Phoneme]:
        """Likewise phonemes; pauses fill what lies between them."""
        half = 0.5 / self.rate
        spans = [(take.start / self.rate - half, take.stop / self.rate - half) for take in self.takes]
        kept = [
            self._moved(phoneme)
            for phoneme in phonemes
            if phoneme.symbol and not any(start <= phoneme.start_s < stop for start, stop in spans)
        ]
        for take in self.takes:
            at = self._begin_s(take)
            kept += [
                replace(phoneme, start_s=at + phoneme.start_s, end_s=at + phoneme.end_s)
                for phoneme in take.speech.phonemes or ()
                if phoneme.symbol
            ]
        end_s = phonemes[-1].end_s + sum(self.moves) / self.rate if phonemes else 0.0
        return _without_gaps(sorted(kept, key=lambda phoneme: phoneme.start_s), end_s, half)

    def _moved(self, item: Timed) -> Timed:
        by = self.moved_s(item.start_s)
        return replace(item, start_s=item.start_s + by, end_s=item.end_s + by) if by else item

    def _begin_s(self, take: Take) -> float:
        at = take.start / self.rate
        return at + self.moved_s(at)


def _without_gaps(phonemes: Sequence[Phoneme], end_s: float, least_s: float) -> Columns[Phoneme]:
    whole: list[Phoneme] = []
    now = 0.0
    for phoneme in [*phonemes, None]:
        until = end_s if phoneme is None else phoneme.start_s
        if until - now > least_s:
            whole.append(Phoneme("", now, until))
        if phoneme is not None:
            whole.append(phoneme)
            now = phoneme.end_s
    return Columns(Phoneme, whole)


def sentences_of(text: str) -> list[tuple[int, int]] | None:
    """Where each sentence of a plain text begins and ends, by number; None for SSML."""
    try:
        if parse(text, Monitor()).text != text:
            return None
    except SpeechError:  # malformed SSML
        return None
    found: list[tuple[int, int]] = []
    for piece in pieces(text):
        if piece.sentence < len(found):
            found[-1] = (found[-1][0], piece.end)
        else:
            found.append((piece.start, piece.end))
    return [(start, start + len(text[start:stop].rstrip())) for start, stop in found]


def as_said(text: str, corrections: Sequence[tuple[int, str]]) -> str:
    """A plain text with corrected sentences in their places; SSML as it is."""
    spans = sentences_of(text)
    for number, said in sorted(corrections, reverse=True):
        if spans is not None and number < len(spans):
            start, stop = spans[number]
            text = text[:start] + said.strip() + text[stop:]
    return text


def check_corrections(text: str, corrections: Sequence[tuple[int, str]]) -> None:
    """Find out in milliseconds which corrections cannot be spoken, as far as that goes.

    Raises:
        BadInput: there is no such sentence.
        SpeechError: there is nothing to speak in a correction, or it is malformed.
    """
    spans = sentences_of(text)
    for number, said in corrections:
        if spans is not None and number >= len(spans):
            raise no_sentence(number, len(spans) - 1)
        script_of(said, Monitor())


def script_of(said: str, monitor: Monitor) -> Script:
    """The script of a correction.

    Raises:
        SpeechError: there is nothing to speak in it, or it is malformed.
    """
    try:
        script = parse(said, monitor)
        check_speakable(script.text)
    except SpeechError as error:
        error.field = "corrections"
        raise
    return script


def no_sentence(number: int, last: int) -> BadInput:
    """What is wrong with a correction of a sentence that there is not."""
    return BadInput(
        f"There is no sentence {number} in the text that a correction could replace.",
        hint=f"They are numbered from 0 to {last}.",
        stage="speech",
        field="corrections",
    )


def said_sentences(text: str, corrections: Sequence[tuple[int, str]]) -> list[str]:
    """The sentences of a plain text as they are said, by number; none of SSML."""
    said = dict(corrections)
    spans = enumerate(sentences_of(text) or ())
    return [said.get(number, text[start:stop]) for number, (start, stop) in spans]
