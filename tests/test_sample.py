"""Samples for cloning: what is measured of a voice, and what is said of a recording that is not fit."""

import json
import math
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.errors import SpeechError, UnreadableFile
from avatalk.events import Monitor
from avatalk.speech.espeak import Espeak
from avatalk.speech.listening import HOP_S, SAMPLE_RATE, frames_of
from avatalk.speech.resample import resample
from avatalk.speech.sample import BEST_S, open_sample
from avatalk.speech.sample_checks import Recording, check
from avatalk.speech.traits import syllables, traits_of
from avatalk.speech.voices import lookup

TEXT = (
    "The kitchen smelled of bread and coffee. ",
    "Nobody had seen the old dog since Tuesday morning. ",
    "Was it really necessary to shout? ",
    "They walked home along the river, slowly, and talked about nothing in particular. ",
    "My sister keeps seven hens and a very proud cock. ",
)
ENGINE = Espeak()
VOWELS = set("aeiouyæøœɶɑɒɐʌɔəɘɵɤɯɨʉɪʊɛɜɞʏɚɝ")


def speech(voice="amy", sentences=TEXT, speed=1.0, pitch=1.0):
    """Sentences with pauses of 0.4 s, (samples,) float32 at 16 kHz."""
    said = [ENGINE.speak(text, lookup(voice), speed, pitch).sound for text in sentences]
    return resample(np.concatenate([np.pad(sound, (0, 8820)) for sound in said]), 22050, SAMPLE_RATE)


def vowel(hertz, rate=SAMPLE_RATE):
    """A vowel-like sound whose fundamental in every sample is that of `hertz`, with all its harmonics."""
    phase = 2 * math.pi * np.cumsum(hertz) / rate
    harmonics = range(1, int(3500 / hertz.max()) + 1)
    return sum(np.sin(k * phase) * math.exp(-k * hertz.mean() / 1200) for k in harmonics) * 0.2


def noise(samples, db, seed=0):
    return np.random.default_rng(seed).normal(size=samples) * 10 ** (db / 20)


def level_db(sound):
    return 20 * math.log10(np.sqrt(np.mean(np.square(sound[np.abs(sound) > 0.02]))))


@pytest.fixture
def judge(make_wav):
    """Open sound at 16 kHz as a sample; return it and its warnings."""

    def opened(sound, rate=SAMPLE_RATE):
        monitor = Monitor()
        return open_sample(make_wav(sound, rate), monitor), " ".join(monitor.warnings)

    return opened


# --- measures --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    hertz=st.floats(75, 420),
    glide=st.floats(-0.2, 0.2),
    quieter_db=st.floats(-50, 0),
    noisy=st.booleans(),
    seed=st.integers(0, 9),
)
def test_pitch_is_what_was_sung(hertz, glide, quieter_db, noisy, seed):
    course = hertz * 2 ** (glide * np.linspace(-1, 1, 16000))
    sound = vowel(course) * 10 ** (quieter_db / 20)
    if noisy:
        sound = sound + noise(len(sound), level_db(vowel(course)) + quieter_db - 20, seed)
    f0 = frames_of(sound.astype(np.float32)).f0[10:-10]
    assert (f0 > 0).mean() > 0.9
    off = 12 * np.log2(f0[f0 > 0] / course[np.arange(10, 10 + len(f0)) * 160][f0 > 0])
    assert np.median(np.abs(off)) < 0.1
    assert np.mean(np.abs(off) > 1) < 0.05


def test_pitch_and_rate_follow_the_speaker():
    own = traits_of(frames_of(speech("amy")))
    high = traits_of(frames_of(speech("amy", pitch=1.3)))
    fast = traits_of(frames_of(speech("amy", speed=1.4)))
    man = traits_of(frames_of(speech("george")))
    assert high.pitch_hz / own.pitch_hz == pytest.approx(1.3, rel=0.06)
    assert fast.rate / own.rate == pytest.approx(1.4, rel=0.12)
    assert fast.pitch_hz == pytest.approx(own.pitch_hz, rel=0.04)
    assert own.low_hz < own.pitch_hz < own.high_hz
    assert (own.sex, man.sex) == ("female", "male")


