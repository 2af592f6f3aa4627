"""The gallery of voices from the user's side: heard, kept under a name, shown, removed."""

import json
import os
import re
import runpy
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from avatalk import BadInput, about_voice, add_voice, engines, play_voice, remove_voice, say
from avatalk.cli import app
from avatalk.errors import OutputError, SpeechError, UnknownName, UnreadableFile
from avatalk.events import Monitor
from avatalk.speech import kept
from avatalk.speech.audio import open_audio
from avatalk.speech.casting import cast
from avatalk.speech.espeak_voices import espeak_voices
from avatalk.speech.scripts import scripts_in
from avatalk.speech.sentences import sentence_in
from avatalk.voicebook import STATEMENT
from parrot import Parrot


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "voices"


@pytest.fixture
def avatalk():
    def run(*arguments):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout, done.stderr

    return run


def sound_of(path):
    clip = open_audio(path)
    return clip, np.concatenate(list(clip.blocks(clip.sample_rate)))[:, 0]


# --- hearing voices --------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [0, 1])
def test_every_language_says_its_sentence(half, tmp_path):
    voices = {voice.language: voice for voice in reversed(espeak_voices())}
    assert len(voices) > 130
    for language, voice in list(voices.items())[half::2]:
        said = say(sentence_in(language), tmp_path / "a.wav", voice=voice.name, language=language)
        clip, sound = sound_of(tmp_path / "a.wav")
        assert 0.8 < clip.duration_s < 6, language
        assert np.sqrt(np.mean(np.square(sound))) > 0.03, language
        assert said.warnings == [], language
        assert (said.voice, said.engine) == (voice.name, "espeak")


def test_every_sentence_is_in_a_script_of_its_language():
    for voice in espeak_voices():
        sentence = sentence_in(voice.language)
        assert set(scripts_in(sentence)) <= {*voice.scripts, "Latin"}, voice.language
        assert len(sentence) < 70
    assert sentence_in("de-AT") == sentence_in("DE") == sentence_in("de")
    assert sentence_in("xx") == "1, 2, 3, 4, 5."


def test_named_voices_have_sentences_of_their_own():
    named = {voice.language for voice in espeak_voices() if not voice.name.startswith(voice.language.lower())}
    sentences = {sentence_in(language) for language in named}
    assert len(named) >= 40 and len(sentences) >= len(named) - 6
    assert not any(sentence[0].isdigit() for sentence in sentences)


