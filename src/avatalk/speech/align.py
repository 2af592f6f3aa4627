"""When the words of a known text are said in a sound: what knows only both, and no times.

espeak-ng reads the text, with the time of every phoneme; dynamic programming finds the cheapest way to bend
that reading until it lies on the sound (F. Malfrère, T. Dutoit, "High quality speech synthesis for phonetic
speech segmentation", 1997). Pauses may lie between any two words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from avatalk.events import Monitor
from avatalk.lipsync.listen_features import SAMPLE_RATE
from avatalk.media import Float32Array, Phoneme, Speech, Word
from avatalk.speech.align_features import FRAME_S, Int32Array, Reference, frame_of, heard
from avatalk.speech.audio import AudioClip
from avatalk.speech.base import Utterance, Voice
from avatalk.speech.espeak_voices import canonical, espeak_voices, tag_of
from avatalk.speech.resample import resample
from avatalk.speech.trellis import BLOCK, Trellis
from avatalk.speech.voices import language_of, script_of_text, voices_for_script
from avatalk.speech.words import as_spaced

_SAMPLE_S = 60.0  # of the sound, to judge whether it says the text
_DEAREST, _OTHER = 0.9, 0.97
"""Price of the text, and price relative to its words in another order, that tell of another text."""
_TOO_FEW = 5  # words to judge by
_WELL = 0.5
_SAME_PACE = 1.3
_SHORTEST_PAUSE_S = 0.04
_LEAST_SAID = 0.45  # of the time a word takes when it is read
_SWALLOWED = 3  # words in a row at most
_CLOSURE_S = 0.06  # of a stop after a pause, before its burst
_STOPS = frozenset("pbtdkɡqʈɖcɟ")


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where a text lies in a sound.

    Attributes:
        phonemes: in time order, without gaps from the beginning of the sound to its end.
        words: in time order, as written; without those that are not in the sound.
        price: of the way through the text, relative to that of saying nothing: 0.3 to 0.8 if it is said.
    """

    phonemes: tuple[Phoneme, ...]
    words: tuple[Word, ...]
    price: float


def recorded(audio: AudioClip, transcript: str, language: str | None, monitor: Monitor) -> Speech:
    """Return a recording as speech, with the times of its words if it says them.

    Args:
        audio: the recording.
        transcript: its words.
        language: BCP-47 tag of them; None for the likely one.
        monitor: told of seconds of sound, and warned if the recording does not say the transcript.
    """
    language = tag_of(language) if language else language_of(transcript)
    found = align(audio, transcript, language, monitor)
    if found is None:
        monitor.warn(
            "The recording does not say the transcript, so the lips follow the sound alone and captions lack "
            f"their times. Do they belong together, and is the language {language}? (--language)"
        )
        return Speech(audio)
    if len(found.words) < _TOO_FEW:
        monitor.warn(
            f"A transcript of fewer than {_TOO_FEW} words is too short to check that the recording says it."
        )
    words = tuple(as_spaced(transcript, found.words))
    return Speech(audio, found.phonemes, words, language=language)


def align(clip: AudioClip, text: str, language: str, monitor: Monitor) -> Alignment | None:
    """Find when the words of `text` are said in `clip`; None where it says something else.

    Memory does not grow with the sound but for what is returned, and 4 bytes for every 10 ms.

    Args:
        clip: speech, by anybody, at any rate, with pauses and noise.
        text: what is said, of any length; words may be missing in it.
        language: BCP-47 tag of the text. One that espeak-ng lacks is read as its script suggests.
        monitor: told of seconds of sound.
    """
    sample: list[Float32Array] = []

    def sound() -> Iterator[Float32Array]:
        sample.clear()
        seconds = 0.0
        for block in clip.blocks(SAMPLE_RATE):
            if seconds < _SAMPLE_S:
                sample.append(block[:, 0])
            seconds += len(block) / SAMPLE_RATE
            monitor.report("speech", seconds, clip.duration_s, "seconds", "Aligning")
            yield block[:, 0]

    voice = reader(language, text)
    found = _at_its_pace(sound, clip.duration_s, text, voice)
    return found if _fits(found, sample, voice) else None


def _fits(found: Alignment, sample: list[Float32Array], voice: Voice) -> bool:
    """Whether the words found in `sample` lie better on it than the same words in another order."""
    duration_s = sum(map(len, sample)) / SAMPLE_RATE
    words = [word.text for word in found.words if word.end_s <= duration_s]
    if not found.words or len(words) < _TOO_FEW:
        return bool(found.words)
    said, *others = (
        _at_its_pace(lambda: sample, duration_s, " ".join(order), voice).price
        for order in (words, words[::-1], words[1::2] + words[::2])
    )
    return said < min(_DEAREST, _OTHER * min(others))


def align_utterance(utterance: Utterance, sentence: str, voice: Voice) -> Utterance:
    """Add phonemes to an utterance whose engine tells none, and words where it does not tell those either.

    Args:
        utterance: the sound of `sentence`.
        sentence: as given to the engine.
        voice: who speaks; its language counts.
    """
    sound = resample(utterance.sound, utterance.sample_rate, SAMPLE_RATE)
    found = _at_its_pace(lambda: [sound], utterance.duration_s, sentence, reader(voice.language, sentence))
    words = found.words if utterance.words is None else utterance.words
    return replace(utterance, phonemes=found.phonemes, words=words)