def test_syllables_are_counted():
    sentences = json.loads((Path(__file__).parent / "data" / "speech_sentences.json").read_text("utf-8"))
    shares = []
    for language in list(sentences)[::6]:
        said = ENGINE.speak(sentences[language], lookup(language))
        vowels = sum(phoneme.symbol[:1] in VOWELS for phoneme in said.phonemes if phoneme.symbol)
        shares.append(len(syllables(frames_of(resample(said.sound, 22050, SAMPLE_RATE)))) / vowels)
    assert np.mean(shares) == pytest.approx(1.0, abs=0.08)
    assert min(shares) > 0.7 and max(shares) < 1.4


def test_a_darker_sound_is_measured_darker():
    sound = speech()
    dark = np.convolve(sound, np.hanning(9) / np.hanning(9).sum(), "same").astype(np.float32)
    assert traits_of(frames_of(dark)).brightness_db < traits_of(frames_of(sound)).brightness_db - 6


def test_speech_is_found_between_silences():
    sound = np.concatenate([noise(16000, -70), speech(sentences=TEXT[:1]), noise(24000, -70)])
    (start, stop), *more = frames_of(sound.astype(np.float32)).speech()
    stop = more[-1][1] if more else stop
    assert start * HOP_S == pytest.approx(1.0, abs=0.1)
    assert stop * HOP_S == pytest.approx(len(sound) / SAMPLE_RATE - 1.9, abs=0.15)


# --- good samples ----------------------------------------------------------------------------------


@pytest.mark.parametrize("voice", ["amy", "george", "mei", "dmitri", "layla"])
def test_good_samples_pass_without_a_word(judge, voice):
    texts = {
        "mei": "早上好，你今天怎么样？",
        "dmitri": "Доброе утро, как вы сегодня себя чувствуете?",
        "layla": "صباح الخير، كيف حالك اليوم؟",
    }
    sample, warned = judge(speech(voice, [texts[voice]] * 4 if voice in texts else TEXT))
    assert warned == ""
    assert all(finding.good for finding in sample.findings)


