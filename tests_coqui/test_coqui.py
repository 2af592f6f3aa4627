"""YourTTS and XTTS v2: voices, speech, cloning, and what users are told."""

import json
import shutil
import subprocess
import sys
import wave
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tiny
from avatalk import models
from avatalk.errors import CannotRun, EngineUnavailable, SpeechError, UnreadableFile
from avatalk.models import loaded
from avatalk.speech import coqui_vits, coqui_xtts
from avatalk.speech.coqui import Xtts, YourTts
from avatalk.speech.resample import resample
from avatalk.speech.voices import lookup

SENTENCE = "Well, it's a fine day – isn't it?"


@pytest.fixture(params=[YourTts, Xtts], ids=["yourtts", "xtts"])
def engine(request):
    return request.param()


def english(engine):
    return engine.voices()[0]


def cloned(engine, sound, path, language="en"):
    np.savez(path, **engine.embed(sound, 24000))
    return replace(english(engine), name="me", identifier=str(path), language=language)


# --- voices ----------------------------------------------------------------------------------------


def test_every_speaker_is_a_voice_in_every_language():
    voices = YourTts().voices()
    assert len(voices) == 3 * 3  # a name that is there twice but for a line break is one speaker
    by_name = {voice.name: voice for voice in voices}
    assert by_name["female-pt-4"].language == "pt-BR"
    assert by_name["female-pt-4-en"].sex == "female"
    first = {voice.language: voice.name for voice in reversed(voices)}
    assert first == {"en": "female-en-5", "fr-FR": "female-en-5-fr-fr", "pt-BR": "female-pt-4"}
    assert all("NC" in voice.licence for voice in voices)


def test_xtts_speaks_what_it_can_read(monkeypatch):
    monkeypatch.setattr("avatalk.speech.coqui.find_spec", lambda name: name if name == "pypinyin" else None)
    languages = Xtts().languages()
    assert len(languages) == 16
    assert "cmn" in languages
    assert "ja" not in languages
    names = [voice.name for voice in Xtts().voices()]
    assert len(names) == len(set(names)) == 32
    assert {"damien-black", "damien-black-de"} <= set(names)


def test_names_mean_voices():
    assert lookup("damien-black").engine == "xtts"
    assert lookup("female-pt-4").engine == "yourtts"


# --- speech ----------------------------------------------------------------------------------------


def test_an_utterance_is_a_pure_function_of_its_arguments(engine):
    voice = english(engine)
    first = engine.speak(SENTENCE, voice)
    random = torch.rand(1)
    torch.manual_seed(5)
    engine.speak("Something else.", voice)
    follows = torch.rand(1)
    torch.manual_seed(5)
    assert follows == torch.rand(1) != random  # and nobody else's random numbers are touched
    again = engine.speak(SENTENCE, voice)
    assert np.array_equal(first.sound, again.sound)
    assert first.words == again.words
    assert first.sound.dtype == np.float32
    assert np.abs(first.sound).max() <= 1
    assert not np.array_equal(first.sound, engine.speak(SENTENCE, engine.voices()[1]).sound)


