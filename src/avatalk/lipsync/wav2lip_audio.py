"""What Wav2Lip hears: mel spectrograms, 80 columns a second, in the scaling its weights were trained with.

The steps and constants are those of the published model: pre-emphasis, a Hann window of 50 ms every
12.5 ms, 80 mel bands of unit area (Slaney's mel scale), decibels clipped to 100 dB and mapped to -4..4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array

SAMPLE_RATE = 16000
BANDS = 80
COLUMNS = 16
"""Width of the network's window: 0.2 s."""
COLUMNS_PER_S = 80
SILENCE = -4.0
"""What a band of digital silence is."""

_HOP = SAMPLE_RATE // COLUMNS_PER_S
_WINDOW = 800
_REACH = _WINDOW // 2
_PRE_EMPHASIS = np.float32(0.97)
_LOW_HZ, _HIGH_HZ = 55.0, 7600.0
_RANGE_DB, _REFERENCE_DB = 100.0, 20.0


def mel_spectrogram(blocks: Iterable[Float32Array]) -> Float32Array:
    """Return the (80, columns) float32 mel spectrogram, -4..4; column k is centred on second k / 80.

    Sound shorter than the network's window is followed by silence.

    Args:
        blocks: the sound, (samples,) or (samples, 1) float32 in -1..1 at 16 kHz each.
    """
    filters = mel_filters()
    taper = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    parts = []
    rest = np.zeros(0, np.float32)
    for part in _sharpened(blocks):
        rest = np.concatenate([rest, part])
        count = (len(rest) - _WINDOW) // _HOP + 1
        if count > 0:
            pieces = np.lib.stride_tricks.sliding_window_view(rest, _WINDOW)[::_HOP][:count]
            magnitude = np.abs(np.fft.rfft(pieces * taper)).astype(np.float32)
            parts.append(_scaled(filters @ magnitude.T))
            rest = rest[count * _HOP :]
    lacking = max(0, COLUMNS - sum(part.shape[1] for part in parts))
    return np.concatenate([*parts, np.full((BANDS, lacking), SILENCE, np.float32)], axis=1)


def window_starts(columns: int, fps: Fraction | float, n_frames: int) -> npt.NDArray[np.int64]:
    """Return the (n_frames,) first mel columns of each video frame's window.

    Exact at any rate, for any length: ``floor(80 k / fps)``, and the last whole window from there on.

    Args:
        columns: of the spectrogram, 16 or more.
        fps: frames per second.
        n_frames: of the video.
    """
    step = COLUMNS_PER_S / Fraction(fps)
    starts = [k * step.numerator // step.denominator for k in range(n_frames)]
    return np.minimum(np.array(starts, np.int64), columns - COLUMNS)


def windows(mel: Float32Array, starts: npt.NDArray[np.int64]) -> Float32Array:
    """Return the network's (len(starts), 1, 80, 16) float32 windows of a spectrogram."""
    views = np.lib.stride_tricks.sliding_window_view(mel, COLUMNS, axis=1)
    return np.ascontiguousarray(views[:, starts].transpose(1, 0, 2)[:, None])


def mel_filters() -> Float32Array:
    """(80, 401) float32: triangles equally spaced on Slaney's mel scale, each with unit area over hertz."""
    edge = _hertz(np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), BANDS + 2))
    hertz = np.arange(_REACH + 1) * SAMPLE_RATE / _WINDOW
    low, middle, high = edge[:-2, None], edge[1:-1, None], edge[2:, None]
    triangles = np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle))
    return (np.maximum(triangles, 0.0) * 2.0 / (high - low)).astype(np.float32)


# Slaney's scale (Auditory Toolbox, 1998): linear up to 1 kHz, 15 mel; above it 27 steps for each factor 6.4.
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ, _BREAK_MEL = 1000.0, 15.0
_LOG_STEP = float(np.log(6.4)) / 27.0


def _mel(hertz: float) -> float:
    if hertz < _BREAK_HZ:
        return hertz / _LINEAR_HZ
    return _BREAK_MEL + float(np.log(hertz / _BREAK_HZ)) / _LOG_STEP


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, _LINEAR_HZ * mel, above)


def _scaled(magnitude: Float32Array) -> Float32Array:
    floor = 10.0 ** (-_RANGE_DB / 20.0)
    decibels = 20.0 * np.log10(np.maximum(magnitude, floor)) - _REFERENCE_DB
    return np.asarray(np.clip(8.0 * (decibels + _RANGE_DB) / _RANGE_DB - 4.0, -4.0, 4.0), np.float32)


def _sharpened(blocks: Iterable[Float32Array]) -> Iterator[Float32Array]:
    """Apply the pre-emphasis, and put half a window of silence before and after, so columns start at 0 s."""
    silence = np.zeros(_REACH, np.float32)
    last = silence[:1]
    yield silence
    for block in blocks:
        sound = np.concatenate([last, block.reshape(-1)])
        last = sound[-1:]
        yield sound[1:] - _PRE_EMPHASIS * sound[:-1]
    yield silence
