import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.lipsync.motion import motion_curve
from avatalk.media import MOTION_CHANNELS

BLINK = MOTION_CHANNELS.index("blink")


def voice(seconds, fps, seed=0):
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0.4, 0.3, int(seconds * fps)), 0, 1).astype(np.float32)


def blinks(values, fps):
    shut = values[:, BLINK] > 0.5
    return np.flatnonzero(shut[1:] & ~shut[:-1]) / fps


@given(st.integers(0, 2**62), st.sampled_from([12, 25, 29.97, 60]))
@settings(max_examples=25, deadline=None)
def test_blinks_come_every_two_to_six_seconds_and_close_in_full(seed, fps):
    values = motion_curve(voice(60, fps), fps, seed=seed, still=True).values
    starts = blinks(values, fps)
    assert 9 <= len(starts) <= 30
    assert np.diff(starts).min() > 1.9 and np.diff(starts).max() < 6.1
    assert values[:, BLINK].max() > 0.9


@given(st.integers(0, 2**62))
@settings(max_examples=25, deadline=None)
def test_the_head_moves_little_and_without_jerks(seed):
    fps = 25
    values = motion_curve(voice(40, fps, seed % 1000), fps, seed=seed, still=False).values
    for name in ("yaw", "pitch", "roll"):
        angle = values[:, MOTION_CHANNELS.index(name)]
        assert np.abs(angle).max() < 0.12
        assert np.abs(np.diff(angle)).max() < 0.03, name
        assert angle.std() > 0.004, name


def test_still_keeps_the_head():
    values = motion_curve(voice(20, 25), 25, seed=1, still=True).values
    for name in ("yaw", "pitch", "roll", "brow", "breath"):
        assert not values[:, MOTION_CHANNELS.index(name)].any()


def test_a_loud_syllable_nods():
    loudness = np.zeros(200, np.float32)
    base = motion_curve(loudness, 25, seed=3, still=False).values
    loudness[100:104] = 1
    nodded = motion_curve(loudness, 25, seed=3, still=False).values
    pitch = MOTION_CHANNELS.index("pitch")
    assert (nodded - base)[95:110, pitch].max() > 0.01


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_very_short_videos(frames):
    assert motion_curve(np.zeros(frames, np.float32), 25, seed=0, still=False).values.shape == (frames, 8)


def test_same_seed_same_motion_other_seed_other_motion():
    sound = voice(10, 25)
    one, same, other = (motion_curve(sound, 25, seed=seed, still=False).values for seed in (5, 5, 6))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