def test_the_same_in_another_process():
    code = (
        "import hashlib; from avatalk.speech.coqui import YourTts; engine = YourTts();"
        f"print(hashlib.sha256(engine.speak({SENTENCE!r}, engine.voices()[0]).sound.tobytes()).hexdigest())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    import hashlib

    here = YourTts().speak(SENTENCE, english(YourTts())).sound
    assert told.stdout.split()[-1] == hashlib.sha256(here.tobytes()).hexdigest()


def test_words_have_the_networks_own_times():
    utterance = YourTts().speak(SENTENCE, english(YourTts()))
    assert [word.text for word in utterance.words] == ["Well,", "it's", "a", "fine", "day –", "isn't", "it?"]
    edges = [edge for word in utterance.words for edge in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    assert 0 < edges[0] < edges[-1] <= utterance.duration_s
    assert utterance.phonemes is None  # they are left to the aligner


def test_the_times_are_where_the_network_says():
    """A word's own letters, spoken alone in the middle of silence, sound within the times given for it."""
    network = coqui_vits.VitsNetwork(models.folder("yourtts"), "cpu")
    ids, owners = network._letters(["ab", "?", "c"], "en")
    known = network._model.tokenizer.characters
    letters = [known.id_to_char(number) for number in ids[1::2]]
    assert letters == ["a", "b", " ", "?", " ", "c"]
    assert owners == [None, 0, 0, 0, None, None, None, None, None, None, None, 2, None]
    spans = network._spans(np.arange(1, 14, dtype=np.float32), owners)
    frame = 256 / 16000
    assert spans == [
        (0, pytest.approx(1 * frame), pytest.approx(10 * frame)),
        (2, pytest.approx(66 * frame), pytest.approx(78 * frame)),
    ]


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_speed(speed):
    engine = YourTts()
    sentence = "The quick brown fox jumps over the lazy dog, and sleeps."
    ratio = (
        engine.speak(sentence, english(engine), speed).duration_s
        / engine.speak(sentence, english(engine)).duration_s
    )
    assert ratio == pytest.approx(1 / speed, rel=0.02)


def test_another_pitch_is_the_slower_sound_played_faster():
    engine = YourTts()
    sentence = "The quick brown fox jumps over the lazy dog, and sleeps."
    slow, high = (
        engine.speak(sentence, english(engine), 0.6),
        engine.speak(sentence, english(engine), 0.9, 1.5),
    )
    assert np.allclose(high.sound, resample(slow.sound, 24000, 16000), atol=1e-6)
    assert high.words[-1].end_s == pytest.approx(slow.words[-1].end_s / 1.5)
    assert high.words[-1].end_s <= high.duration_s


def test_the_fast_decoder_is_the_librarys():
    folder = models.folder("yourtts")
    network = coqui_vits.VitsNetwork(folder, "cpu")
    slow = coqui_vits._read_model(folder).waveform_decoder
    z, voice = torch.randn(1, 16, 77), torch.randn(1, 32, 1)
    with torch.inference_mode():
        expected = slow(z, g=voice)
        found = network._model.waveform_decoder(z, voice)
    assert torch.allclose(found, expected, atol=1e-4 * float(expected.abs().max()))


def test_nothing_to_say(engine):
    network = coqui_vits.VitsNetwork(models.folder("yourtts"), "cpu")
    assert not len(network.speak(["漢字"], "en", network.speaker("male-en-2"), 1.0, 0)[0])


def test_a_model_is_loaded_once(monkeypatch):
    loaded._held.clear()
    made = []
    original = coqui_vits.VitsNetwork.__init__

    def counted(self, *args):
        made.append(args)
        original(self, *args)

    monkeypatch.setattr(coqui_vits.VitsNetwork, "__init__", counted)
    for sentence in ("One.", "Two."):
        YourTts().speak(sentence, english(YourTts()))
    assert len(made) == 1


def test_reading_changes_nothing_on_disk(engine):
    engine.speak("Good.", english(engine))
    assert models.verify(engine.name) == []


@given(st.text(alphabet="ab ,.，。", max_size=400), st.integers(5, 90))
def test_long_sentences_are_cut(text, limit):
    parts = list(coqui_xtts._parts(text, limit))
    assert all(0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_sentence_longer_than_the_model_speaks_at_once():
    engine = Xtts()
    voice = next(voice for voice in engine.voices() if voice.language == "hi")
    long = engine.speak("ab, " * 55, voice)
    assert long.duration_s > 1.3 * engine.speak("ab, " * 30, voice).duration_s


# --- cloning ---------------------------------------------------------------------------------------


def test_cloning(engine, recordings, tmp_path):
    voices = [cloned(engine, sound, tmp_path / f"{n}.npz") for n, sound in enumerate(recordings)]
    first, other = (engine.speak(SENTENCE, voice) for voice in voices)
    assert len(first.sound) > 1000
    assert not np.array_equal(first.sound, other.sound)
    again = cloned(engine, recordings[0], tmp_path / "again.npz")
    assert np.array_equal(first.sound, engine.speak(SENTENCE, again).sound)
    versions = {engine.version(voice) for voice in (*voices, again, english(engine))}
    assert len(versions) == 3


def test_yourtts_learns_what_the_library_learns(recordings, tmp_path):
    """The d-vector is that of the library's own way, which reads a file."""
    from TTS.tts.utils.speakers import SpeakerManager

    folder = models.folder("yourtts")
    path = tmp_path / "one.wav"
    sound = recordings[0][: 24000 * 4]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24000, 0, "NONE", ""))
        file.writeframes((sound * 32767).astype("<i2").tobytes())
    manager = SpeakerManager(
        encoder_model_path=folder / "model_se.pth", encoder_config_path=folder / "config_se.json"
    )
    expected = np.array(manager.compute_embedding_from_clip(str(path)))
    found = YourTts().embed(sound, 24000)["d_vector"]
    assert found @ expected / np.linalg.norm(found) / np.linalg.norm(expected) > 0.999


def test_a_lost_clone(tmp_path):
    voice = replace(english(YourTts()), identifier=str(tmp_path / "gone.npz"))
    with pytest.raises(UnreadableFile, match="missing or damaged"):
        YourTts().speak("Hello.", voice)


def test_nothing_is_unpickled_from_a_clone(tmp_path):
    np.savez(tmp_path / "evil.npz", d_vector=np.array([print], dtype=object))
    voice = replace(english(YourTts()), identifier=str(tmp_path / "evil.npz"))
    with pytest.raises(UnreadableFile):
        YourTts().speak("Hello.", voice)


# --- what users are told ---------------------------------------------------------------------------


def test_a_language_of_another_engine():
    voice = replace(english(YourTts()), language="de-AT")
    with pytest.raises(SpeechError, match="German") as told:
        YourTts().speak("Guten Tag.", voice)
    assert "XTTS v2" in told.value.hint
    with pytest.raises(SpeechError) as told:
        Xtts().speak("Moi.", replace(english(Xtts()), language="fi"))
    assert "--voice fi" in told.value.hint


def test_a_language_whose_reader_is_missing(monkeypatch):
    monkeypatch.setattr("avatalk.speech.coqui.find_spec", lambda _name: None)
    with pytest.raises(SpeechError) as told:
        Xtts().speak("はい", replace(english(Xtts()), language="ja"))
    assert "pip install cutlet" in told.value.hint


def test_without_weights(engine, monkeypatch, tmp_path):
    voice = english(engine)
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path))
    assert engine.voices() == ()
    assert engine.languages() == ()
    with pytest.raises(EngineUnavailable) as told:
        engine.speak("Hello.", voice)
    assert f"avatalk models install {engine.name} --accept-license" in told.value.hint
    assert "embedded voices" in told.value.hint


