"""What can be measured in every moment of a recording: level, pitch, spectrum, and whether somebody speaks.

Frames are 10 ms apart, of mono float32 sound at 16 kHz; frame k is centred on second k / 100.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array

SAMPLE_RATE = 16000
HOP = 160
HOP_S = HOP / SAMPLE_RATE
BAND_HZ = SAMPLE_RATE / 512
"""Distance of the columns of `Frames.power`."""
LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
"""Of the fundamental of speech: from deep men to small children."""

_WINDOW = 400  # samples, for levels and spectra
_FFT = 512
_YIN_WINDOW = 512
_YIN_LAGS = round(SAMPLE_RATE / LOWEST_HZ) + 2
_YIN_SPAN = _YIN_WINDOW + _YIN_LAGS
_YIN_THRESHOLD = 0.15  # of a dip that is taken at once
_VOICED_BELOW = 0.3  # aperiodicity
_CHUNK = 500  # frames at once, which bounds memory
_SILENT_DB = -100.0

_SPEECH_DB = 30.0  # how far below the loudest somebody still speaks, where nothing else is heard
_LOUD = round(3 / HOP_S)  # in a long recording somebody may speak for a moment only
_GAP = round(0.25 / HOP_S)  # shorter pauses belong to the speech around them
_BURST = round(0.08 / HOP_S)  # what is shorter is a click

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Frames:
    """What was measured in every frame; arrays have the shape (frames,) where nothing else is said.

    Attributes:
        level_db: float32, decibels of full scale, at least -100.
        f0: float32, hertz; 0 where the sound is not periodic.
        clarity: float32, 0..1, 1 for a strictly periodic sound.
        power: (frames, 257) float32, by frequency, `BAND_HZ` apart.
    """

    level_db: Float32Array
    f0: Float32Array
    clarity: Float32Array
    power: Float32Array

    def __len__(self) -> int:
        return len(self.f0)

    @property
    def loudest_db(self) -> float:
        """Level of the loud parts: the 95th percentile, or of the loudest 3 s where that is less."""
        rare = min(5.0, 100 * _LOUD / len(self.level_db))
        return float(np.percentile(self.level_db, 100 - rare))

    @property
    def floor_db(self) -> float:
        """Level of the quiet parts: the 10th percentile."""
        return float(np.percentile(self.level_db, 10))

    def sounding(self) -> Mask:
        """(frames,) bool: where it is clearly louder than the quiet parts."""
        rise = self.loudest_db - self.floor_db
        return self.level_db > max(self.loudest_db - _SPEECH_DB, self.floor_db + rise / 3)

    def speech(self) -> list[tuple[int, int]]:
        """Stretches of speech, first frame and the one behind the last; short pauses lie inside."""
        runs = [list(run) for run in runs_of(self.sounding())]
        joined: list[list[int]] = []
        for start, stop in runs:
            if joined and start - joined[-1][1] <= _GAP:
                joined[-1][1] = stop
            else:
                joined.append([start, stop])
        return [(start, stop) for start, stop in joined if stop - start >= _BURST]


def runs_of(mask: Mask) -> list[tuple[int, int]]:
    """Stretches where `mask` is true, first index and the one behind the last."""
    steps = np.diff(np.pad(mask.astype(np.int8), 1))
    return list(zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True))


def frames_of(sound: Float32Array) -> Frames:
    """Measure (samples,) float32 at 16 kHz; 1 + samples // 160 frames."""
    columns = zip(*map(_measured, _windows(sound)), strict=True)
    level, f0, clarity, power = map(np.concatenate, columns)
    return Frames(level, f0, clarity, power)


def _windows(sound: Float32Array) -> Iterator[Float32Array]:
    """Yield (up to `_CHUNK`, `_YIN_SPAN`) windows, centred on the frames."""
    padded = np.pad(sound, (_YIN_SPAN // 2, _YIN_SPAN))
    view = np.lib.stride_tricks.sliding_window_view(padded, _YIN_SPAN)[::HOP][: 1 + len(sound) // HOP]
    for start in range(0, len(view), _CHUNK):
        yield view[start : start + _CHUNK]


def _measured(windows: Float32Array) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array]:
    middle = (_YIN_SPAN - _WINDOW) // 2
    short = windows[:, middle : middle + _WINDOW]
    mean_square = np.mean(np.square(short), axis=1)
    level = np.maximum(10 * np.log10(mean_square + 1e-12), _SILENT_DB).astype(np.float32)
    taper = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(short * taper, _FFT, axis=1))).astype(np.float32)
    return level, *_pitch(windows), power


def _pitch(windows: Float32Array) -> tuple[Float32Array, Float32Array]:
    """The fundamental by YIN (de Cheveigné and Kawahara, 2002), its difference function by FFT.

    Returns:
        (frames,) hertz, 0 where not periodic; and (frames,) clarity, 1 less the aperiodicity.
    """
    x = windows.astype(np.float64)
    x -= x.mean(axis=1, keepdims=True)
    lags = np.arange(_YIN_LAGS)
    spectrum, head = np.fft.rfft(x, 1024, axis=1), np.fft.rfft(x[:, :_YIN_WINDOW], 1024, axis=1)
    product = np.fft.irfft(spectrum * np.conj(head), axis=1)[:, :_YIN_LAGS]
    energy = np.cumsum(np.pad(np.square(x), ((0, 0), (1, 0))), axis=1)
    energy = energy[:, _YIN_WINDOW + lags] - energy[:, lags]
    difference = np.maximum(energy[:, :1] + energy - 2 * product, 0.0)
    difference[:, 0] = 0.0
    mean = np.cumsum(difference, axis=1) / np.maximum(lags, 1)
    normal = np.where(mean > 1e-9, difference / np.maximum(mean, 1e-12), 1.0)

    shortest = int(SAMPLE_RATE / HIGHEST_HZ)
    dips = normal[:, shortest:-1]
    lowest = (dips <= normal[:, shortest - 1 : -2]) & (dips <= normal[:, shortest + 1 :])
    good = lowest & (dips < _YIN_THRESHOLD)
    lag = np.where(good.any(axis=1), good.argmax(axis=1), dips.argmin(axis=1)) + shortest
    left, centre, right = (normal[np.arange(len(x)), lag + step] for step in (-1, 0, 1))
    bend = left - 2 * centre + right
    shift = 0.5 * (left - right) / np.where(np.abs(bend) < 1e-12, np.inf, bend)
    voiced = (energy[:, 0] > 1e-8 * _YIN_WINDOW) & (centre < _VOICED_BELOW)
    f0 = np.where(voiced, SAMPLE_RATE / (lag + np.clip(shift, -0.5, 0.5)), 0.0)
    return f0.astype(np.float32), np.clip(1 - centre, 0, 1).astype(np.float32)
