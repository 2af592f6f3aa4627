import numpy as np
import pytest

from avatalk.speech.resample import resample


@pytest.mark.parametrize(("rate", "wanted"), [(22050, 24000), (24000, 22050), (16000, 22050), (48000, 16000)])
@pytest.mark.parametrize("seconds", [0.01, 1.003])
def test_a_tone_keeps_its_time_pitch_and_level(rate, wanted, seconds):
    def tone(at):
        return np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate) * at / rate) / at).astype(np.float32)

    made = resample(tone(rate), rate, wanted)
    assert len(made) == round(round(seconds * rate) * wanted / rate)
    inner = slice(len(made) // 4, -len(made) // 4)
    expected = tone(wanted)[: len(made)]
    assert np.abs(made[: len(expected)] - expected)[inner].max() < 0.01
    assert made.dtype == np.float32


def test_what_is_above_the_new_band_goes():
    high = np.sin(2 * np.pi * 10_000 * np.arange(24000) / 24000).astype(np.float32)
    assert np.abs(resample(high, 24000, 16000)[800:-800]).max() < 0.01


def test_the_same_rate_changes_nothing():
    sound = np.random.default_rng(1).normal(size=100).astype(np.float32)
    assert resample(sound, 22050, 22050) is sound
    assert len(resample(sound[:0], 22050, 24000)) == 0
