"""Viseme curves from timed phonemes.

Lips, rounding and spreading follow dominance functions (M. Cohen, D. Massaro, "Modeling coarticulation in
synthetic visual speech", 1993): every sound pulls each mouth parameter towards its target, with a pull that
fades before and after the sound, and the curve is the weighted mean of all pulls. Contacts (lips together,
lip on teeth, tongue on teeth) are no compromises: they are reached in full whatever the neighbours want.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from avatalk.media import VISEME_CHANNELS, Phoneme, VisemeCurve

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sound:
    """How one sound shapes the mouth; everything 0..1.

    `hold` and `shape` are dominances: how much the sound insists on its `open`, and on its `wide` and
    `round`, against its neighbours. `closed`, `teeth` and `tongue` are contacts. `length` is relative to the
    other sounds of the same phoneme (diphthongs, affricates).
    """

    open: float
    wide: float = 0.0
    round: float = 0.0
    hold: float = 1.0
    shape: float = 1.0
    closed: float = 0.0
    teeth: float = 0.0
    tongue: float = 0.0
    length: float = 1.0


def _vowel(opening: float, wide: float = 0.0, rounding: float = 0.0) -> Sound:
    return Sound(opening, wide, rounding)


def _consonant(
    opening: float, hold: float, *, wide: float = 0.0, rounding: float = 0.0, tongue: float = 0.0
) -> Sound:
    """A consonant that leaves the lips' shape to its neighbours unless it has one of its own."""
    shape = 0.8 if wide or rounding else 0.12
    return Sound(opening, wide, rounding, hold, shape, tongue=tongue, length=0.6)


_PAUSE = Sound(0.0, hold=0.7, shape=0.25)
_NEUTRAL = Sound(0.3, hold=0.4, shape=0.1)

# The gap between the lips, not the jaw: spreading lifts the lips off the teeth, rounding narrows it.
_GROUPS: dict[str, Sound] = {
    "aäA": _vowel(1.0, 0.15),
    "ɑɶ": _vowel(0.92),
    "æ": _vowel(0.9, 0.45),
    "ɐ": _vowel(0.8),
    "ʌ": _vowel(0.65),
    "ɒ": _vowel(0.64, 0.0, 0.45),
    "ɔ": _vowel(0.54, 0.0, 0.6),
    "ɛεE": _vowel(0.74, 0.55),
    "ɜɝɞ": _vowel(0.5, 0.0, 0.15),
    "œ": _vowel(0.52, 0.0, 0.6),
    "əɘɚ@": _vowel(0.48),
    "e": _vowel(0.6, 0.7),
    "ɤ": _vowel(0.5, 0.2),
    "oɵ": _vowel(0.36, 0.0, 0.85),
    "ø": _vowel(0.38, 0.0, 0.8),
    "ɪᵻI": _vowel(0.5, 0.6),
    "ʊU": _vowel(0.28, 0.0, 0.75),
    "iɿ": _vowel(0.46, 0.95),
    "ɨ": _vowel(0.38, 0.45),
    "ɯ": _vowel(0.33, 0.35),
    "uʉ": _vowel(0.18, 0.0, 1.0),
    "yʏ": _vowel(0.22, 0.0, 0.95),
    "pbmɓʘʙ": Sound(0.15, hold=0.3, shape=0.08, closed=1.0, length=0.6),
    "βɸ": Sound(0.1, hold=0.8, shape=0.1, closed=0.6, length=0.6),
    "fvɱⱱ": Sound(0.1, hold=0.8, shape=0.2, teeth=1.0, length=0.6),
    "ʋ": Sound(0.15, hold=0.6, shape=0.1, teeth=0.6, length=0.6),
    "wʍɥ": _consonant(0.12, 1.0, rounding=1.0),
    "θðTD": _consonant(0.34, 0.7, tongue=1.0),
    "tdnɗǀ": _consonant(0.42, 0.5, tongue=0.5),
    "lɫɺɾɬɮL": _consonant(0.42, 0.45, tongue=0.7),
    "rɽ": _consonant(0.36, 0.45, tongue=0.4),
    "szʦʣ": _consonant(0.46, 0.7, wide=0.5),
    "ʃʒʂʐSZʧʤ": _consonant(0.42, 0.8, rounding=0.65),
    "ɕʑʨʥ": _consonant(0.42, 0.8, wide=0.2, rounding=0.25),
    "ɹɻ": _consonant(0.28, 0.6, rounding=0.45),
    "ʈɖɳɭᶑǃǂǁ": _consonant(0.34, 0.4),
    "jʝçɲʎcɟʄC": _consonant(0.44, 0.5, wide=0.5),
    "kɡgŋɠxɣɰN": _consonant(0.42, 0.25),
    "qɢɴχʁʀʛXR": _consonant(0.48, 0.2),
    "hɦHħʕʜʢ": _consonant(0.5, 0.15),
    "ʔ?ʡ": _consonant(0.35, 0.08),
}
SOUNDS: dict[str, Sound] = {symbol: sound for symbols, sound in _GROUPS.items() for symbol in symbols}
"""IPA letter (and the ASCII letters that espeak-ng falls back to) → what the mouth does."""

