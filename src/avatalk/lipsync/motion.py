"""What head, lids and eyes do while somebody speaks: small, smooth, seeded, and tied to the voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatalk.media import MOTION_CHANNELS, Float32Array, MotionCurve

Times = npt.NDArray[np.float64]

# Amplitudes, radians. People turn far more; a picture seen from one side allows about this much.
_SWAY = {"yaw": 0.055, "pitch": 0.03, "roll": 0.028}
_NOD = 0.035  # pitch added by a stressed syllable
_BREATH_S = 4.2
_BLINK_S = (2.2, 5.6)  # between blinks; people at rest blink every 2 to 6 s
_BLINK_SHUT, _BLINK_HOLD, _BLINK_OPEN = 0.08, 0.045, 0.16  # seconds; lids close faster than they open


_COLUMN = {name: index for index, name in enumerate(MOTION_CHANNELS)}
RESTING = tuple(_COLUMN[name] for name in ("blink", "gaze_x", "gaze_y"))
"""Columns that are at rest, 0, but for short events."""


@dataclass(frozen=True, slots=True)
class Swing:
    """A motion in its two parts.

    Attributes:
        sway: (frames, 8) float32, columns as in `MOTION_CHANNELS`: what goes on whatever is said.
        nods: (frames, 2) float32: what each syllable adds to ``pitch`` and ``brow``.
    """

    sway: Float32Array
    nods: Float32Array

    def curve(self, fps: float) -> MotionCurve:
        """Both together."""
        values = self.sway.copy()
        values[:, _COLUMN["pitch"]] += self.nods[:, 0]
        values[:, _COLUMN["brow"]] = np.clip(values[:, _COLUMN["brow"]] + self.nods[:, 1], -1, 1)
        return MotionCurve(values, fps)

    @staticmethod
    def nods_of(loudness: Float32Array, fps: float) -> Float32Array:
        """The nods of a voice whose loudness in each frame is (frames,) 0..1."""
        syllable = _smooth(loudness, fps, 0.12) - _smooth(loudness, fps, 0.5)
        raised = 1.6 * np.clip(syllable - 0.1, 0, 1)
        return np.stack([_NOD * np.clip(2.5 * syllable, -0.4, 1), raised], axis=1)


def swing(loudness: Float32Array, fps: float, *, seed: int, still: bool) -> Swing:
    """Make the motion of a whole video, in its parts.

    Args:
        loudness: (frames,) 0..1, how loud the voice is in each frame.
        fps: frames per second.
        seed: of the request; the same seed gives the same motion.
        still: the head keeps its place; lids still blink, or the face would look dead.
    """
    n = len(loudness)
    times = (np.arange(n) / fps).astype(np.float64)
    values = np.zeros((n, len(MOTION_CHANNELS)), np.float32)
    nods = np.zeros((n, 2), np.float32)
    end = times[-1] if n else 0.0

    values[:, _COLUMN["blink"]] = _blinks(times, end, _rng(seed, 1))
    values[:, _COLUMN["gaze_x"]], values[:, _COLUMN["gaze_y"]] = _gaze(times, end, _rng(seed, 2))
    if still:
        return Swing(values, nods)
    voice = _smooth(loudness, fps, 0.9)  # whether somebody is speaking at all
    liveliness = 0.45 + 0.55 * np.clip(2.0 * voice, 0, 1)
    for index, (name, amplitude) in enumerate(_SWAY.items()):
        values[:, _COLUMN[name]] = amplitude * liveliness * _wander(times, end, _rng(seed, 10 + index))
    values[:, _COLUMN["brow"]] = 0.5 * _wander(times, end, _rng(seed, 20), knot_s=1.9) * liveliness
    phase = _rng(seed, 30).uniform(0, 2 * np.pi)
    values[:, _COLUMN["breath"]] = np.sin(2 * np.pi * times / _BREATH_S + phase)
    return Swing(values, Swing.nods_of(loudness, fps))


def motion_curve(loudness: Float32Array, fps: float, *, seed: int, still: bool) -> MotionCurve:
    """Make the motion of a whole video; see `swing`."""
    return swing(loudness, fps, seed=seed, still=still).curve(fps)


def _rng(seed: int, purpose: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, purpose]))


def _smooth(signal: Float32Array, fps: float, seconds: float) -> Float32Array:
    """Average over a Hann window of `seconds`, without delay."""
    taps = max(1, round(seconds * fps)) * 2 + 1
    window = np.hanning(taps + 2)[1:-1]
    padded = np.pad(signal, taps // 2, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid").astype(np.float32)


def _wander(times: Times, end: float, rng: np.random.Generator, knot_s: float = 1.3) -> Float32Array:
    """Smooth aimless movement in about -1..1: random knots joined with continuous speed.

    Quintic easing between knots has no acceleration at either end, so the head never jerks.
    """
    slow, fast = (_knots(times, end, rng, every) for every in (knot_s * 2.7, knot_s))
    return np.asarray(0.7 * slow + 0.3 * fast, np.float32)


def _knots(times: Times, end: float, rng: np.random.Generator, every: float) -> Float32Array:
    heights = rng.uniform(-1, 1, int(end / every) + 3)
    place = times / every
    left = place.astype(np.int64)
    t = place - left
    ease = t**3 * (t * (6 * t - 15) + 10)
    return np.asarray(heights[left] * (1 - ease) + heights[left + 1] * ease, np.float32)


def _blinks(times: Times, end: float, rng: np.random.Generator) -> Float32Array:
    lids = np.zeros(len(times), np.float32)
    start = rng.uniform(0.8, 2.2)
    while start < end:
        first, last = np.searchsorted(times, (start, start + _BLINK_SHUT + _BLINK_HOLD + _BLINK_OPEN))
        t = times[first:last] - start
        shut = np.clip(t / _BLINK_SHUT, 0, 1)
        opening = np.clip((t - _BLINK_SHUT - _BLINK_HOLD) / _BLINK_OPEN, 0, 1)
        lids[first:last] = (shut**2 * (3 - 2 * shut)) * (1 - opening**2 * (3 - 2 * opening))
        start += rng.uniform(*_BLINK_S)
    return lids


def _gaze(times: Times, end: float, rng: np.random.Generator) -> tuple[Float32Array, Float32Array]:
    """Eyes rest on the viewer, stray a little now and then, and jump rather than glide (saccades)."""
    x, y = np.zeros(len(times), np.float32), np.zeros(len(times), np.float32)
    start = rng.uniform(1.0, 3.0)
    while start < end:
        stay = rng.uniform(0.5, 1.3)
        to = rng.uniform(-0.5, 0.5), rng.uniform(-0.25, 0.25)
        first, last = np.searchsorted(times, (start - 0.05, start + stay + 0.05))
        t = times[first:last]
        weight = np.clip((t - start + 0.04) / 0.06, 0, 1) * np.clip((start + stay - t) / 0.06, 0, 1)
        x[first:last] += to[0] * weight
        y[first:last] += to[1] * weight
        start += stay + rng.uniform(1.5, 4.0)
    return x, y
