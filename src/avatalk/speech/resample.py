"""Sound at another sample rate."""

from __future__ import annotations

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from avatalk.media import Float32Array


def resample(sound: Float32Array, rate: int, wanted: int) -> Float32Array:
    """Return `sound` at the sample rate `wanted`, by FFmpeg's band-limited resampler.

    Args:
        sound: (samples,) float32, mono.
        rate: hertz, of `sound`.
        wanted: hertz.

    Returns:
        (``round(samples * wanted / rate)``,) float32; what lies at a time stays at it.
    """
    if rate == wanted or not len(sound):
        return sound
    count = round(len(sound) * wanted / rate)
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), format="flt", layout="mono")
    frame.sample_rate, frame.pts = rate, 0
    resampler = AudioResampler(format="flt", layout="mono", rate=wanted)
    parts = [part.to_ndarray()[0] for part in (*resampler.resample(frame), *resampler.resample(None))]
    made = np.concatenate(parts)[:count]
    return np.pad(made, (0, count - len(made))).astype(np.float32)
