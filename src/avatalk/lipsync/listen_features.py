"""What the lip network hears: a mel spectrogram freed of gain and of the recording's tone.

Frames are one hop apart; frame k is centred on sample k * hop, whatever the size of the blocks of sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array

Float64Array = npt.NDArray[np.float64]

SAMPLE_RATE = 16000
BANDS = 40
FEATURES = BANDS + 1
STEP_S = 0.02  # of what the networks say

_FFT = 512
_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
_PRE_EMPHASIS = 0.97
_SILENT_DB = -100.0  # what a band of digital silence counts as
_QUIETEST_DB = -40.0  # frames are never compared with less: about -65 dB of full scale
_FLOOR_DB = -60.0  # below the local speech level
_TYPICAL_DB = -22.0  # of a band in speech, relative to the whole frame; used until speech was heard
_SCALE_DB = 20.0


@dataclass(frozen=True, slots=True)
class Ear:
    """How finely a network hears.

    Attributes:
        hop: samples at 16 kHz from frame to frame.
        window: samples that a frame sees; even.
    """

    hop: int
    window: int

    @property
    def per_step(self) -> int:
        """Frames in a step of 20 ms."""
        return round(STEP_S * SAMPLE_RATE) // self.hop

    @property
    def cut(self) -> int:
        """Frames at either end of the sound that have no whole window."""
        return -(-(self.window // 2 + 1) // self.hop)

    @property
    def reach(self) -> int:
        """Frames either side that level and tone are taken from: 3 s."""
        return 150 * self.per_step

    @property
    def stride(self) -> int:
        """Level and tone change every so many frames: 0.1 s."""
        return 5 * self.per_step


SHAPES_EAR = Ear(160, 400)
CONTACTS_EAR = Ear(80, 320)  # the burst of a p lasts 5 ms


def mel_filters() -> Float32Array:
    """(257, 40) float32: triangles, equally spaced in mel (O'Shaughnessy's formula), of unit peak."""
    edge_mel = np.linspace(_mel(_LOW_HZ), _mel(_HIGH_HZ), BANDS + 2)
    edge = 700.0 * (10.0 ** (edge_mel / 2595.0) - 1.0)
    hertz = np.arange(_FFT // 2 + 1)[:, None] * SAMPLE_RATE / _FFT
    rising = (hertz - edge[:-2]) / (edge[1:-1] - edge[:-2])
    falling = (edge[2:] - hertz) / (edge[2:] - edge[1:-1])
    return np.maximum(np.minimum(rising, falling), 0.0).astype(np.float32)


def _mel(hertz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hertz / 700.0))


class MelStream:
    """Turns sound into mel frames, a piece at a time; the frames do not depend on how the sound is cut.

    The frames at either end whose windows would reach beyond the sound repeat their neighbours: a hum
    that begins with the file must not begin with a click.
    """

    def __init__(self, ear: Ear) -> None:
        self._ear, self._batch = ear, 25 * ear.per_step
        self._filters = mel_filters()
        self._taper = np.hanning(ear.window + 1)[:-1].astype(np.float32)
        self._rest = np.zeros(0, np.float32)
        self._skip = ear.cut * ear.hop - ear.window // 2 - 1  # one more sample for the pre-emphasis
        self._samples = self._given = 0
        self._last = np.full((1, BANDS), _SILENT_DB, np.float32)

    def push(self, sound: Float32Array) -> Float32Array:
        """Take (samples,) float32 at 16 kHz; return the (frames, 40) decibels that are now complete."""
        self._samples += len(sound)
        skipped = min(self._skip, len(sound))
        self._skip -= skipped
        self._rest = np.concatenate([self._rest, sound[skipped:]])
        # Always as many frames at once: sums in another order would differ in the last bits.
        batches, samples = self._complete() // self._batch, self._batch * self._ear.hop
        done = [self._frames(self._rest[i * samples :], self._batch) for i in range(batches)]
        self._rest = self._rest[batches * samples :]
        return self._begun(np.concatenate([np.zeros((0, BANDS), np.float32), *done]))

    def flush(self) -> Float32Array:
        """Return the frames that remain when the sound ends, as `push` does; at least one in all."""
        frames = self._begun(self._frames(self._rest, self._complete()))
        missing = max(self._samples // self._ear.hop + 1 - self._given, 0)
        return np.concatenate([frames, np.repeat(self._last, missing, axis=0)])

    def _complete(self) -> int:
        return max((len(self._rest) - 1 - self._ear.window) // self._ear.hop + 1, 0)

    def _begun(self, frames: Float32Array) -> Float32Array:
        if len(frames) and not self._given:
            frames = np.pad(frames, ((self._ear.cut, 0), (0, 0)), mode="edge")
        self._given += len(frames)
        self._last = frames[-1:] if len(frames) else self._last
        return frames

    def _frames(self, signal: Float32Array, count: int) -> Float32Array:
        if count == 0:
            return np.zeros((0, BANDS), np.float32)
        sharp = signal[1:] - np.float32(_PRE_EMPHASIS) * signal[:-1]
        pieces = np.lib.stride_tricks.sliding_window_view(sharp, self._ear.window)[:: self._ear.hop][:count]
        spectrum = np.fft.rfft(pieces * self._taper, _FFT)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) @ self._filters
        return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (_SILENT_DB / 10.0))), np.float32)


def normalise(mel_db: Float32Array, ear: Ear) -> Float32Array:
    """Free mel frames of gain and tone.

    The level of speech around a frame (3 s either side) is the mean power weighted by itself, so that pauses
    do not count; the tone is the mean of each band over the frames near that level (cepstral mean
    subtraction).

    Args:
        mel_db: (frames, 40) float32, from `MelStream`.
        ear: whose frames they are.

    Returns:
        (frames, 41) float32: 40 bands and the frame's level, in units of 20 dB relative to speech nearby.
    """
    mel = mel_db.astype(np.float64)
    power = np.sum(10.0 ** (mel / 10.0), axis=1)
    level = 10.0 * np.log10(power)
    loud = np.maximum(10.0 * np.log10(_around(power**2, ear) / _around(power, ear)), _QUIETEST_DB)
    mel = np.maximum(mel, (loud + _FLOOR_DB)[:, None])
    weight = np.clip((level - loud + 30.0) / 20.0, 0.0, 1.0)[:, None]
    prior = 10.0 * ear.per_step
    heard = _around(weight, ear)
    relative = mel - loud[:, None]
    tone = (_around(weight * relative, ear) + prior * _TYPICAL_DB) / (heard + prior)
    out = np.concatenate([relative - tone, (level - loud)[:, None]], axis=1) / _SCALE_DB
    return np.clip(out, -4.0, 4.0).astype(np.float32)


def _around(values: Float64Array, ear: Ear) -> Float64Array:
    """Sums over about `ear.reach` rows either side of each row, as far as there are rows.

    A tenth of a second is added up first; running sums would be cheaper, but drown the quiet after the loud.
    """
    reach = ear.reach // ear.stride
    parts = np.add.reduceat(values, np.arange(0, len(values), ear.stride), axis=0)
    padded = np.concatenate(
        [np.zeros((reach, *values.shape[1:])), parts, np.zeros((reach, *values.shape[1:]))]
    )
    sums = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0).sum(axis=-1)
    return np.repeat(sums, ear.stride, axis=0)[: len(values)]