def test_any_format_is_taken_and_the_silence_left_out(tmp_path, make_wav):
    sound = np.concatenate([np.zeros(30000), speech(), np.zeros(30000)]).astype(np.float32)
    path = tmp_path / "me.m4a"
    with av.open(str(path), "w") as out, av.open(str(make_wav(sound, SAMPLE_RATE))) as source:
        stream = out.add_stream("aac", rate=44100)
        resampler = av.AudioResampler("fltp", "mono", 44100)
        for frame in (*source.decode(audio=0), None):
            for part in resampler.resample(frame):
                out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    sample = open_sample(path, Monitor())
    for rate in (16000, 24000):
        cleaned = sample.sound(rate)
        assert cleaned.dtype == np.float32
        assert abs(len(cleaned) / rate - len(speech()) / 16000) < 1.5
        assert np.abs(cleaned).max() <= 0.951
        assert np.sqrt(np.mean(np.square(cleaned))) == pytest.approx(0.1, rel=0.5)
        assert np.abs(cleaned[: rate // 5]).max() > 0.02, "speech begins at once"


def test_of_much_speech_thirty_seconds_are_kept(judge):
    sample, warned = judge(np.tile(speech(), 5))
    assert sum(stop - start for start, stop in sample.spans) <= BEST_S + 1e-6
    assert BEST_S - 3 < len(sample.sound(16000)) / 16000 <= BEST_S + 0.01
    assert all(one[1] <= two[0] for one, two in pairwise(sample.spans))
    assert warned == ""


def test_a_moment_of_speech_in_a_long_recording_is_found(judge):
    spoken = speech(sentences=TEXT[:3])
    sound = (np.pad(spoken, (2_000_000, 1_000_000)) + noise(3_000_000 + len(spoken), -65)).astype(np.float32)
    sample, warned = judge(sound)
    assert warned == ""
    assert sample.spans[0][0] == pytest.approx(125, abs=0.3)
    assert sample.spans[-1][1] == pytest.approx(125 + len(spoken) / SAMPLE_RATE - 0.5, abs=0.5)


def test_who_counts_like_a_clock_is_no_drum(judge):
    words = [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
    ]
    sound = np.zeros(12 * 12800)
    for index, word in enumerate(words):
        said = speech(sentences=[word])[:12800]
        sound[index * 12800 : index * 12800 + len(said)] += said
    judge(sound + noise(len(sound), -70))


def test_the_clearest_stretch_is_kept(judge):
    spoken = np.tile(speech(), 3)
    bad = (spoken + noise(len(spoken), -22)).astype(np.float32)
    sample, _ = judge(np.concatenate([bad, spoken]))
    assert sample.spans[0][0] > len(bad) / SAMPLE_RATE - 3


def test_of_more_than_five_minutes_the_first_are_used(judge):
    sample, warned = judge(np.tile(speech(), 25))
    assert "first five minutes" in warned
    assert sample.clip.duration_s == 300


# --- what is refused -------------------------------------------------------------------------------


def tune(kind, seed=0, beats=20, beat_s=0.35):
    """Notes with an envelope: ``melody``, ``chords``, ``free`` of any beat; or ``drums``."""
    rng = np.random.default_rng(seed)
    parts = []
    for beat in range(beats):
        length_s = beat_s * (rng.uniform(0.5, 2) if kind == "free" else 1)
        time = np.arange(round(length_s * SAMPLE_RATE)) / SAMPLE_RATE
        decay = np.minimum(time / 0.01, 1) * np.exp(-2 * time)
        hertz = 196 * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, 11, 12]) / 12)
        if kind == "drums":
            thump = np.sin(2 * math.pi * 60 * time) * (beat % 2) + rng.normal(size=len(time)) * 0.3
            parts.append(thump * np.exp(-15 * time))
            continue
        tones = [hertz] if kind in ("melody", "free") else [hertz, hertz * 1.26, hertz * 1.5]
        parts.append(sum(vowel(np.full(len(time), tone)) for tone in tones) * decay)
    return 0.4 * np.concatenate(parts) / np.abs(np.concatenate(parts)).max()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: speech()[: 2 * SAMPLE_RATE], "too short"),
        (lambda: np.pad(speech(sentences=TEXT[:1])[:16000], (0, 64000)), "only"),
        (lambda: np.zeros(80000), "silent"),
        (lambda: tune("melody"), "music"),
        (lambda: tune("free"), "holds its notes"),
        (lambda: tune("chords", 1), "music"),
        (lambda: tune("drums", 2), "has a beat"),
        (lambda: noise(80000, -20), "no speech"),
        (lambda: np.cumsum(noise(80000, -60)) * np.linspace(0.1, 1, 80000) % 0.5, "voice|speech|music"),
        (lambda: 0.5 * np.sin(np.arange(80000) * 0.2), "no speech"),
    ],
    ids=["short", "one word", "silent", "melody", "free", "chords", "drums", "white noise", "rumble", "tone"],
)
def test_what_is_no_speech_is_refused(judge, make, said):
    with pytest.raises(SpeechError, match=said) as caught:
        judge(make())
    assert caught.value.field == "voice_sample"
    assert caught.value.hint


def test_a_file_that_is_no_sound_is_told_as_the_sample(tmp_path):
    for path in (tmp_path / "none.wav", tmp_path):
        with pytest.raises(UnreadableFile) as caught:
            open_sample(path, Monitor())
        assert caught.value.field == "voice_sample"


