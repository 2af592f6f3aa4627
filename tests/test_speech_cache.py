"""Sentences are spoken once: a change speaks one again, a killed process goes on, nothing is stale."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatalk.events import Monitor
from avatalk.media import Phoneme, Word
from avatalk.speech import cache
from avatalk.speech.base import Utterance
from avatalk.speech.cache import SentenceCache
from avatalk.speech.espeak import Espeak
from avatalk.speech.synthesis import _identity, speak
from avatalk.speech.voices import lookup

SCRIPT = [f"This is sentence number {n} of the script." for n in range(200)]


@pytest.fixture
def sentences(tmp_path, monkeypatch):
    """An empty cache of its own."""
    folder = tmp_path / "cache" / "sentences"
    monkeypatch.setattr(cache, "folder", lambda: folder)
    return folder


@pytest.fixture
def spoken(monkeypatch):
    """The texts that the engine was made to speak, as they come."""
    texts: list[str] = []
    own = Espeak.speak

    def speak_and_note(self, sentence, *arguments, **options):
        texts.append(sentence)
        return own(self, sentence, *arguments, **options)

    monkeypatch.setattr(Espeak, "speak", speak_and_note)
    return texts


def say(text: str, folder: Path, voice: str = "amy", speed: float = 1.0, pitch: float = 1.0) -> bytes:
    folder.mkdir(exist_ok=True)
    return speak(text, voice, speed, pitch, folder, Monitor()).audio.path.read_bytes()


def test_editing_one_sentence_of_two_hundred_speaks_one(tmp_path, sentences, spoken):
    first = say(" ".join(SCRIPT), tmp_path / "a")
    assert len(spoken) == 200
    spoken.clear()
    assert say(" ".join(SCRIPT), tmp_path / "b") == first
    assert spoken == []
    edited = SCRIPT.copy()
    edited[117] = "This one is new."
    changed = say(" ".join(edited), tmp_path / "c")
    assert spoken == ["This one is new."]
    assert changed != first


def test_what_was_kept_sounds_as_if_made_anew(tmp_path, sentences, monkeypatch):
    text = "First of all. Then 2 of them; and <b>so</b> on: é 你!"
    made = say(text, tmp_path / "a")
    kept = say(text, tmp_path / "b")
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "another")
    assert made == kept == say(text, tmp_path / "c")


@pytest.mark.parametrize(
    "other",
    [{"voice": "brian"}, {"voice": "grace"}, {"speed": 1.1}, {"pitch": 0.9}, {"text": "The same words!"}],
)
def test_all_that_decides_the_sound_tells_sentences_apart(tmp_path, sentences, spoken, other):
    how = {"text": "The same words.", "voice": "amy"}
    say(folder=tmp_path / "a", **how)
    say(folder=tmp_path / "b", **(how | other))
    assert len(spoken) == 2


def test_another_version_of_the_engine_speaks_again(tmp_path, sentences, spoken, monkeypatch):
    say("Hello.", tmp_path / "a")
    monkeypatch.setattr(Espeak, "version", lambda self, voice: "espeak of tomorrow")
    say("Hello.", tmp_path / "b")
    assert len(spoken) == 2


def test_prosody_speaks_only_what_it_changes(tmp_path, sentences, spoken):
    say("<speak>One. Two. Three.</speak>", tmp_path / "a")
    say('<speak>One. <prosody rate="slow">Two.</prosody> Three.</speak>', tmp_path / "b")
    assert spoken == ["One.", "Two.", "Three.", "Two."]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signal")
def test_a_killed_process_goes_on_where_it_stopped(tmp_path, sentences, spoken):
    code = (
        "import sys; from pathlib import Path; from avatalk.events import Monitor;"
        "from avatalk.speech.synthesis import speak;"
        "speak(sys.argv[1], 'amy', 1.0, 1.0, Path(sys.argv[2]),"
        " Monitor(lambda p: print(p.done, flush=True)))"
    )
    (tmp_path / "work").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", code, " ".join(SCRIPT), str(tmp_path / "work")],
        env=os.environ | {"AVATALK_CACHE": str(sentences.parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if float(line) > len(" ".join(SCRIPT)) / 2:
            process.kill()
            break
    assert process.wait() == -signal.SIGKILL
    done = len(list(sentences.glob("[!.]*")))
    assert 100 <= done < 200
    whole = say(" ".join(SCRIPT), tmp_path / "a")
    assert len(spoken) == 200 - done
    assert whole == say(" ".join(SCRIPT), tmp_path / "b")


def test_damaged_entries_are_made_again(tmp_path, sentences, spoken):
    first = say("Hello there.", tmp_path / "a")
    (entry,) = sentences.iterdir()
    whole = entry.read_bytes()
    for damaged in (b"", b"{}\n", whole[:-100], whole[:-1] + b"\x55", b"[1]\n", b"\xff\xfe\n12"):
        entry.write_bytes(damaged)
        spoken.clear()
        assert say("Hello there.", tmp_path / "b") == first
        assert spoken == ["Hello there."]
        assert entry.read_bytes() == whole


def test_a_cache_that_cannot_be_used_costs_nothing_but_time(tmp_path, monkeypatch, spoken):
    place = tmp_path / "file"
    place.write_text("in the way")
    monkeypatch.setattr(cache, "folder", lambda: place / "sentences")
    assert say("Hello. Again.", tmp_path / "a") == say("Hello. Again.", tmp_path / "b")
    assert len(spoken) == 4


def utterance(seed: int, seconds: float = 0.5) -> Utterance:
    sound = np.random.default_rng(seed).uniform(-0.5, 0.5, int(22_050 * seconds)).astype(np.float32)
    return Utterance(sound, 22_050, (Phoneme("a", 0.0, seconds, True),), (Word("a", 0.0, seconds),))


def test_the_longest_unused_go_when_there_are_too_many(sentences, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 500_000)
    kept = SentenceCache()
    for n in range(40):
        kept.get(str(n), lambda n=n: utterance(n))
        for age, entry in enumerate(sorted(sentences.iterdir(), key=lambda path: path.stat().st_mtime_ns)):
            os.utime(entry, (1000 + age, 1000 + age))  # in the order of use, coarse clocks or not
        kept.get("0", lambda: utterance(0))  # used again and again
    kept.tidy()
    assert kept.made == 40
    assert 400_000 < sum(entry.stat().st_size for entry in sentences.iterdir()) <= 500_000
    again = SentenceCache()
    for n in (0, 39):
        again.get(str(n), lambda: pytest.fail("was not kept"))
    again.get("1", lambda: utterance(1))
    assert (again.found, again.made) == (2, 1)


def test_a_script_longer_than_the_bound_goes_on_where_it_stopped(tmp_path, sentences, spoken, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 500_000)
    text = " ".join(SCRIPT[:60])

    def stop(progress):
        if progress.done > len(text) * 0.7:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        speak(text, "amy", 1.0, 1.0, tmp_path, Monitor(stop))
    assert 42 <= len(spoken) < 60
    say(text, tmp_path / "a")
    assert len(spoken) == 60
    edited = text.replace(SCRIPT[30], "This one is new.")
    say(edited, tmp_path / "b")
    assert spoken[60:] == ["This one is new."]
    assert sum(entry.stat().st_size for entry in sentences.iterdir()) > 4_000_000
    for entry in sentences.iterdir():
        os.utime(entry, (1000, 1000))  # an hour later
    say(edited.replace(SCRIPT[0], "So is this."), tmp_path / "d")
    assert spoken[61:] == ["So is this."]
    for entry in sentences.iterdir():
        os.utime(entry, (1000, 1000))
    say("Another script.", tmp_path / "c")
    assert sum(entry.stat().st_size for entry in sentences.iterdir()) <= 500_000


def test_parts_of_a_killed_process_go_too(sentences, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 100_000)
    sentences.mkdir(parents=True)
    (sentences / ".0123456789abcdef").write_bytes(bytes(90_000))
    os.utime(sentences / ".0123456789abcdef", (1, 1))
    kept = SentenceCache()
    kept.get("a", lambda: utterance(1))
    kept.tidy()
    assert not (sentences / ".0123456789abcdef").exists()


def test_sound_times_and_nothing_known_survive():
    for one in (utterance(3), Utterance(np.zeros(10, np.float32), 16_000), utterance(4, 0.001)):
        found = SentenceCache().get("survives " + str(len(one.sound)), lambda one=one: one)
        assert np.abs(found.sound - one.sound).max(initial=0) < 2e-5
        assert (found.sample_rate, found.phonemes, found.words) == (one.sample_rate, one.phonemes, one.words)


def test_a_clone_is_told_by_what_was_learnt_not_by_its_path(tmp_path):
    one, two, three = (tmp_path / f"{name}.npz" for name in "abc")
    for path, data in ((one, b"x"), (two, b"x"), (three, b"y")):
        path.write_bytes(data)
    told = [_identity(replace(lookup("amy"), identifier=str(path))) for path in (one, two, three)]
    assert told[0] == told[1] != told[2]
