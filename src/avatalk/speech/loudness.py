"""How loud speech is, and how it is brought to one loudness without clipping.

Loudness is that of ITU-R BS.1770-5 for one channel: K-weighting, blocks of 400 ms every 100 ms, gates at
-70 LUFS and 10 LU below the mean. The filters are those of the recommendation for 48 kHz, moved to other
rates by their analogue prototypes (Mansbridge, Finn and Reiss, 2012).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import pi, tan
from typing import BinaryIO

import av
import av.filter
import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array

TARGET_LUFS = -16.0
CEILING = 10 ** (-1.1 / 20)
"""Largest true peak, -1 dBTP less what 16 bits and a shorter interpolation than a judge's may add."""

_MOST_GAIN_DB = 30.0  # beyond it, what is heard is noise
_HOPS = 20  # 100 ms each, filtered at one go
_SILENT = 1e-12
_GRAIN = 20  # parts of a hop: 5 ms, about as long as the limiter acts on a peak
_BINS_PER_DB, _LOWEST_DB = 10, -40  # of the histogram of peaks; what is lower is never limited

_HOPS_PER_CHUNK = 6000  # of half a millisecond
_REACH = 10  # such hops to either side of a peak within which the gain goes down and up again
_WORTH_A_LOOK = 0.5  # of the ceiling; between samples above it, speech may pass the ceiling
_TAPS = 24
_PHASES = 4


def _k_weighting(sample_rate: int) -> av.filter.Graph:
    """FFmpeg's biquads, set to the K-weighting: a shelf for the head, then a high pass; they have a state."""
    gain, quality, hertz = 10 ** (3.999843853973347 / 20), 0.7071752369554196, 1681.974450955533
    k, middle = tan(pi * hertz / sample_rate), gain**0.4996667741545416
    shelf = (
        (gain + middle * k / quality + k * k, 2 * (k * k - gain), gain - middle * k / quality + k * k),
        (1 + k / quality + k * k, 2 * (k * k - 1), 1 - k / quality + k * k),
    )
    quality, hertz = 0.5003270373238773, 38.13547087602444
    k = tan(pi * hertz / sample_rate)
    a = (1 + k / quality + k * k, 2 * (k * k - 1), 1 - k / quality + k * k)
    high_pass = ((a[0], -2 * a[0], a[0]), a)  # the recommendation's numerator is 1, -2, 1
    graph = av.filter.Graph()
    nodes = [
        graph.add_abuffer(
            format="flt", sample_rate=sample_rate, layout="mono", time_base=Fraction(1, sample_rate)
        )
    ]
    for numerator, denominator in (shelf, high_pass):
        numbers = [*zip(("b0", "b1", "b2"), numerator, strict=True)]
        numbers += zip(("a0", "a1", "a2"), denominator, strict=True)
        setting = ":".join(f"{name}={value!r}" for name, value in numbers)
        nodes.append(graph.add("biquad", f"{setting}:precision=f64"))
    graph.link_nodes(*nodes, graph.add("abuffersink")).configure()
    return graph


@dataclass(slots=True)
class Meter:
    """Measures loudness of sound that comes in parts; keeps one number per 100 ms.

    Args:
        sample_rate: hertz.
    """

    sample_rate: int
    _held: list[Float32Array] = field(default_factory=list)
    _count: int = 0
    _powers: list[float] = field(default_factory=list)
    _weighting: av.filter.Graph | None = None
    _by_peak: npt.NDArray[np.float64] = field(
        default_factory=lambda: np.zeros(1 - _LOWEST_DB * _BINS_PER_DB + 20 * _BINS_PER_DB)
    )

    def add(self, sound: Float32Array) -> None:
        """Take the next part, (samples,) float32."""
        self._held.append(sound)
        self._count += len(sound)
        size = self.sample_rate // 10 * _HOPS
        if self._count < size:
            return
        whole = np.concatenate(self._held)
        for start in range(0, len(whole) - size + 1, size):
            self._filter(whole[start : start + size])
        rest = whole[len(whole) // size * size :]
        self._held, self._count = [rest.copy()], len(rest)

    def _filter(self, sound: Float32Array) -> None:
        if self._weighting is None:
            self._weighting = _k_weighting(self.sample_rate)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="flt", layout="mono")
        frame.sample_rate, frame.pts = self.sample_rate, None
        self._weighting.push(frame)
        weighted = self._weighting.pull()
        assert isinstance(weighted, av.AudioFrame)
        hops = weighted.to_ndarray().reshape(-1, self.sample_rate // 10)
        self._powers += np.einsum("ij,ij->i", hops, hops).tolist()
        self._count_peaks(sound)

    def _count_peaks(self, sound: Float32Array) -> None:
        """Add the energy of every grain to the bin of the highest peak in it or next to it."""
        size = self.sample_rate // 10 // _GRAIN
        grains = sound[: len(sound) // size * size].reshape(-1, size)
        peaks = np.abs(grains).max(axis=1)
        peaks[1:-1] = np.maximum(np.maximum(peaks[:-2], peaks[2:]), peaks[1:-1])
        decibels = 20 * np.log10(np.maximum(peaks, 10 ** (_LOWEST_DB / 20)))
        bins = np.minimum(((decibels - _LOWEST_DB) * _BINS_PER_DB).astype(np.int64), len(self._by_peak) - 1)
        energy = np.einsum("ij,ij->i", grains, grains)
        self._by_peak += np.bincount(bins, energy, len(self._by_peak))

    def gain(self) -> float:
        """Factor that brings what was added to `TARGET_LUFS` after the limiter; 1 for silence.

        What the limiter will take is told from the energies by peak, to within 0.1 LU.
        """
        lufs = self.lufs()
        if not np.isfinite(lufs):
            return 1.0
        peaks = 10 ** ((_LOWEST_DB + (np.arange(len(self._by_peak)) + 0.5) / _BINS_PER_DB) / 20)
        wanted = decibels = min(TARGET_LUFS - lufs, _MOST_GAIN_DB)
        for _ in range(8):  # each step undoes what is lost at the gain before; it converges from below
            kept = np.minimum(1, (CEILING / (peaks * 10 ** (decibels / 20))) ** 2)
            lost = -10 * np.log10((self._by_peak * kept).sum() / self._by_peak.sum())
            decibels = min(wanted + float(lost), _MOST_GAIN_DB)
        return float(10 ** (decibels / 20))

    def lufs(self) -> float:
        """Integrated loudness of all that was added, LUFS; minus infinity for silence. Ends it."""
        hop = self.sample_rate // 10
        whole = self._count // hop
        if whole:  # once: what is left below a hop stays unheard
            self._filter(np.concatenate(self._held)[: whole * hop])
            self._held, self._count = [], 0
        hops = np.array(self._powers) / hop
        if len(hops) < 4:
            return -np.inf
        blocks = np.convolve(hops, np.full(4, 0.25), "valid")
        loud = blocks[_lufs(blocks) > -70]
        if len(loud):
            loud = loud[_lufs(loud) > float(_lufs(loud.mean())) - 10]
        return float(_lufs(loud.mean())) if len(loud) else -np.inf


def _lufs(power: npt.NDArray[np.float64] | np.floating) -> npt.NDArray[np.float64]:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(power, _SILENT)))