_ROUNDING = set("ʷᵝ\u0339")  # modifiers that round what they follow
_LONG = set("ːˑ:")
_SHORT = set("\u032f\u0306")  # non-syllabic, extra short

_BEFORE_S, _AFTER_S = 0.065, 0.055  # how far openness reaches out of its sound; lips lead the sound
_ROUND_BEFORE_S, _ROUND_AFTER_S = 0.13, 0.09  # rounding begins well ahead
_RAMP_IN_S, _RAMP_OUT_S = 0.075, 0.07  # a lip closes and opens in about this time
_CONTACT_S = 0.03  # the shortest contact
_RELEASE = 0.75  # share of a plosive's time until its release
_REST_S = 0.16  # in a pause, the mouth is at rest this long after the last and before the next sound
_REACH_S = 0.7  # beyond this no sound has an influence
_BLOCK = 512  # frames at once


def sounds_of(symbol: str) -> list[Sound]:
    """Split an IPA symbol into the sounds it is made of, in order.

    Letters stand for sounds; tie bars, tones, nasalisation, stress and the like are passed over; length marks
    lengthen, labialisation rounds. An unknown letter is a neutral mouth. Language marks such as ``(en)``,
    which espeak-ng puts between words, and a pause give an empty list.
    """
    sounds: list[Sound] = []
    if symbol.startswith("("):
        return sounds
    for char in unicodedata.normalize("NFC", symbol):
        base = char if char in SOUNDS else unicodedata.normalize("NFD", char)[0]
        if base in SOUNDS:
            sounds.append(SOUNDS[base])
        elif char in _LONG | _SHORT | _ROUNDING:
            if sounds:
                sounds[-1] = _modified(sounds[-1], char)
        elif unicodedata.category(char) in ("Ll", "Lu", "Lo"):
            sounds.append(_NEUTRAL)
    return sounds


def _modified(sound: Sound, char: str) -> Sound:
    if char in _LONG:
        return replace(sound, length=1.6 * sound.length)
    if char in _SHORT:
        return replace(sound, length=0.5 * sound.length)
    return replace(sound, wide=0.0, round=max(sound.round, 0.8), shape=max(sound.shape, 0.8))


@dataclass(frozen=True, slots=True)
class _Score:
    """Sounds and pauses in time order as columns: times in seconds, (sounds,) each; `sound` 0 for pauses."""

    start: Float64Array
    end: Float64Array
    table: Float64Array  # (sounds, 8): open, wide, round, hold, shape, closed, teeth, tongue
    spoken: npt.NDArray[np.bool_]


def _score(phonemes: Sequence[Phoneme]) -> _Score:
    rows: list[tuple[float, float, Sound, bool]] = []
    now = float("-inf")
    for phoneme in sorted(phonemes, key=lambda p: p.start_s):
        parts = sounds_of(phoneme.symbol)
        if not parts:
            continue
        begin = phoneme.start_s
        if begin > now + 1e-6:
            rows.append((max(now, begin - 60.0), begin, _PAUSE, False))
        length, whole = max(phoneme.end_s - begin, 0.0), sum(part.length for part in parts)
        for part in parts:
            end = begin + length * part.length / whole
            rows.append((begin, end, _stressed(part, phoneme.stressed), True))
            begin = end
        now = max(now, begin)
    if rows:
        rows.append((now, now + 60.0, _PAUSE, False))
    table = [[s.open, s.wide, s.round, s.hold, s.shape, s.closed, s.teeth, s.tongue] for _, _, s, _ in rows]
    return _Score(
        np.array([row[0] for row in rows], np.float64),
        np.array([row[1] for row in rows], np.float64),
        np.array(table, np.float64).reshape(-1, 8),
        np.array([row[3] for row in rows], bool),
    )


def _stressed(sound: Sound, stressed: bool) -> Sound:
    return sound if stressed else replace(sound, open=0.82 * sound.open, hold=0.85 * sound.hold)


def from_phonemes(phonemes: Sequence[Phoneme], fps: float, n_frames: int) -> VisemeCurve:
    """Say what the mouth does in each frame of a speech whose phonemes are known.

    Args:
        phonemes: IPA symbols with their times, in any language that espeak-ng speaks; gaps and ``""`` are
            pauses.
        fps: frames per second. Frame i shows the mouth at i / fps seconds.
        n_frames: number of frames wanted.

    Returns:
        A curve of exactly `n_frames` rows. Every p, b, m that begins within them has a frame with ``closed``
        1 and ``open`` 0, however short it is; rows further than 0.2 s from any sound are zeros.
    """
    values = np.zeros((n_frames, len(VISEME_CHANNELS)), np.float32)
    score = _score(phonemes)
    if len(score.start):
        latest = np.maximum.accumulate(score.end)
        for first in range(0, n_frames, _BLOCK):
            frames = np.arange(first, min(first + _BLOCK, n_frames))
            time = frames / fps
            low = int(np.searchsorted(latest, time[0] - _REACH_S))
            high = int(np.searchsorted(score.start, time[-1] + _REACH_S))
            near = _Score(
                score.start[low:high], score.end[low:high], score.table[low:high], score.spoken[low:high]
            )
            values[frames] = _mouth(near, time, fps, n_frames)
    return VisemeCurve(values, fps)