def test_play_writes_what_a_voice_sounds_like(avatalk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = avatalk("voices", "--play", "anna")
    assert code == 0 and "anna.wav" in out
    clip, _ = sound_of(tmp_path / "anna.wav")
    assert 1.2 < clip.duration_s < 4
    code, out, _ = avatalk("voices", "--play", "anna", "-o", "a.ogg", "--json")
    told = json.loads(out)
    assert told["engine"] == "espeak"
    assert " ".join(word["text"] for word in told["words"]) == sentence_in("de")
    assert avatalk("voices", "--play", "nobody")[0] == 2
    assert avatalk("voices", "-o", "a.wav")[0] == 2


# --- keeping voices --------------------------------------------------------------------------------


def test_a_voice_is_kept_heard_shown_and_removed(avatalk, tmp_path, sample_of, home, monkeypatch):
    monkeypatch.setattr(engines, "ENGINES", tuple(e for e in engines.ENGINES if "sample" not in e.takes))
    sample = sample_of("emma", pitch=1.2)
    code, out, _ = avatalk("voices", "add", "Mum", sample, "--language", "en-GB", "--i-have-consent")
    assert code == 0 and "avatalk voices --play mum" in out

    (row,) = [row for row in json.loads(avatalk("voices", "--json")[1]) if row["name"] == "mum"]
    assert (row["language"], row["sex"], row["engine"]) == ("en-GB", "female", "nearest")
    assert "mum" in avatalk("voices", "--language", "en-gb")[1]
    assert "mum" not in avatalk("voices", "--language", "fr")[1]

    facts = json.loads(avatalk("voices", "show", "MUM", "--json")[1])
    assert facts["source"] == sample.name and facts["consent"]["words"] == STATEMENT
    assert 100 < facts["measured"]["pitch_hz"] < 400 and facts["learnt_by"] == []
    assert "consent" in avatalk("voices", "show", "mum")[1]
    assert "GPL-3.0" in avatalk("voices", "show", "amy")[1]

    code, _, err = avatalk("say", "Hello there.", "--voice", "mum", "-o", tmp_path / "a.wav")
    assert code == 0 and "approximated" in err
    monitor = Monitor()
    for text, language, spoken in (
        ("Hello", None, "en-GB"),
        ("Привет", None, "ru"),
        ("Guten Tag", "de", "de"),
    ):
        assert cast(text, "mum", None, language, "", monitor).voice.language == spoken
    assert avatalk("voices", "--play", "mum", "-o", tmp_path / "b.wav")[0] == 0

    assert avatalk("voices", "remove", "mum")[0] == 0
    assert list(home.iterdir()) == []
    code, _, err = avatalk("voices", "remove", "mum")
    assert code == 2 and "No voice mum is kept" in err
    assert avatalk("say", "Hi.", "--voice", "mum", "-o", tmp_path / "a.wav")[0] == 2


def test_the_consent_is_kept_with_who_and_when(sample_of):
    before = datetime.now(timezone.utc).replace(microsecond=0)
    added = add_voice("me", sample_of(), consent=" I said yes. ", who="Ada L.")
    consent = kept.get("me").consent
    assert consent == added.voice.consent
    assert (consent.words, consent.who) == ("I said yes.", "Ada L.")
    assert before <= datetime.fromisoformat(consent.when) <= datetime.now(timezone.utc)


@pytest.mark.parametrize("consent", ["", "  "])
def test_without_consent_nothing_is_kept(avatalk, sample_of, home, consent):
    with pytest.raises(BadInput) as caught:
        add_voice("me", sample_of(), consent=consent)
    assert "--i-have-consent" in caught.value.hint
    assert avatalk("voices", "add", "me", sample_of())[0] == 2
    assert not home.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2)])
def test_on_a_terminal_it_asks_once(sample_of, answer, code):
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "avatalk.cli", "voices", "add", "me", str(sample_of())]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(ours, answer.encode())
    _, err = process.communicate(timeout=60)
    assert err.decode().count(STATEMENT[:40]) == (1 if code == 0 else 2)  # the hint says it again
    assert process.returncode == code
    assert (kept.names() == ["me"]) == (code == 0)


@pytest.mark.parametrize(
    "name", ["amy", "Amy", "german", "de", "en_GB", "gmw/de", "", "-x", "../up", "a" * 41, "nul", "a.b"]
)
def test_names_that_cannot_be(sample_of, home, name):
    with pytest.raises(BadInput) as caught:
        add_voice(name, sample_of(), consent=STATEMENT)
    assert caught.value.field == "name" and caught.value.hint
    assert not home.exists()


@given(st.text(max_size=50))
def test_a_safe_name_is_a_plain_file_name(text):
    try:
        name = kept.safe_name(text)
    except BadInput:
        return
    assert kept.safe_name(name) == name
    assert 0 < len(name) <= 40 and name[0].isalnum()
    assert not set(name) & set('/\\:*?"<>|. \0')


@pytest.mark.parametrize("name", ["my-voice", "Jürgen", "张伟", "en mum"])
def test_names_that_can_be(sample_of, name, tmp_path):
    add_voice(name, sample_of(), consent=STATEMENT)
    said = say("Hello.", tmp_path / "a.wav", voice=name)
    assert any(kept.safe_name(name) in warning for warning in said.warnings)
    with pytest.raises(BadInput, match="already"):
        add_voice(name, sample_of(), consent=STATEMENT)


def test_the_nearest_name_is_hinted_at(sample_of, tmp_path):
    add_voice("grandmother", sample_of(), consent=STATEMENT)
    with pytest.raises(UnknownName) as caught:
        say("Hello.", tmp_path / "a.wav", voice="grandmoter")
    assert "grandmother" in caught.value.hint


