"""What makes a recording fit for cloning the voice in it: each check is one number and its limit.

The limits lie between what 154 samples of espeak-ng's speech in 77 languages measured, a third of them also
in noise of 20 and of 10 dB, and what 35 of synthetic music, noise and signals did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from avatalk.media import Float32Array
from avatalk.speech.listening import HOP_S, Frames
from avatalk.speech.traits import band_power, steady_pitch

SHORTEST_S = 3.0
"""Of the file."""
_TOP_DB = 60.0  # what the distance of speech and noise counts as at most
_NOTE = 4  # frames over which a note holds its pitch
_NOTE_SEMITONES = 0.15
_BEAT_FRAMES = (20, 120)  # 0.2 to 1.2 s
_BEAT_RANGE_DB = 40.0
_TURN, _TURN_STEP = 100, 50  # voiced frames whose lower pitch is a speaker's own
_LEAST_TURNS = 4
_LEAST_SHARE = 0.15  # of a second speaker
_CLIPPED = 0.97  # of the peak
_VOICE_HZ, _ABOVE_TELEPHONE_HZ = (300.0, 3400.0), (4250.0, 7500.0)


@dataclass(frozen=True, slots=True)
class Recording:
    """What the checks look at: (samples,) float32 at 16 kHz, its frames, and the length of the whole file."""

    sound: Float32Array
    frames: Frames
    duration_s: float


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that can be wrong with a sample.

    Attributes:
        name: short.
        unit: of the measured number.
        measure: gives the number.
        least: it must not be below this.
        most: nor above this.
        refused: whether a sample that fails cannot be used; else it is a warning.
        message: what is wrong; ``{file}`` and ``{value}`` are filled in.
        hint: what to do about it.
    """

    name: str
    unit: str
    measure: Callable[[Recording], float]
    message: str
    hint: str
    least: float = -np.inf
    most: float = np.inf
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        check: its name.
        value: what was measured.
        unit: of `value`.
        good: whether it is within the limits.
        refused: whether the sample cannot be used because of it.
        message: what is wrong, one sentence; empty if it is good.
        hint: what to do about it; likewise.
    """

    check: str
    value: float
    unit: str
    good: bool
    refused: bool = False
    message: str = ""
    hint: str = ""


def check(recording: Recording, name: str) -> list[Finding]:
    """Make every check of the recording called `name`; after one that refuses it, no more."""
    findings = []
    for one in CHECKS:
        value = float(one.measure(recording))
        good = one.least <= value <= one.most
        said = ("", "") if good else (one.message.format(file=name, value=value), one.hint)
        findings.append(Finding(one.name, round(value, 3), one.unit, good, one.refused and not good, *said))
        if findings[-1].refused:
            break
    return findings


# --- the measures ----------------------------------------------------------------------------------


def speech_s(frames: Frames) -> float:
    """Seconds of speech, longer pauses left out."""
    return sum(stop - start for start, stop in frames.speech()) * HOP_S


def _swing(recording: Recording) -> float:
    return recording.frames.loudest_db - recording.frames.floor_db


def _voiced(recording: Recording) -> float:
    """Share of sounding frames that are at least half periodic; hoarse voices reach a third."""
    frames = recording.frames
    return float(np.mean(frames.clarity[frames.sounding()] > 0.5))


def _held(recording: Recording) -> float:
    """Share of voiced frames whose pitch is that of 40 ms before: a held note; in speech it always glides."""
    frames = recording.frames
    voiced = frames.sounding() & (frames.f0 > 0)
    both = voiced[_NOTE:] & voiced[:-_NOTE] & voiced[_NOTE // 2 : -_NOTE // 2]
    if both.sum() * HOP_S < 0.2:
        return 0.0
    semitones = 12 * np.log2(np.maximum(frames.f0, 1))
    return float(np.mean(np.abs(semitones[_NOTE:] - semitones[:-_NOTE])[both] < _NOTE_SEMITONES))


def _beat(recording: Recording) -> float:
    """How alike the onsets of sound are after some beat of 0.2 to 1.2 s, 0..1."""
    level = recording.frames.level_db
    onset = np.maximum(np.diff(np.maximum(level, recording.frames.loudest_db - _BEAT_RANGE_DB)), 0)
    onset -= onset.mean()
    first, last = _BEAT_FRAMES
    size = 1 << (2 * len(onset)).bit_length()
    alike = np.fft.irfft(np.square(np.abs(np.fft.rfft(onset, size))))
    return float(alike[first:last].max() / alike[0]) if alike[0] > 1e-6 else 0.0


def _level_db(recording: Recording) -> float:
    frames = recording.frames
    return float(10 * np.log10(np.mean(10 ** (frames.level_db[frames.sounding()] / 10))))


def _noise(recording: Recording) -> float:
    """Decibels from the quiet to the loud parts; of white noise it is 3 more than the ratio of powers."""
    return min(_swing(recording), _TOP_DB)


def _clipping(recording: Recording) -> float:
    """Percent of samples near the highest one: speech seldom goes there, clipped speech lies flat there."""
    magnitude = np.abs(recording.sound)
    return 100 * float(np.mean(magnitude > _CLIPPED * magnitude.max()))


def _speakers(recording: Recording) -> float:
    """Semitones between the own pitches of two speakers, 0 for one.

    A speaker's own pitch is the lower end of about two seconds; it is steadier than the mean, which follows
    the melody. Speakers of nearly the same pitch are taken for one.
    """
    frames = recording.frames
    f0 = 12 * np.log2(frames.f0[steady_pitch(frames, frames.sounding())])
    starts = range(0, len(f0) - _TURN + 1, _TURN_STEP)
    own = np.sort([np.percentile(f0[start : start + _TURN], 15) for start in starts])
    if len(own) < _LEAST_TURNS:
        return 0.0
    fewest = int(np.ceil(_LEAST_SHARE * len(own)))
    gaps = [
        np.median(own[cut:]) - np.median(own[:cut]) - own[cut:].std() - own[:cut].std()
        for cut in range(fewest, len(own) - fewest + 1)
    ]
    return max(0.0, float(max(gaps)))


def _heights(recording: Recording) -> float:
    """Decibels of the sound above what a telephone lets pass, relative to what it does."""
    power = recording.frames.power[recording.frames.sounding()]
    above, below = band_power(power, *_ABOVE_TELEPHONE_HZ), band_power(power, *_VOICE_HZ)
    return float(10 * np.log10((above + 1e-15) / (below + 1e-15)))


_RECORD = "Record one person speaking, 10 to 30 s, in a quiet room and near the microphone."

CHECKS = (
    Check(
        "length",
        "s",
        lambda recording: recording.duration_s,
        "{file} is {value:.1f} s long, which is too short to learn a voice from.",
        "Give 3 s to 5 min of one person speaking; 10 to 30 s are best.",
        least=SHORTEST_S,
        refused=True,
    ),
    Check(
        "swing",
        "dB",
        _swing,
        "{file} holds no speech: its level stays the same, as that of noise or of a tone.",
        _RECORD,
        least=4.0,
        refused=True,
    ),
    Check(
        "held notes",
        "share",
        _held,
        "{file} sounds like music: it holds its notes for {value:.0%} of the time.",
        _RECORD,
        most=0.6,
        refused=True,
    ),
    Check(
        "beat",
        "share",
        _beat,
        "{file} sounds like music or a machine: it has a beat.",
        _RECORD,
        most=0.6,
        refused=True,
    ),
    Check(
        "voice",
        "share",
        _voiced,
        "Nobody speaks in {file}: it holds no voice.",
        _RECORD,
        least=0.15,
        refused=True,
    ),
    Check(
        "speech",
        "s",
        lambda recording: speech_s(recording.frames),
        "{file} holds only {value:.1f} s of speech.",
        "Give at least 3 s in which somebody speaks most of the time; 10 to 30 s are best.",
        least=1.5,
        refused=True,
    ),
    Check(
        "enough",
        "s",
        lambda recording: speech_s(recording.frames),
        "{file} holds {value:.1f} s of speech; a voice is met better from more.",
        "Give 10 to 30 s.",
        least=5.0,
    ),
    Check(
        "level",
        "dBFS",
        _level_db,
        "The speech in {file} is very quiet, {value:.0f} dBFS.",
        "Record it nearer to the microphone, or turn that up.",
        least=-42.0,
    ),
    Check(
        "clipping",
        "%",
        _clipping,
        "{file} is clipped: {value:.1f} % of it lie at its loudest.",
        "Turn the microphone down and record it again.",
        most=0.6,
    ),
    Check(
        "noise",
        "dB",
        _noise,
        "{file} is noisy: the speech is only {value:.0f} dB above the noise, which a clone copies.",
        "Record it in a quieter room, nearer to the microphone.",
        least=18.0,
    ),
    Check(
        "speakers",
        "semitones",
        _speakers,
        "In {file} several people seem to speak, {value:.0f} semitones apart; their voices would be mixed.",
        "Cut it to one of them.",
        most=3.0,
    ),
    Check(
        "heights",
        "dB",
        _heights,
        "{file} sounds like a telephone: it holds nothing above 4 kHz, and so would the cloned voice.",
        "Use a recording of at least 16 kHz that did not go through a telephone.",
        least=-50.0,
    ),
)
