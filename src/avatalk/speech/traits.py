"""What a voice is like, in numbers that two recordings can be compared by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatalk.media import Float32Array
from avatalk.speech.listening import BAND_HZ, HOP_S, Frames, Mask

_BETWEEN_SEXES_HZ = 160.0
_NEIGHBOUR_SEMITONES = 2.0
_SYLLABLE_HZ = (300.0, 3450.0)
_SYLLABLE_DIP_DB = 2.0
_SYLLABLE_RANGE_DB = 25.0
_SYLLABLE_CLARITY = 0.5
_DARK_HZ, _BRIGHT_HZ = (100.0, 1000.0), (2000.0, 5000.0)


@dataclass(frozen=True, slots=True)
class Traits:
    """A voice in numbers.

    Attributes:
        pitch_hz: median of the fundamental; 0 where it could not be measured.
        low_hz: its 10th percentile.
        high_hz: its 90th percentile.
        rate: syllables a second while somebody speaks, pauses left out.
        brightness_db: level of 2 to 5 kHz over that of 100 to 1000 Hz, in voiced parts.
    """

    pitch_hz: float
    low_hz: float
    high_hz: float
    rate: float
    brightness_db: float

    @property
    def sex(self) -> str:
        """``female`` or ``male``, whichever such a pitch belongs to more often; empty if it is unknown."""
        if not self.pitch_hz:
            return ""
        return "female" if self.pitch_hz > _BETWEEN_SEXES_HZ else "male"


def traits_of(frames: Frames) -> Traits:
    """Measure the voice in `frames`."""
    sounding = frames.sounding()
    f0 = frames.f0[steady_pitch(frames, sounding)]
    low, middle, high = np.percentile(f0, (10, 50, 90)) if len(f0) else (0.0, 0.0, 0.0)
    speech_s = sum(stop - start for start, stop in frames.speech()) * HOP_S
    voiced = frames.power[sounding & (frames.f0 > 0)]
    bright, dark = (band_power(voiced, *hertz) for hertz in (_BRIGHT_HZ, _DARK_HZ))
    return Traits(
        pitch_hz=float(middle),
        low_hz=float(low),
        high_hz=float(high),
        rate=len(syllables(frames)) / speech_s if speech_s else 0.0,
        brightness_db=float(10 * np.log10((bright + 1e-12) / (dark + 1e-12))),
    )


def band_power(power: Float32Array, low_hz: float, high_hz: float) -> float:
    """Mean power between two frequencies, of (frames, 257) as in `Frames.power`; 0 without frames."""
    return float(power[:, round(low_hz / BAND_HZ) : round(high_hz / BAND_HZ)].mean()) if len(power) else 0.0


def steady_pitch(frames: Frames, within: Mask) -> Mask:
    """(frames,) bool: where the fundamental can be believed.

    It is near that of a neighbouring frame, and less than an octave from the median: creaks and what YIN
    mistakes by an octave or more are left out.
    """
    voiced = within & (frames.f0 > 0)
    semitones = 12 * np.log2(np.maximum(frames.f0, 1))
    alike = np.abs(np.diff(semitones)) < _NEIGHBOUR_SEMITONES
    near: Mask = voiced & (np.append(alike, False) | np.append(False, alike))
    if near.any():
        near &= np.abs(semitones - np.median(semitones[near])) < 12
    return near


def syllables(frames: Frames) -> list[int]:
    """Frames of the syllables' middles: peaks of level with a dip of 2 dB between them, and voiced.

    After de Jong and Wempe (2009). On espeak-ng's speech in 38 languages, 0.8 to 1.3 times its usual speed,
    there are 1.03 ± 0.10 times as many as vowels.
    """
    low, high = (round(hertz / BAND_HZ) for hertz in _SYLLABLE_HZ)
    level = 10 * np.log10(frames.power[:, low:high].sum(axis=1) + 1e-9)
    taper = np.hanning(7)[1:-1]
    level = np.convolve(level, taper / taper.sum(), "same")
    quietest = np.percentile(level, 95) - _SYLLABLE_RANGE_DB
    found: list[int] = []
    peak, valley = -1, float(level[0])
    for index, now in enumerate(level.tolist()):
        if peak < 0:
            valley = min(valley, now)
            if now > valley + _SYLLABLE_DIP_DB:
                peak = index
        elif now > level[peak]:
            peak = index
        elif now < level[peak] - _SYLLABLE_DIP_DB:
            if (
                level[peak] > quietest
                and (frames.clarity[max(peak - 4, 0) : peak + 5] > _SYLLABLE_CLARITY).any()
            ):
                found.append(peak)
            peak, valley = -1, now
    return found