def _mouth(score: _Score, time: Float64Array, fps: float, n_frames: int) -> Float64Array:
    """Rows of the curve at `time` (frames,), from the sounds near it."""
    early = np.maximum(score.start - time[:, None], 0.0)  # (frames, sounds): seconds before the sound begins
    late = np.maximum(time[:, None] - score.end, 0.0)
    opening, wide, rounding, hold, shape = score.table[:, :5].T
    pull = hold * np.exp(-((early / _BEFORE_S) ** 2) - (late / _AFTER_S) ** 2)
    lips = shape * np.exp(-((early / _ROUND_BEFORE_S) ** 2) - (late / _ROUND_AFTER_S) ** 2)
    gap = np.where(score.spoken, early + late, np.inf).min(axis=1, initial=np.inf)
    awake = _smoothstep(1.0 - gap / _REST_S)
    total, total_lips = pull.sum(axis=1) + 1e-9, lips.sum(axis=1) + 1e-9
    contact = _contacts(score, time, fps, n_frames)  # (frames, 3): closed, teeth, tongue
    columns = (
        pull @ opening / total * awake,
        contact[:, 0],
        lips @ wide / total_lips * awake,
        lips @ rounding / total_lips * awake,
        contact[:, 1],
        contact[:, 2],
    )
    return in_contact(np.clip(np.stack(columns, axis=1), 0.0, 1.0))


def in_contact(mouth: Float64Array) -> Float64Array:
    """(frames, 6) of a curve, so that lips which touch leave no gap, nor what is to be seen through it."""
    gap, closed, wide, rounding, teeth, tongue = mouth.T
    apart = 1.0 - closed
    teeth, gap = teeth * apart, gap * apart
    gap = np.minimum(gap, gap * (1.0 - teeth) + 0.06 * teeth)
    return np.stack([gap, closed, wide, rounding, teeth, tongue * apart], axis=1)


def _contacts(score: _Score, time: Float64Array, fps: float, n_frames: int) -> Float64Array:
    """(frames, 3): closed, teeth, tongue, each the strongest at that time, in full at its own frame."""
    out = np.zeros((len(time), 3))
    touching = np.flatnonzero(score.table[:, 5:].any(axis=1))
    start, end = _touch(score)
    bump = pressed(start[touching], end[touching], time, fps, n_frames)
    for channel in range(3):
        out[:, channel] = (bump * score.table[touching, 5 + channel]).max(axis=1, initial=0.0)
    return out


def _touch(score: _Score) -> tuple[Float64Array, Float64Array]:
    """(sounds,) each: when a contact begins and ends."""
    return score.start, score.start + np.maximum(_RELEASE * (score.end - score.start), _CONTACT_S)


def contacts_of(phonemes: Sequence[Phoneme]) -> tuple[tuple[Float64Array, Float64Array], ...]:
    """When the lips touch each other, and when the lower lip touches the teeth: (starts, ends), seconds."""
    score = _score(phonemes)
    start, end = _touch(score)
    return tuple((start[strong], end[strong]) for strong in (score.table[:, 5:7] >= 0.5).T)


def pressed(
    start: Float64Array, end: Float64Array, time: Float64Array, fps: float, n_frames: int
) -> Float64Array:
    """(frames, contacts) 0..1: how near to its contact each lip is at `time` (frames,), seconds.

    It is 1 from `start` to `end` (contacts,), with a smooth ramp to either side, and in the frame nearest to
    the middle, for a contact may fall between two frames.
    """
    late, early = time[:, None] - end, start - time[:, None]
    bump = _smoothstep(1.0 - early / _RAMP_IN_S) * _smoothstep(1.0 - late / _RAMP_OUT_S)
    shown = np.rint((start + end) / 2 * fps)
    shown = np.where(start * fps <= n_frames - 1, np.minimum(shown, n_frames - 1), shown)
    bump[np.rint(time * fps)[:, None] == shown] = 1.0
    return bump


def touching(start: Float64Array, end: Float64Array, fps: float, n_frames: int) -> Float64Array:
    """(frames,) 0..1: contacts from `start` to `end` (contacts,), in ascending seconds, as `pressed`."""
    curve = np.zeros(n_frames)
    for first in range(0, n_frames, _BLOCK):
        frames = np.arange(first, min(first + _BLOCK, n_frames))
        time = frames / fps
        low = int(np.searchsorted(end, time[0] - _REACH_S))
        high = int(np.searchsorted(start, time[-1] + _REACH_S))
        curve[frames] = pressed(start[low:high], end[low:high], time, fps, n_frames).max(axis=1, initial=0.0)
    return curve


def _smoothstep(x: Float64Array) -> Float64Array:
    x = np.asarray(np.clip(x, 0.0, 1.0))
    return x * x * (3.0 - 2.0 * x)