def reader(language: str, text: str) -> Voice:
    """Return the voice of espeak-ng that reads `text`: by its language, else by its script."""
    tag = canonical(language)
    found = next((voice for voice in espeak_voices() if voice.language.lower() == tag), None)
    if found is not None:
        return found
    return next(iter(voices_for_script(script_of_text(text))), espeak_voices()[0])


def _at_its_pace(
    sound: Callable[[], Iterable[Float32Array]], duration_s: float, text: str, voice: Voice
) -> Alignment:
    """Align; to somebody much faster or slower than the reading, once more with one at that pace."""
    found, pace = _aligned(sound(), duration_s, Reference(text, voice))
    if found.price < _WELL or 1 / _SAME_PACE < pace < _SAME_PACE:
        return found
    again, _ = _aligned(sound(), duration_s, Reference(text, voice, min(max(pace, 0.5), 2.0)))
    return min(found, again, key=lambda alignment: alignment.price)


def _aligned(
    sound: Iterable[Float32Array], duration_s: float, reference: Reference
) -> tuple[Alignment, float]:
    """Align pieces of sound at 16 kHz; return also how much faster than the reading it is, very roughly."""
    trellis, states = Trellis(), reference.states()
    frames_of: list[Int32Array] = []
    speech_s = FRAME_S

    for compared, prices in heard(sound):
        speech_s += FRAME_S * float(np.sum(prices[:, 0] < prices[:, 1]))
        for start in range(0, len(compared), BLOCK):
            while trellis.wants:
                features, frames = next(states, (np.zeros((0, 0), np.float32), np.zeros(0, np.int32)))
                frames_of.append(frames)
                trellis.extend(features, frames < 0)
            trellis.step(compared[start : start + BLOCK], prices[start : start + BLOCK])
    way = np.concatenate(frames_of)[trellis.way()]
    for _ in states:  # reads to the end
        pass
    phonemes, words = _placed(way, reference, duration_s)
    price = trellis.price / max(trellis.price_of_silence, 1e-9)
    return Alignment(phonemes, words, price), reference.spoken_s / speech_s


def _placed(
    way: Int32Array, reference: Reference, duration_s: float
) -> tuple[tuple[Phoneme, ...], tuple[Word, ...]]:
    """Phonemes and words at the times of the sound.

    Args:
        way: (frames,) int32: for each frame of the sound the frame of the reference, -1 where it is silent.
        reference: read as far as `way` goes.
        duration_s: of the sound.
    """
    at = np.flatnonzero(way >= 0)
    if not len(at):
        return (Phoneme("", 0.0, duration_s),), ()
    seen, first, count = np.unique(way[at], return_index=True, return_counts=True)
    begin, end = at[first], at[first + count - 1] + 1

    begin, end = np.append(begin, end[-1]), np.append(begin[0], end)  # of what comes after, and before

    def starts(seconds: float) -> float:
        return float(begin[np.searchsorted(seen, frame_of(seconds))]) * FRAME_S

    def ends(seconds: float) -> float:
        return float(end[np.searchsorted(seen, frame_of(seconds))]) * FRAME_S

    words = [_word(w, starts(w.start_s), ends(w.end_s)) for w in reference.words]
    phonemes: list[Phoneme] = []
    for phoneme in reference.phonemes:
        moved = replace(phoneme, start_s=starts(phoneme.start_s), end_s=ends(phoneme.end_s))
        if phoneme.symbol and moved.end_s > moved.start_s:
            _append(phonemes, moved, duration_s)
    _append(phonemes, Phoneme("", duration_s, duration_s), duration_s)
    return tuple(phonemes), tuple(_said(words, duration_s))


def _word(read: Word, start_s: float, end_s: float) -> Word:
    """A word at its time; one that is over before it can have been said takes no time."""
    said = end_s - start_s >= _LEAST_SAID * (read.end_s - read.start_s)
    return replace(read, start_s=start_s, end_s=end_s if said else start_s)


def _append(phonemes: list[Phoneme], phoneme: Phoneme, duration_s: float) -> None:
    """Append a phoneme, with the pause before it if there is one; what overlaps is cut."""
    before_s = phonemes[-1].end_s if phonemes else 0.0
    start_s = min(max(phoneme.start_s, before_s), duration_s)
    if phoneme.symbol and phoneme.symbol[0] in _STOPS:
        start_s = max(start_s - _CLOSURE_S, before_s)
    if start_s - before_s >= _SHORTEST_PAUSE_S or not phonemes:
        if start_s > before_s:
            phonemes.append(Phoneme("", before_s, start_s))
    elif start_s > before_s:
        phonemes[-1] = replace(phonemes[-1], end_s=start_s)
    end_s = min(phoneme.end_s, duration_s)
    if end_s > start_s:
        phonemes.append(replace(phoneme, start_s=start_s, end_s=end_s))


def _said(words: list[Word], duration_s: float) -> Iterator[Word]:
    """Words that do not overlap; a few that were swallowed take no time, many are not in the sound."""
    runs = [list(run) for _, run in groupby(words, key=lambda word: word.end_s > word.start_s)]
    kept = [w for run in runs for w in run if len(run) <= _SWALLOWED or w.end_s > w.start_s]
    stops_s = [*(word.start_s for word in kept[1:]), duration_s]
    for word, stop_s in zip(kept, stops_s, strict=False):  # no word may be left
        start_s = min(word.start_s, duration_s)
        yield replace(word, start_s=start_s, end_s=max(min(word.end_s, stop_s, duration_s), start_s))
