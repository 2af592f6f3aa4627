"""What every engine that speaks must do.

An engine whose packages are not installed is left out; where it has an environment of its own, this file is
run there too. A new engine adds a function here that makes its `Case`, and a line to `NEEDS`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest

from avatalk.errors import SpeechError
from avatalk.speech.base import SpeechEngine, Voice
from avatalk.speech.voices import engine_of, lookup, speech_engines

TEXT = "The quick brown fox jumps over the lazy dog, and runs away."


@dataclass
class Case:
    """An engine and what can be asked of it here.

    Attributes:
        engine: under test.
        voice: of a language in Latin letters.
        other: another voice of it.
        speed: by how much a duration may miss what the speed says, relative.
        pitch: likewise; None where the sound of the voice has no pitch to measure.
    """

    engine: SpeechEngine
    voice: Voice
    other: Voice
    speed: float
    pitch: float | None


def espeak(_folder):
    voice = lookup("amy")
    return Case(engine_of(voice), voice, lookup("lukas"), speed=0.12, pitch=0.15)


def piper(folder):
    from avatalk import models
    from vits import TINY, write_voice

    path = write_voice(folder, "en_US-hum-low", TINY, speakers={"one": 0, "two": 1})
    models.import_file(path, accept_licence=True)
    voice = lookup("hum-one")
    return Case(engine_of(voice), voice, lookup("hum-two"), speed=0.01, pitch=0.03)


def yourtts(folder):
    import tiny
    from avatalk import models

    models.import_file(tiny.yourtts(folder / "brought"), accept_licence=True)
    voice = lookup("female-en-5")
    return Case(engine_of(voice), voice, lookup("male-en-2"), speed=0.02, pitch=None)


def xtts(folder):
    import tiny
    from avatalk import models

    models.import_file(tiny.xtts(folder / "brought"), accept_licence=True)
    voice = lookup("claribel-dervla")
    return Case(engine_of(voice), voice, lookup("damien-black"), speed=0.05, pitch=None)


NEEDS = {"espeak": (), "piper": ("openvino", "onnx", "torch"), "yourtts": ("TTS",), "xtts": ("TTS",)}


@pytest.fixture(scope="module", params=NEEDS)
def case(request, tmp_path_factory):
    if missing := [package for package in NEEDS[request.param] if find_spec(package) is None]:
        pytest.skip(f"{request.param} needs {', '.join(missing)}")
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATALK_CACHE", str(folder / "cache"))
        patch.setenv("AVATALK_OFFLINE", "1")
        patch.delenv("AVATALK_COMMERCIAL", raising=False)
        yield globals()[request.param](folder)


def f0(sound, rate):
    """Median fundamental frequency of the voiced parts, by autocorrelation."""
    found, length = [], rate // 18
    for start in range(0, len(sound) - length, rate // 70):
        part = sound[start : start + length]
        if np.sqrt(np.mean(part**2)) > 0.03:
            correlation = np.correlate(part, part, "full")[length - 1 :]
            lowest, highest = rate // 420, rate // 60
            lag = lowest + int(correlation[lowest:highest].argmax())
            if correlation[lag] > 0.5 * correlation[0]:
                found.append(rate / lag)
    return float(np.median(found))


def test_the_engine_is_one_of_those_that_speak(case):
    assert case.engine in speech_engines()
    assert case.voice in case.engine.voices()
    assert {case.voice.language, case.other.language} <= set(case.engine.languages())
    names = [voice.name for voice in case.engine.voices()]
    assert len(names) == len(set(names))
    for voice in (case.voice, case.other):
        assert lookup(voice.name) == voice
        assert voice.engine == case.engine.name and voice.licence and voice.description
        assert engine_of(voice) is case.engine


def test_an_utterance_is_what_the_contract_says(case):
    utterance = case.engine.speak(TEXT, case.voice)
    sound, rate = utterance.sound, utterance.sample_rate
    assert sound.dtype == np.float32 and sound.ndim == 1 and rate >= 8000
    assert np.isfinite(sound).all() and np.abs(sound).max() <= 1
    assert np.sqrt(np.mean(sound**2)) > 0.005
    assert 0.5 < utterance.duration_s < 20
    if utterance.phonemes is not None:
        assert utterance.phonemes[0].start_s == 0
        assert utterance.phonemes[-1].end_s == pytest.approx(utterance.duration_s)
        assert all(one.start_s < one.end_s == two.start_s for one, two in pairwise(utterance.phonemes))
        assert sum(1 for phoneme in utterance.phonemes if phoneme.symbol) > 20
        assert not any("ˈ" in phoneme.symbol for phoneme in utterance.phonemes)
    if utterance.words is not None:
        assert [word.text for word in utterance.words] == TEXT.split()
        assert all(word.start_s < word.end_s <= utterance.duration_s for word in utterance.words)
        assert all(one.end_s <= two.start_s + 1e-6 for one, two in pairwise(utterance.words))


def test_an_utterance_depends_on_its_arguments_alone(case):
    first = case.engine.speak(TEXT, case.voice)
    case.engine.speak("Something else!", case.other, 1.3, 0.8)
    case.engine.speak("And more.", case.voice, 0.7, 1.2)
    with ThreadPoolExecutor(3) as pool:
        again = list(pool.map(lambda _: case.engine.speak(TEXT, case.voice), range(3)))
    for other in again:
        assert other.sound.tobytes() == first.sound.tobytes()
        assert (other.phonemes, other.words) == (first.phonemes, first.words)


def test_voices_and_words_differ(case):
    said = case.engine.speak(TEXT, case.voice).sound
    assert case.engine.speak(TEXT, case.other).sound.tobytes() != said.tobytes()
    assert case.engine.speak(TEXT.replace("fox", "ox"), case.voice).sound.tobytes() != said.tobytes()


@pytest.mark.parametrize("speed", [0.5, 0.8, 1.5, 2.0])
def test_speed_is_words_per_time(case, speed):
    own = case.engine.speak(TEXT, case.voice).duration_s
    said = case.engine.speak(TEXT, case.voice, speed).duration_s
    assert said == pytest.approx(own / speed, rel=case.speed)


@pytest.mark.parametrize("pitch", [0.7, 1.4])
def test_pitch_is_a_factor_and_leaves_the_tempo(case, pitch):
    own = case.engine.speak(TEXT, case.voice)
    said = case.engine.speak(TEXT, case.voice, 1.0, pitch)
    assert said.duration_s == pytest.approx(own.duration_s, rel=case.speed)
    if case.pitch is not None:
        expected = pitch * f0(own.sound, own.sample_rate)
        assert f0(said.sound, said.sample_rate) == pytest.approx(expected, rel=case.pitch)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "No",
        "3,141.59 and 1/2 — 100%!",
        "naïve café, Ελλάδα, 你好, привет",
        "🙂 smile 🙃 … “quoted” <tag> & [brackets] {braces} \\slash_under",
        "zero\u200bwidth \u202eleft\u202c tab\tand\u00a0space",
        "don't re-enter, e.g. U.S.A.",
        "word " * 45,
    ],
)
def test_odd_text_is_spoken(case, text):
    utterance = case.engine.speak(text.strip(), case.voice)
    assert len(utterance.sound) > 0.02 * utterance.sample_rate
    assert np.isfinite(utterance.sound).all()
    if utterance.words is not None:
        written = "".join(text.split())
        assert "".join("".join(word.text.split()) for word in utterance.words) in (written, written[1:])


@pytest.mark.parametrize("text", ["", " ", "…", "🙂", "“ ”"])
def test_nothing_to_say_is_an_error_of_the_text(case, text):
    with pytest.raises(SpeechError) as caught:
        case.engine.speak(text, case.voice)
    assert caught.value.field == "text" and caught.value.hint


def test_the_version_tells_the_voice_and_stays(case):
    assert case.engine.version(case.voice) == case.engine.version(case.voice) != ""
