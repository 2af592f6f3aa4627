"""Lips from sound alone: speech moves them, anything else leaves them shut; gain and blocks do not matter."""

import numpy as np
import pytest

from avatalk.events import Monitor
from avatalk.lipsync import listen
from avatalk.lipsync.visemes import contacts_of, from_phonemes
from avatalk.media import VISEME_CHANNELS
from avatalk.speech.audio import AudioClip, open_audio
from avatalk.speech.espeak import Espeak

OPEN, CLOSED, WIDE, ROUND, TEETH, TONGUE = range(len(VISEME_CHANNELS))
SENTENCE = (
    "Father bought a map of Bombay, and my mama put the apples back by the warm fire. Who saw you two move?"
)


UNHEARD = {  # languages that trained nothing
    "sv": "Pappa målade båten vid bryggan. Mamma bakar bullar på lördag, men bara om barnen ber om det.",
    "tr": "Babam pazar sabahı balık pişirdi. Mehmet bize büyük bir kapı gösterdi, ama biz parkta bekledik.",
    "pl": "Mama piecze babkę z makiem. Po obiedzie pobiegliśmy do parku, bo Paweł obiecał nam ciepłe pączki.",
}
WITHOUT_BILABIALS = [
    "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, fourteen, twenty.",
    "The children ate the last rice in the kitchen. John told her the truth later that night. He ran.",
    "Ah! Oh! Ooh! Eye. Air. Are. You, I, a, e, i, o, u.",
]


class Recut(AudioClip):
    """The same sound in blocks of another length."""

    def blocks(self, sample_rate, channels=1, block_s=10.0):
        sound = np.concatenate(list(AudioClip.blocks(self, sample_rate, channels)))
        for size in (1, 159, 4001):
            yield sound[:size]
            sound = sound[size:]
        for start in range(0, len(sound), 7777):
            yield sound[start : start + 7777]


@pytest.fixture(scope="module")
def spoken():
    voice = next(v for v in Espeak().voices() if v.language.lower() == "en-us")
    return Espeak().speak(SENTENCE, voice)


@pytest.fixture(scope="module")
def clip(spoken, make_wav):
    return open_audio(make_wav(np.pad(spoken.sound, (11025, 22050)), spoken.sample_rate))


def of(sound, make_wav, rate=16000):
    path = make_wav(sound, rate)
    return AudioClip(path, rate, 1, len(sound) / rate)


def hum(n):
    time = np.arange(n) / 16000
    return 0.1 * sum(np.sin(2 * np.pi * 50 * k * time + k * k) / k for k in range(1, 12))


def hiss(n):
    return 0.05 * np.random.default_rng(1).standard_normal(n)


def fan(n):
    return np.convolve(hiss(n), np.hanning(40) / 5, mode="same")


def tone(n):
    return 0.3 * np.sin(2 * np.pi * 440 * np.arange(n) / 16000)


def tune(n):
    """Plucked chords and a drum."""
    time, out = np.arange(n) / 16000, np.zeros(n)
    drum = np.random.default_rng(2).standard_normal(n)
    for beat in range(int(n / 8000)):
        local = time[: n - beat * 8000]
        for step in (0, 4, 7, 12):
            hertz = 110 * 2 ** ((step + (0, 5, 7, 3)[beat % 4]) / 12)
            for k in range(1, 9):
                out[beat * 8000 :] += np.sin(2 * np.pi * k * hertz * local) * np.exp(-local * 3) / k / 30
        out[beat * 8000 :] += 0.1 * drum[: len(local)] * np.exp(-local * 40)
    return out


@pytest.mark.parametrize("make", [np.zeros, hum, hiss, fan, tone, tune])
def test_what_is_not_speech_leaves_the_mouth_at_rest(make, make_wav):
    heard = listen.analyse(of(make(16000 * 12), make_wav), 25, 300)
    assert not heard.visemes.values.any()
    assert heard.voiced_fraction < 0.02


def test_speech_is_found_and_the_pauses_around_it_are_closed(clip, spoken):
    heard = listen.analyse(clip, 50, 500)
    speech = spoken.duration_s / clip.duration_s
    assert speech - 0.25 < heard.voiced_fraction < speech + 0.05
    time = np.arange(500) / 50
    quiet = (time < 0.2) | (time > 0.5 + spoken.duration_s + 0.2)
    assert not heard.visemes.values[quiet].any()
    assert heard.visemes.values[:, OPEN].max() > 0.5
    assert heard.loudness.shape == (500,)
    assert heard.loudness[~quiet].mean() > 0.4
    assert heard.loudness[time > 0.5 + spoken.duration_s + 0.2].max() < 0.1
    assert 0.1 < heard.peak <= 1.0


def test_lips_from_sound_follow_those_from_phonemes(clip, spoken):
    """Correlations over the speech; its phonemes are shifted by the half second of silence before it."""
    fps, count = 50, int(clip.duration_s * 50)
    known = np.zeros((count, 6), np.float32)
    lag = round((0.5 - listen._LEAD_S) * fps)
    known[lag:] = from_phonemes(spoken.phonemes, fps, count - lag).values
    heard = listen.from_sound(clip, fps, count).values
    for channel, least in ((OPEN, 0.7), (WIDE, 0.6), (ROUND, 0.4), (CLOSED, 0.4), (TEETH, 0.3)):
        assert np.corrcoef(known[:, channel], heard[:, channel])[0, 1] > least, VISEME_CHANNELS[channel]


def as_spoken(sound):
    return sound


