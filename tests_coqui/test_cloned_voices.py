"""From a sample to a cloned voice, by the very way that users take."""

import json
import wave

import numpy as np
import pytest

from avatalk.speech import kept


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def sample(recordings, tmp_path_factory):
    path = tmp_path_factory.mktemp("samples") / "me.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24000)
        file.writeframes((np.tile(recordings[0], 2) * 32767).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize(("language", "engine"), [("fr", "yourtts"), ("pl", "xtts")])
def test_a_sample_is_cloned_by_the_engine_of_the_language(run, sample, tmp_path, language, engine):
    told = run(
        *("say", "Bonjour, je m'appelle Ada.", "--voice-sample", sample, "--language", language),
        *("-o", tmp_path / "a.wav", "--json"),
    )
    said = json.loads(told.stdout)
    assert (said["engine"], said["voice"]) == (engine, "clone of me.wav")
    assert said["duration_s"] > 0.5 and said["better"] == []
    assert not any("approximated" in warning for warning in said["warnings"])


def test_a_language_that_no_cloning_engine_speaks(run, sample, tmp_path):
    command = ("say", "Bore da.", "--voice-sample", sample, "--language", "cy", "-o", tmp_path / "a.wav")
    said = json.loads(run(*command, "--json").stdout)
    assert said["engine"] == "espeak"
    assert any("cannot speak Welsh" in warning for warning in said["warnings"])


def test_a_voice_is_kept_as_every_engine_learnt_it(run, sample, tmp_path):
    added = json.loads(run("voices", "add", "mum", sample, "--i-have-consent", "--json").stdout)
    assert sorted(added["engines"]) == ["xtts", "yourtts"]
    files = sorted(file.name for file in kept.get("mum").folder.glob("*.npz"))
    assert json.loads(run("voices", "show", "mum", "--json").stdout)["learnt_by"] == ["xtts", "yourtts"]
    for text, language, engine in (("Hello.", "en", "yourtts"), ("Dzień dobry.", "pl", "xtts")):
        command = ("say", text, "--voice", "mum", "--language", language, "-o", tmp_path / "a.wav", "--json")
        said = json.loads(run(*command).stdout)
        assert (said["engine"], said["voice"]) == (engine, "mum")
    assert sorted(file.name for file in kept.get("mum").folder.glob("*.npz")) == files
    rows = json.loads(run("voices", "--json").stdout)
    assert next(row for row in rows if row["name"] == "mum")["engine"] == "yourtts"
    run("voices", "remove", "mum")
    assert kept.names() == []