# --- what is warned of -----------------------------------------------------------------------------


def telephone(sound):
    """What a telephone lets pass, 300 to 3400 Hz, in 8 bits of µ-law."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    passed = np.fft.irfft(spectrum, len(sound))[::2]
    coded = np.round(np.sign(passed) * np.log1p(255 * np.abs(passed)) / math.log(256) * 127) / 127
    return np.sign(coded) * (256 ** np.abs(coded) - 1) / 255


@pytest.mark.parametrize(
    ("make", "rate", "said"),
    [
        (lambda: np.clip(speech() * 8, -1, 1) * 0.7, 16000, "clipped"),
        (lambda: speech() + noise(len(speech()), level_db(speech()) - 10), 16000, "noisy"),
        (lambda: speech() * 0.02, 16000, "quiet"),
        (lambda: telephone(speech()), 8000, "telephone"),
        (lambda: np.concatenate([speech("amy"), speech("brian")]), 16000, "several people"),
        (
            lambda: np.concatenate(
                [speech(("amy", "brian")[i % 2], TEXT[i % 5 : i % 5 + 1]) for i in range(10)]
            ),
            16000,
            "several people",
        ),
        (lambda: speech(sentences=TEXT[:2])[: 4 * 16000], 16000, "from more"),
    ],
    ids=["clipped", "noisy", "quiet", "telephone", "two halves", "turns", "little"],
)
def test_what_makes_a_clone_worse_is_warned_of(judge, make, rate, said):
    sample, warned = judge(make(), rate)
    assert said in warned
    assert sum(not finding.good for finding in sample.findings) == 1, warned
    assert len(sample.sound(16000))


@settings(max_examples=12, deadline=None)
@given(snr_db=st.integers(0, 40), voice=st.sampled_from(["amy", "george"]), seed=st.integers(0, 3))
def test_noise_is_measured_and_told(snr_db, voice, seed):
    sound = speech(voice)
    sound = (sound + noise(len(sound), level_db(sound) - snr_db, seed)).astype(np.float32)
    found = {f.check: f for f in check(Recording(sound, frames_of(sound), 20.0), "it")}
    assert not any(finding.refused for finding in found.values())
    assert found["noise"].value == pytest.approx(snr_db + 3, abs=4)
    assert found["noise"].good == (found["noise"].value >= 18)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), length_s=st.sampled_from([0.1, 1.0, 3.0, 5.0]), layers=st.integers(0, 5))
def test_any_sound_is_judged(seed, length_s, layers):
    """Tones, noises, steps, clicks, anywhere and at any level: never a traceback nor a numpy warning."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(round(length_s * SAMPLE_RATE))
    for _ in range(layers):
        start = rng.integers(0, len(sound))
        part = sound[start : rng.integers(start, len(sound)) + 1]
        time = np.arange(len(part)) / SAMPLE_RATE
        makers = (
            lambda: np.sin(2 * math.pi * rng.uniform(20, 4000) * time),  # noqa: B023 - called at once
            lambda: rng.normal(size=len(time)),  # noqa: B023
            lambda: np.ones(len(time)),  # noqa: B023
            lambda: (rng.random(len(time)) < 0.001) * 1.0,  # noqa: B023
            lambda: np.sign(np.sin(2 * math.pi * rng.uniform(50, 500) * time)),  # noqa: B023
        )
        part += 10 ** rng.uniform(-5, 0) * makers[rng.integers(len(makers))]()
    with np.errstate(all="raise", under="ignore"):
        frames = frames_of(np.clip(sound, -1, 1).astype(np.float32))
        found = check(Recording(sound.astype(np.float32), frames, length_s), "it")
        traits = traits_of(frames)
    assert all(math.isfinite(finding.value) for finding in found)
    assert all(bool(finding.message and finding.hint) != finding.good for finding in found)
    assert all(map(math.isfinite, (traits.pitch_hz, traits.rate, traits.brightness_db)))
