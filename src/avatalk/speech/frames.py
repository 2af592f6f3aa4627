"""Where a sound and the frames of its video meet."""

from __future__ import annotations

from fractions import Fraction
from math import ceil


def frame_count(duration_s: float, sample_rate: int, fps: Fraction) -> int:
    """Frames that cover the whole sound: less than one frame beyond it."""
    samples = round(duration_s * sample_rate)
    return max(1, ceil(Fraction(samples, sample_rate) * fps))


def frame_at(seconds: float, fps: Fraction) -> int:
    """The frame at which a joint of sentences lies: the one that begins nearest to it."""
    return round(Fraction(seconds) * fps)