def over_a_telephone(sound):
    """Softly, from 300 to 3400 Hz, with hiss 40 dB below the peaks."""
    spectrum, hertz = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / 22050)
    narrow = np.fft.irfft(spectrum * ((hertz > 300) & (hertz < 3400)), len(sound))
    return 0.03 * (narrow / np.abs(narrow).max() + 0.2 * hiss(len(sound)))


def presses(curve):
    """(first, last) frame of every stretch in which lips are fully shut."""
    change = np.diff(np.pad((curve[:, CLOSED] >= 0.9).astype(int), 1))
    return np.flatnonzero(change == 1), np.flatnonzero(change == -1) - 1


@pytest.mark.parametrize(
    ("heard_as", "least", "most_false"), [(as_spoken, 0.75, 0.5), (over_a_telephone, 0.75, 1.0)]
)
def test_lips_close_on_the_bilabials_of_unheard_voices(heard_as, least, most_false, make_wav):
    """At 25 frames a second, lips are fully shut within 40 ms of a p, b or m, and seldom else."""
    found = there = false = 0
    seconds = 0.0
    for language, text in UNHEARD.items():
        voice = next(v for v in Espeak().voices() if v.language.lower() == language)
        spoken = Espeak().speak(text, voice)
        sound = of(heard_as(spoken.sound), make_wav, 22050)
        curve = listen.from_sound(sound, 25, int(spoken.duration_s * 25)).values
        assert curve[curve[:, CLOSED] >= 0.9, OPEN].max() < 0.1
        (start, end), (first, last) = contacts_of(spoken.phonemes)[0], presses(curve)
        meet = (first / 25 <= end[:, None] + 0.04) & (last / 25 >= start[:, None] - 0.04)
        found += meet.any(axis=1).sum()
        there += len(start)
        false += len(first) - meet.any(axis=0).sum()
        seconds += spoken.duration_s
    assert there > 30
    assert found / there > least
    assert false / seconds < most_false


@pytest.mark.parametrize("text", WITHOUT_BILABIALS)
def test_speech_without_bilabials_seldom_shuts_the_lips(text, make_wav):
    voices = [v for v in Espeak().voices() if v.language.lower() in ("en-us", "en-gb")]
    seconds = shut = 0.0
    for voice in voices:
        spoken = Espeak().speak(text, voice)
        sound = of(spoken.sound, make_wav, 22050)
        shut += len(presses(listen.from_sound(sound, 25, int(spoken.duration_s * 25)).values)[0])
        seconds += spoken.duration_s
    assert shut / seconds < 0.7


def test_a_contact_is_sure_somewhere_and_lasts_while_it_is_likely():
    sure = np.array([0, 0.3, 0.9, 0.5, 0.1, 0, 0.5, 0.5, 0, 0, 0.7, 0], np.float32)
    start, end = listen.contact_times(sure, 0.6)
    np.testing.assert_allclose(start, [0.015, 0.165])  # the last one is made as long as a frame needs
    np.testing.assert_allclose(end, [0.085, 0.235])


def test_gain_changes_little(spoken, make_wav):
    loud = listen.from_sound(of(spoken.sound, make_wav, 22050), 25, 150).values
    soft = listen.from_sound(of(spoken.sound * 0.1, make_wav, 22050), 25, 150).values
    assert np.abs(loud - soft).mean() < 0.01
    assert np.corrcoef(loud[:, OPEN], soft[:, OPEN])[0, 1] > 0.98


def test_cut_of_the_blocks_does_not_matter(clip):
    other = Recut(clip.path, clip.sample_rate, clip.channels, clip.duration_s)
    one, two = listen.analyse(clip, 25, 200), listen.analyse(other, 25, 200)
    assert one.visemes.values.tobytes() == two.visemes.values.tobytes()
    assert one.loudness.tobytes() == two.loudness.tobytes()
    assert one.voiced_fraction == two.voiced_fraction
    assert listen.loudness(clip, 25, 200).tobytes() == one.loudness.tobytes()


def test_pages_join_without_a_seam(spoken, make_wav, monkeypatch):
    audio = of(np.tile(spoken.sound, 4), make_wav, 22050)
    whole = listen.analyse(audio, 25, 600).visemes.values
    monkeypatch.setattr(listen, "_PAGE", 100_000)
    np.testing.assert_allclose(listen.analyse(audio, 25, 600).visemes.values, whole, atol=1e-4)


@pytest.mark.parametrize(("fps", "frames"), [(30000 / 1001, 77), (12, 1), (120, 3000), (25, 0)])
def test_as_many_rows_as_asked_for(clip, fps, frames):
    heard = listen.analyse(clip, fps, frames)
    assert heard.visemes.values.shape == (frames, 6)
    assert heard.visemes.values.dtype == heard.loudness.dtype == np.float32
    assert heard.loudness.shape == (frames,)
    assert not heard.visemes.values[int((clip.duration_s + 0.1) * fps) :].any()
    assert heard.visemes.fps == fps


def test_a_tenth_of_a_second_is_enough(make_wav):
    assert listen.analyse(of(hiss(1600), make_wav), 25, 3).visemes.values.shape == (3, 6)


def test_progress_is_told_in_seconds(spoken, make_wav):
    told = []
    audio = of(np.tile(spoken.sound, 4), make_wav, 22050)
    listen.analyse(audio, 25, 10, Monitor(told.append))
    assert len(told) >= 2
    assert told[-1].stage == "lipsync"
    assert told[-1].done == pytest.approx(audio.duration_s, abs=0.01)
