"""Who speaks: by language, like a sample, or cloned from it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatalk import BadInput, VideoRequest, engines, load_spec, say
from avatalk.errors import UnknownName
from avatalk.events import Monitor
from avatalk.pipeline import plan, render
from avatalk.spec import portable
from avatalk.speech import kept, liken
from avatalk.speech.casting import cast
from avatalk.speech.listening import SAMPLE_RATE, frames_of
from avatalk.speech.traits import Traits, traits_of
from avatalk.speech.voices import lookup
from parrot import Parrot

TINY = {"size": "160x90", "fps": "8", "quality": "draft"}


@pytest.fixture
def no_cloning(monkeypatch):
    rows = tuple(row for row in engines.ENGINES if "sample" not in row.takes)
    monkeypatch.setattr(engines, "ENGINES", rows)


def heard(path: Path) -> Traits:
    from avatalk.speech.sample import open_sample

    return open_sample(path, Monitor()).traits


# --- language --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "sex", "voice"),
    [
        ("Guten Tag.", "de", "female", "anna"),
        ("Guten Tag.", "de", "male", "lukas"),
        ("Guten Tag.", "de-AT", "", "anna"),
        ("Olá.", "pt_BR", "male", "thiago"),
        ("Olá.", "pt-PT", "male", "joao"),
        ("你好", "yue", "female", "yue-f"),
        ("Привет", "bg", "male", "boris"),
        ("Hello.", "en", "male", "brian"),
    ],
)
def test_the_language_chooses_the_voice(text, language, sex, voice):
    request = VideoRequest(text=text, language=language)
    monitor = Monitor()
    assert cast(text, None, None, request.language, sex, monitor).voice.name == voice
    assert not monitor.warnings


def test_a_language_nobody_speaks():
    with pytest.raises(UnknownName) as caught:
        cast("Hi.", None, None, "xq", "", Monitor())
    assert caught.value.field == "language" and "avatalk voices" in caught.value.hint


@pytest.mark.parametrize("language", ["german!", "", "d", "de--at", 7])
def test_what_is_no_language(language):
    with pytest.raises(BadInput) as caught:
        VideoRequest(text="a", language=language)
    assert caught.value.field == "language" and "pt-BR" in caught.value.message


def test_a_voice_of_another_language_is_told():
    monitor = Monitor()
    assert cast("Hallo.", "amy", None, "de", "", monitor).voice.name == "amy"
    assert "--language has no effect" in monitor.warnings[0]
    assert not (cast("Hi.", "emma", None, "en-GB", "", quiet := Monitor()) and quiet.warnings)


# --- the nearest voice -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("like", "speed", "pitch", "language", "sex"),
    [
        ("emma", 1.2, 1.3, None, "female"),
        ("brian", 1.0, 0.7, None, "male"),
        ("george", 0.9, 0.9, None, "male"),
        ("lukas", 1.1, 1.0, "de", "male"),
        ("lucia", 1.0, 1.2, "ru", "female"),
        ("natasha", 1.0, 1.1, "hi", "female"),
    ],
)
def test_the_nearest_voice_speaks_at_the_measured_pitch_and_rate(
    no_cloning, sample_of, like, speed, pitch, language, sex
):
    path, monitor = sample_of(like, speed, pitch), Monitor()
    role = cast("Hello.", None, str(path), language, "", monitor)
    wanted, got = heard(path), liken.measured(role.voice, role.speed, role.pitch)
    assert role.voice.sex == sex
    assert role.voice.language.startswith(language or "en")
    assert got.pitch_hz == pytest.approx(wanted.pitch_hz, rel=0.025)
    if liken.SPEEDS[0] < role.speed < liken.SPEEDS[1]:
        assert got.rate == pytest.approx(wanted.rate, rel=0.15)
    assert "approximated" in monitor.warnings[-1] and path.name in monitor.warnings[-1]


@pytest.mark.parametrize(("pitch_hz", "sex"), [(85, "male"), (150, "male"), (170, "female"), (320, "female")])
def test_the_sex_comes_before_the_nearest_pitch(no_cloning, pitch_hz, sex):
    traits = Traits(pitch_hz, 0.8 * pitch_hz, 1.2 * pitch_hz, 4.0, -20.0)
    for language in ("en", "de", "ta"):
        voice, _, pitch = liken.nearest(traits, language)
        assert voice.sex == sex
        assert 0.5 <= pitch <= 2


def test_the_users_own_speed_and_pitch_come_on_top(no_cloning, sample_of):
    role = replace(cast("Hi.", None, str(sample_of("emma")), None, "", Monitor()), speed=1.2, pitch=1.5)
    assert role.limited(1.0, 1.0) == (1.2, 1.5)
    assert role.limited(0.5, 2.0) == (0.6, 2.0)


def test_a_video_says_that_the_voice_is_an_approximation(no_cloning, sample_of, tmp_path):
    request = VideoRequest(text="Hello there.", voice_sample=str(sample_of("emma", pitch=1.3)), **TINY)
    result = render(request, tmp_path / "a.mp4")
    assert result.engines["speech"].startswith("espeak ")
    assert any("approximated" in warning for warning in result.warnings)


def test_what_would_clone_is_named_with_its_command(monkeypatch, sample_of, tmp_path):
    row = engines.Engine(
        "speech",
        "echo",
        "nowhere:Echo",
        "",
        "its own licence",
        packages=("no_such_package",),
        models=("s3fd",),
        extra="echo",
        takes=("text", "sample"),
    )
    monkeypatch.setattr(engines, "ENGINES", (*engines.ENGINES, row))
    monkeypatch.setattr("avatalk.models.installed", lambda name: False)
    said = say("Hi.", tmp_path / "a.wav", voice_sample=str(sample_of()))
    better = " ".join(said.better)
    assert "echo (its own licence)" in better
    assert "pip install 'avatalk[echo]' && avatalk models install s3fd" in better
    assert "avatalk engines" in " ".join(said.warnings)


# --- cloned ----------------------------------------------------------------------------------------


def test_an_engine_that_clones_is_handed_the_cleaned_sample_once(parrot, sample_of, tmp_path):
    path = sample_of("emma", pitch=1.3)
    before = Parrot.embedded
    for text, language in (("Hello there, my friend.", None), ("Guten Morgen, mein Freund.", "de")):
        request = VideoRequest(text=text, voice_sample=str(path), language=language, **TINY)
        with plan(request) as made:
            assert made.engines["speech"] == f"parrot clone of {path.name}"
            assert not any("approximated" in warning for warning in made.warnings)
            sound = np.concatenate(list(made.speech.audio.blocks(SAMPLE_RATE)))[:, 0]
            spoken = traits_of(frames_of(sound))
            assert spoken.pitch_hz == pytest.approx(heard(path).pitch_hz, rel=0.2)
    assert Parrot.embedded == before + 1
    (kept,) = (tmp_path / "cache" / "voices").iterdir()
    assert kept.name.startswith("parrot-") and set(np.load(kept)) == {"pitch"}
    other = sample_of("george")
    cast("Hi.", None, str(other), None, "", Monitor())
    assert Parrot.embedded == before + 2


def test_an_engine_that_lacks_the_language_is_told(parrot, sample_of):
    monitor = Monitor()
    role = cast("Bore da.", None, str(sample_of()), "cy", "", monitor)
    assert role.voice.engine == "espeak"
    assert "parrot" in monitor.warnings[-1] and "cannot speak Welsh" in monitor.warnings[-1]


def test_a_clone_reads_the_scripts_of_its_engine(parrot, sample_of, monkeypatch):
    speaker = replace(lookup("anna"), engine="parrot", name="parrot-de", scripts=("Latin", "Greek"))
    monkeypatch.setattr(Parrot, "voices", lambda self: (speaker,))
    for language, scripts in (("de", ("Latin", "Greek")), ("en", ("Latin",))):
        role = cast("Hallo.", None, str(sample_of()), language, "", Monitor())
        assert role.voice.scripts == scripts
    named = cast("Hello.", "parrot-de", None, "en", "", monitor := Monitor()).voice
    assert (named.language, named.engine, monitor.warnings) == ("en", "parrot", [])


def test_the_sample_is_cleaned_for_the_engine(parrot, sample_of, monkeypatch):
    got = []
    monkeypatch.setattr(
        Parrot, "embed", lambda self, sound, rate: got.append((sound, rate)) or {"pitch": np.ones(1)}
    )
    cast("Hi.", None, str(sample_of("max")), None, "", Monitor())
    ((sound, rate),) = got
    assert rate == kept.SAMPLE_RATE and sound.dtype == np.float32 and sound.ndim == 1
    assert 3 < len(sound) / rate <= 30


# --- the request -----------------------------------------------------------------------------------


def test_a_voice_or_a_sample_but_not_both():
    with pytest.raises(BadInput) as caught:
        VideoRequest(text="a", voice="amy", voice_sample="me.wav")
    assert caught.value.field == "voice_sample"


def test_the_path_of_a_sample_is_portable_and_its_file_is_kept(no_cloning, sample_of, tmp_path):
    (tmp_path / "in").mkdir()
    sample = tmp_path / "in" / "me.wav"
    sample.write_bytes(sample_of().read_bytes())
    request = VideoRequest(text="Hello.", voice_sample=str(sample), language="en-GB", **TINY)
    told = json.loads(portable(request, tmp_path))
    assert told["voice_sample"] == "in/me.wav" and told["language"] == "en-GB"
    made, again = tmp_path / "a.mp4", tmp_path / "b.mp4"
    render(request, made)
    render(load_spec(made), again)
    assert made.read_bytes() == again.read_bytes()
    with pytest.raises(BadInput, match="voice sample itself"):
        render(request.model_copy(update={"voice_sample": str(made)}), made)
    sample.unlink()
    with pytest.raises(BadInput) as caught:
        load_spec(made)
    assert caught.value.field == "voice_sample" and "--voice-sample" in caught.value.hint