# --- keeping peaks below the ceiling ---------------------------------------------------------------


def limited(file: BinaryIO, gain: float, sample_rate: int) -> Iterator[Float32Array]:
    """Yield the sound of `file` times `gain`, turned down around peaks that would pass `CEILING`.

    Every sample is a pure function of the file, the gain and its place.

    Args:
        file: float32 samples, little endian, mono.
        gain: factor.
        sample_rate: hertz.
    """
    count = file.seek(0, 2) // 4
    hop = max(1, sample_rate // 2000)
    margin = (2 * _REACH + 2) * hop
    for start in range(0, count, _HOPS_PER_CHUNK * hop):
        stop = min(start + _HOPS_PER_CHUNK * hop, count)
        first = max(0, start - margin)
        file.seek(4 * first)
        sound = np.frombuffer(file.read(4 * (min(stop + margin, count) - first)), "<f4") * np.float32(gain)
        wanted = _wanted(sound)
        if wanted is not None:
            sound = sound * _smooth(wanted, hop)
        yield sound[start - first : stop - first]


@lru_cache(maxsize=1)
def _interpolation() -> Float32Array:
    """(_TAPS, _PHASES - 1): from `_TAPS` samples to the values between the two in the middle."""
    offsets = np.arange(_TAPS) - (_TAPS // 2 - 1)
    shifts = np.arange(1, _PHASES) / _PHASES
    distance = offsets[:, None] - shifts[None, :]
    window = np.cos(np.pi * distance / (_TAPS + 1)) ** 2
    taps = np.sinc(distance) * window
    weights: Float32Array = (taps / taps.sum(axis=0)).astype(np.float32)
    return weights


def _wanted(sound: Float32Array) -> Float32Array | None:
    """The gain that each sample allows, its true peak at most the ceiling; None where all allow 1."""
    size = np.abs(sound)
    near = np.flatnonzero(size > _WORTH_A_LOOK * CEILING)
    if not len(near):
        return None
    padded = np.concatenate([np.zeros(_TAPS, np.float32), sound, np.zeros(_TAPS, np.float32)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _TAPS)
    between = np.abs(windows[near + _TAPS - (_TAPS // 2 - 1)] @ _interpolation()).max(axis=1)
    before = np.abs(windows[near + _TAPS - _TAPS // 2] @ _interpolation()).max(axis=1)
    peaks = np.maximum(np.maximum(size[near], between), before)
    if peaks.max() <= CEILING:
        return None
    wanted = np.ones(len(sound), np.float32)
    wanted[near] = np.minimum(1, CEILING / peaks)
    return wanted


def _smooth(wanted: Float32Array, hop: int) -> Float32Array:
    """A smooth gain that is nowhere above `wanted`.

    That is, by hops, the least within `_REACH` of them, its running mean, and straight lines between.
    """
    by_hop = np.minimum.reduceat(wanted, np.arange(0, len(wanted), hop))
    least = np.pad(by_hop, 2 * _REACH, constant_values=1)
    width = 1
    while width < 2 * _REACH + 1:
        step = min(width, 2 * _REACH + 1 - width)
        least = np.minimum(least[:-step], least[step:])
        width += step
    weights = np.bartlett(2 * _REACH + 1)  # its ends are 0, so that neighbours of a hop keep to its gain too
    smooth = np.convolve(least, weights / weights.sum(), "valid").astype(np.float32)
    smooth = np.concatenate([smooth[:1], smooth, smooth[-1:], smooth[-1:]])
    left = (np.arange(hop, dtype=np.float32) + 0.5) / hop
    lines = smooth[:-1, None] * (1 - left) + smooth[1:, None] * left
    return lines.reshape(-1)[hop // 2 :][: len(wanted)].astype(np.float32, copy=False)