def test_commercial_machines_refuse(engine, monkeypatch):
    voice = english(engine)
    monkeypatch.setenv("AVATALK_COMMERCIAL", "1")
    assert engine.voices() == engine.languages() == ()
    with pytest.raises(CannotRun, match="commercial"):
        engine.speak("Hello.", voice)


def test_damaged_speakers_leave_other_voices_alone(engine, tmp_path, monkeypatch):
    shutil.copytree(models.folder(engine.name), tmp_path / "models" / engine.name)
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path))
    path = models.folder(engine.name) / engine.speakers
    assert engine.voices()
    path.write_bytes(b"?" * path.stat().st_size)
    assert engine.voices() == ()
    assert lookup("amy").engine == "espeak"


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("file", "harm", "words"),
    [
        ("model_file.pth", _cut, "cut short or damaged"),
        ("model_file.pth", lambda p: torch.save({"model": {"a": torch.zeros(1)}}, p), "another model"),
        ("config.json", lambda p: p.write_text("{"), "damaged"),
        ("config.json", lambda p: p.write_text('{"model": "vits", "audio": {}}'), "damaged"),
        ("model_se.pth", _cut, "cut short or damaged"),
        ("config_se.json", lambda p: p.write_text("[]"), "damaged"),
        ("language_ids.json", lambda p: p.unlink(), "lacks language_ids.json"),
    ],
)
def test_bad_folders_are_refused(tmp_path, monkeypatch, file, harm, words):
    folder = tiny.yourtts(tmp_path / "brought")
    harm(folder / file)
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UnreadableFile, match=words):
        models.import_file(folder, accept_licence=True)
    assert not models.installed("yourtts")


def test_code_in_a_checkpoint_is_not_run(tmp_path, monkeypatch):
    folder = tiny.xtts(tmp_path / "brought")
    torch.save({"model": {}, "config": tiny.Size()}, folder / "model.pth")
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UnreadableFile, match="program code"):
        models.import_file(folder, accept_licence=True)


# --- surfaces --------------------------------------------------------------------------------------


def test_say(run, tmp_path):
    text = "Good morning to you."
    told = run("say", text, "--voice", "male-en-2", "-o", tmp_path / "said.wav", "--json")
    own = YourTts().speak(text, lookup("male-en-2")).words
    words = json.loads(told.stdout)["words"]  # with the network's own times, behind some silence
    gaps = [word["start_s"] - mine.start_s for word, mine in zip(words, own, strict=True)]
    assert gaps == pytest.approx([0.15] * 4, abs=0.001)
    with wave.open(str(tmp_path / "said.wav")) as file:
        assert file.getnframes() / file.getframerate() > 0.8


def test_voices_and_engines_are_listed(run):
    assert "damien-black-de" in run("voices", "--language", "de", "--json").output
    assert "yourtts" in run("engines", "--json").output


def test_a_sample_is_cloned(run, recordings, tmp_path):
    sample = tmp_path / "me.wav"
    with wave.open(str(sample), "wb") as file:
        file.setparams((1, 2, 24000, 0, "NONE", ""))
        file.writeframes((recordings[1] * 32767).astype("<i2").tobytes())
    said = tmp_path / "said.wav"
    told = run("say", "Guten Tag.", "--voice-sample", sample, "--language", "de", "-o", said, "--json")
    assert json.loads(told.stdout)["engine"] == "xtts"
    with wave.open(str(said)) as file:
        assert file.getnframes() > 0.5 * file.getframerate()


def test_make(run, tmp_path):
    out = tmp_path / "talk.mp4"
    asked = ("--avatar", "ada", "--text", "Good morning to you.", "--voice", "male-en-2", "--captions", "srt")
    told = run("make", *asked, "--quality", "draft", "-o", out, "--json")
    assert json.loads(told.stdout)["engines"]["speech"] == "yourtts male-en-2"
    assert "Good morning" in out.with_suffix(".srt").read_text()