def test_a_bad_sample_keeps_nothing(make_wav, home):
    with pytest.raises(SpeechError):
        add_voice("me", make_wav(np.random.default_rng(0).normal(size=90000) * 0.1), consent=STATEMENT)
    with pytest.raises(UnknownName):
        add_voice("me", make_wav(np.zeros(9)), consent=STATEMENT, language="xq")
    assert not home.exists()


def test_a_folder_that_cannot_be_written(sample_of, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path / "file"))
    with pytest.raises(OutputError) as caught:
        add_voice("me", sample_of(), consent=STATEMENT)
    assert "AVATALK_DATA" in caught.value.hint
    assert kept.names() == []


def test_a_damaged_voice_is_told_and_can_be_removed(sample_of, home, avatalk, tmp_path):
    add_voice("me", sample_of(), consent=STATEMENT)
    for file, content in (("sample.wav", b"RIFF"), ("voice.json", b"{}"), ("voice.json", b"\xff")):
        (home / "me" / file).write_bytes(content)
        with pytest.raises(UnreadableFile) as caught:
            say("Hello.", tmp_path / "a.wav", voice="me")
        assert "avatalk voices remove me" in caught.value.hint
        assert avatalk("voices", "--json")[0] == 0
    remove_voice("me")
    assert kept.names() == []


# --- with an engine that clones --------------------------------------------------------------------


def test_a_voice_is_learnt_when_it_is_kept(parrot, sample_of, home, tmp_path):
    before = Parrot.embedded
    added = add_voice("mum", sample_of("emma", pitch=1.3), consent=STATEMENT)
    assert added.engines == ["parrot"] and Parrot.embedded == before + 1
    facts = about_voice("mum")
    assert facts["engine"] == "parrot" and facts["learnt_by"] == ["parrot"]
    for language in (None, "de"):
        said = play_voice("mum", tmp_path / "a.wav", language=language)
        assert (said.engine, said.voice) == ("parrot", "mum") and not said.warnings
    assert Parrot.embedded == before + 1
    remove_voice("mum")
    assert list(home.iterdir()) == []


def test_a_voice_is_learnt_later_where_the_engine_came_later(parrot, sample_of, tmp_path, monkeypatch):
    with monkeypatch.context() as without:
        without.setattr(Parrot, "languages", lambda self: ())  # as before its weights are installed
        assert add_voice("mum", sample_of(), consent=STATEMENT).engines == []
    before = Parrot.embedded
    assert say("Hello.", tmp_path / "a.wav", voice="mum").engine == "parrot"
    assert say("Hello again.", tmp_path / "a.wav", voice="mum").engine == "parrot"
    assert Parrot.embedded == before + 1


def test_an_engine_that_fails_to_learn_leaves_nothing(parrot, sample_of, home, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Parrot, "embed", fail)
    with pytest.raises(KeyboardInterrupt):
        add_voice("mum", sample_of(), consent=STATEMENT)
    assert list(home.iterdir()) == []


# --- the page of voices ----------------------------------------------------------------------------


def test_the_page_of_voices_is_up_to_date_and_its_previews_sound():
    root = Path(__file__).parent.parent
    script = runpy.run_path(str(root / "scripts" / "voices_table.py"))
    text = (root / "docs" / "voices.md").read_text("utf-8")
    assert script["page"](text) == text, "run scripts/voices_table.py"
    links = re.findall(r"\(voices/([a-z]+\.mp3)\)", text)
    files = sorted(file.name for file in (root / "docs" / "voices").iterdir())
    assert sorted(links) == files and len(links) >= 40
    assert sum((root / "docs" / "voices" / name).stat().st_size for name in files) < 1_000_000
    for name in files:
        clip, sound = sound_of(root / "docs" / "voices" / name)
        assert 1.2 < clip.duration_s < 4.5, name
        assert np.sqrt(np.mean(np.square(sound))) > 0.05, name
