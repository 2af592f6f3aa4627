"""Piper voices from the files that a user brings or fetches to lips that move; the networks are tiny."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino")
pytest.importorskip("onnx")
pytest.importorskip("torch")

from typer.testing import CliRunner

from avatalk import VideoRequest, engines, models, plan
from avatalk.catalogue import voice_rows
from avatalk.cli import app
from avatalk.errors import CannotRun, EngineUnavailable, ModelUnavailable, UnknownName, UnreadableFile
from avatalk.events import Monitor
from avatalk.media import VISEME_CHANNELS
from avatalk.models import loaded
from avatalk.models import piper as piper_models
from avatalk.speech import piper_net
from avatalk.speech.libespeak import phonemise
from avatalk.speech.piper import Piper
from avatalk.speech.piper_symbols import symbols_of
from avatalk.speech.piper_voices import read_files
from avatalk.speech.voices import choose, lookup
from vits import FRAMES, HOP, RATE, TINY, write_voice

ENGINE = Piper()
LATIN = ("Latin",)
CARD = "# Model card for {}\n\n* Language: en_US\n* License: {}\n"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """Voices as they lie anywhere."""
    folder = tmp_path_factory.mktemp("voices")
    write_voice(folder, "en_US-hum-low", TINY)
    write_voice(folder, "en_GB-choir-medium", TINY, speakers={"p9": 0, "p10": 1}, rounds_up=False)
    return folder


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """A machine without models and without settings."""
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    for name in ("AVATALK_OFFLINE", "AVATALK_COMMERCIAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(loaded, "_held", type(loaded._held)())


@pytest.fixture
def bring(shelf, tmp_path):
    """Lay a voice into a folder, under any name, with any card and changed description; import it."""

    def put(stem="en_US-hum-low", source="en_US-hum-low", licence="CC0", **changes):
        folder = tmp_path / "brought" / stem
        folder.mkdir(parents=True)
        shutil.copy(shelf / f"{source}.onnx", folder / f"{stem}.onnx")
        config = json.loads((shelf / f"{source}.onnx.json").read_text(encoding="utf-8")) | changes
        config["language"] = {"code": stem.partition("-")[0]}
        (folder / f"{stem}.onnx.json").write_text(json.dumps(config), encoding="utf-8")
        if licence:
            (folder / "MODEL_CARD").write_text(CARD.format(stem, licence), encoding="utf-8")
        return models.import_file(folder / f"{stem}.onnx")

    return put


# --- from the file to the lips ---------------------------------------------------------------------


def test_a_voice_that_was_brought_speaks_and_moves_lips(bring):
    found = bring()
    assert found.model == "piper:en_US-hum-low" and not found.missing and not found.published
    assert models.installed(found.model) and models.verify(found.model) == []
    assert "hum" in [row["name"] for row in voice_rows("en-US")]
    request = VideoRequest(text="Bob met Amy.", voice="hum", size="128x96", fps=30)
    with plan(request) as made:
        assert made.engines["speech"].startswith("piper hum")
        speech = made.speech
        assert [word.text for word in speech.words] == ["Bob", "met", "Amy."]
        closed = made.visemes.values[:, VISEME_CHANNELS.index("closed")]
        lips = [p for p in speech.phonemes if p.symbol in {"b", "m"}]
        assert len(lips) == 4
        for phoneme in lips:
            frames = slice(int(phoneme.start_s * 30), int(phoneme.end_s * 30) + 2)
            assert closed[frames].max() > 0.9
        first = next(made.frames(5, 6))
    with plan(request) as again:
        assert (next(again.frames(5, 6)) == first).all()


def test_say_from_the_command_line(bring, tmp_path):
    bring()
    out = tmp_path / "speech.wav"
    done = CliRunner().invoke(app, ["say", "One, two.", "--voice", "hum", "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert out.stat().st_size > RATE


def test_times_are_those_of_the_network(bring):
    bring()
    utterance = ENGINE.speak("Hello, world.", lookup("hum"))
    symbols = [phoneme.symbol for phoneme in utterance.phonemes]
    assert [symbol for symbol in symbols if symbol] == ["h", "ə", "l", "oʊ", "w", "ɜː", "l", "d"]
    assert symbols[0] == symbols[-1] == "" and symbols[5] == ""  # beginning, end, comma
    assert [p.symbol for p in utterance.phonemes if p.stressed] == ["oʊ", "ɜː"]
    assert utterance.phonemes[-1].end_s == utterance.duration_s
    for phoneme in utterance.phonemes:
        frames = phoneme.start_s * RATE / HOP
        assert frames == pytest.approx(round(frames), abs=1e-6)
    brief, long = utterance.phonemes[1], utterance.phonemes[4]  # one letter, and stress with two
    assert (long.end_s - long.start_s) == pytest.approx(3 * (brief.end_s - brief.start_s), rel=0.4)
    assert (brief.end_s - brief.start_s) * RATE / HOP == pytest.approx(2 * FRAMES, rel=0.5)
    hello, world = utterance.words
    assert hello.text == "Hello," and hello.end_s < world.start_s
    assert hello.start_s == utterance.phonemes[1].start_s and world.end_s == utterance.phonemes[-2].end_s


def test_a_graph_that_does_not_tell_times_speaks_all_the_same(bring):
    bring("en_GB-choir-medium", "en_GB-choir-medium")
    utterance = ENGINE.speak("Hello, world.", lookup("choir-p10"))
    assert utterance.phonemes is None and utterance.words is None
    assert utterance.duration_s > 0.5
    with plan(VideoRequest(text="Hello, world.", voice="choir", size="128x96")) as made:
        times = [(phoneme.start_s, phoneme.end_s) for phoneme in made.speech.phonemes]
        assert times[0][0] == 0 and all(one[1] == pytest.approx(two[0]) for one, two in pairwise(times))
        assert [word.text for word in made.speech.words] == ["Hello,", "world."]


def test_the_symbols_are_those_that_voices_are_trained_on(bring):
    bring()
    files = read_files("en_US-hum-low")
    letters = {ids[0]: letter for letter, ids in files.symbols.items()}
    told = [letters[number] for symbol in symbols_of("Hello, world!", LATIN, files) for number in symbol.ids]
    assert "".join(told) == "^_" + "".join(f"{letter}_" for letter in "həlˈoʊ, wˈɜːld!") + "$"
    assert told[0] == "^" and told[-1] == "$"
    clustered = replace(files, symbols={**files.symbols, "oʊ": (200,)}, clusters=("oʊ",))
    assert 200 in [number for symbol in symbols_of("Hello", LATIN, clustered) for number in symbol.ids]
    plain = replace(files, espeak="")
    told = [letters[number] for symbol in symbols_of("né e", LATIN, plain) for number in symbol.ids]
    assert "".join(told) == "^_n_e_ _e_$"  # a letter that the voice does not know is left out


def test_a_pronunciation_is_spoken_as_it_is_given(bring):
    bring()
    voice = lookup("hum")
    given = ENGINE.pronounce("/təˈmɑːtoʊ/", voice)
    utterance = ENGINE.speak(f"Say {given}, Bob.", voice)
    sounds = [phoneme.symbol for phoneme in utterance.phonemes if phoneme.symbol]
    assert sounds[2:9] == ["t", "ə", "m", "ɑː", "t", "o", "ʊ"]
    assert [phoneme.symbol for phoneme in utterance.phonemes if phoneme.stressed][1] == "m"
    say, tomato, bob = utterance.words
    assert (say.text, bob.text) == ("Say", "Bob.") and tomato.end_s - tomato.start_s > 0.5
    assert bob.start_s - tomato.end_s > 2 * HOP / RATE  # the comma
    assert ENGINE.pronounce("ʘ", voice) is None
    script = "<speak>A <phoneme ph='bɑb'>word</phoneme>.</speak>"
    with plan(VideoRequest(text=script, voice="hum", size="128x96")) as made:
        assert [p.symbol for p in made.speech.phonemes if p.symbol][-3:] == ["b", "ɑ", "b"]
        assert made.speech.words[-1].text == "word."


@pytest.mark.parametrize("language", ["en", "de", "fr", "ru", "hi", "ar", "cmn"])
def test_phonemes_know_their_word(language):
    sentences = json.loads((Path(__file__).parent / "data" / "speech_sentences.json").read_text("utf-8"))
    text = sentences.get(language) or sentences["en-US"]
    voice = next(v for v in (lookup(language),) if v.engine == "espeak")
    files = read_espeak(voice.identifier.partition("+")[0])
    places = [symbol.position for symbol in symbols_of(text, voice.scripts, files) if symbol.sounds]
    assert min(places) >= 0 and places == sorted(places)
    words = len(text.split()) if " " in text else 4
    assert len(set(places)) >= words - 1


def read_espeak(identifier):
    from avatalk.speech.piper_voices import PiperFiles

    letters = dict.fromkeys("abcdefghijklmnopqrstuvwxyz", (5,))
    return PiperFiles("x", "x", RATE, HOP, identifier, letters, (), (0.667, 1.0, 0.8), {})


def test_clauses_and_marks():
    clauses = phonemise("Yes, no; “maybe”… Really? 你好！", "gmw/en-US")
    assert [clause.mark for clause in clauses][:4] == [",", ";", ".", "?"]
    assert ["".join(word) for word in clauses[0].words] == ["jˈɛs"]
    assert phonemise("", "gmw/en-US") == [] or not any(c.words for c in phonemise("", "gmw/en-US"))


# --- the same words, the same sound ----------------------------------------------------------------


def test_the_noise_of_the_graph_is_still(bring, monkeypatch):
    bring()
    voice = lookup("hum")
    still = [ENGINE.speak("Hello there.", voice).sound.tobytes() for _ in range(3)]
    assert len(set(still)) == 1
    # Left as it is, the graph speaks differently every time.
    monkeypatch.setattr(piper_net, "_still_noise", lambda model: None)
    monkeypatch.setattr(loaded, "_held", type(loaded._held)())
    wild = [ENGINE.speak("Hello there.", voice).sound.tobytes() for _ in range(3)]
    assert len(set(wild)) > 1


def test_another_process_makes_the_same_sound_also_from_the_kept_conversion(bring):
    bring()
    code = (
        "import hashlib; from avatalk.speech.piper import Piper; from avatalk.speech.voices import lookup;"
        "print(hashlib.sha256(Piper().speak('Hello there.', lookup('hum')).sound.tobytes()).hexdigest())"
    )
    here = hashlib.sha256(ENGINE.speak("Hello there.", lookup("hum")).sound.tobytes()).hexdigest()
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert there.strip() == here


def test_a_voice_is_loaded_once(bring, monkeypatch):
    bring()
    bring("en_GB-choir-medium", "en_GB-choir-medium")
    loads, load = [], piper_net.load
    monkeypatch.setattr(piper_net, "load", lambda path: loads.append(path.stem) or load(path))
    for name in ("hum", "choir-p9", "choir-p10", "hum"):
        ENGINE.speak("Hello.", lookup(name))
    assert loads == ["en_US-hum-low", "en_GB-choir-medium"]


def test_speakers_differ(bring):
    bring("en_GB-choir-medium", "en_GB-choir-medium")
    one, two = (ENGINE.speak("Hello.", lookup(f"choir-{name}")).sound for name in ("p9", "p10"))
    assert one.tobytes() != two.tobytes()
    assert (
        ENGINE.speak("Hello.", lookup("choir")).sound == one
    ).all()  # the first is meant by the name alone


# --- names -----------------------------------------------------------------------------------------


def test_an_embedded_name_keeps_its_meaning(bring):
    bring("en_US-amy-medium")
    assert lookup("amy").engine == "espeak"
    for name in ("amy-medium", "en_US-amy-medium", "EN-US-Amy-Medium"):
        assert lookup(name).identifier == "en_US-amy-medium"
    assert lookup("amy-medium").name == "amy-medium"
    assert lookup("amy-medium").sex == "female"


def test_a_voice_that_is_not_here_says_how_to_get_it(bring, monkeypatch):
    with pytest.raises(EngineUnavailable) as caught:
        lookup("de_DE-kerstin-low")
    assert caught.value.hint.startswith("Run `avatalk models install piper:de_DE-kerstin-low`. Until then")
    piper_engine = engines.get("speech", "piper")
    assert piper_engine.to_get() == "avatalk models install piper:en_US-lessac-medium"
    bring()
    assert piper_engine.to_get() == ""
    missing = {"piper": ("openvino",)}
    monkeypatch.setattr(engines.Engine, "missing", lambda engine: missing.get(engine.name, ()))
    with pytest.raises(EngineUnavailable) as caught:
        lookup("en_US-hum-low")
    assert "pip install 'avatalk[piper]'" in caught.value.hint


def test_a_short_name_must_be_the_only_one(bring):
    bring("en_US-hum-low")
    assert lookup("hum").name == "hum"
    bring("en_US-hum-high")
    assert {voice.name for voice in ENGINE.voices()} == {"hum-low", "hum-high"}
    with pytest.raises(UnknownName) as caught:
        lookup("hum")
    assert "hum-high" in caught.value.hint and "hum-low" in caught.value.hint
    bring("en_GB-hum-low")
    assert {voice.name for voice in ENGINE.voices()} == {"en_us-hum-low", "hum-high", "en_gb-hum-low"}


def test_a_language_takes_the_better_voice(bring):
    assert lookup("de").engine == "espeak"
    bring("de_DE-kerstin-low")
    bring("de_DE-kerstin-medium")
    assert [lookup(name).name for name in ("de", "German", "de-AT")] == ["kerstin-medium"] * 3
    assert lookup("anna").engine == "espeak"


def test_without_a_name_an_installed_voice_of_the_right_sex_speaks(bring):
    def chosen(text, sex=""):
        return choose(None, text, Monitor(), sex).name

    assert chosen("Hello") == "amy"
    bring("en_US-ryan-medium")
    assert chosen("Hello") == "ryan" and chosen("Hello", "male") == "ryan"
    assert chosen("Hello", "female") == "amy"
    bring("en_GB-cori-medium")
    assert chosen("Hello", "female") == "cori" and chosen("Hello") == "ryan"
    bring("ru_RU-irina-medium")
    assert chosen("Привет") == "irina" and chosen("Привет", "male") == "dmitri"
    assert chosen("مرحبا") == "layla"


# --- files -----------------------------------------------------------------------------------------


def test_a_voice_without_a_card_asks_for_consent(bring):
    with pytest.raises(CannotRun) as caught:
        bring(licence="")
    assert "--accept-license" in caught.value.hint
    assert ENGINE.voices() == ()


@pytest.mark.parametrize(
    ("licence", "commercial"),
    [
        ("CC0", True),
        ("Public domain", True),
        ("https://creativecommons.org/licenses/by/4.0/", True),
        ("CC BY-SA 4.0", True),
        ("MIT", True),
        ("CC BY-NC-SA 4.0", False),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/", False),
        ("Blizzard 2013, research only", False),
        ("See URL", False),
    ],
)
def test_the_licence_is_that_of_the_card(tmp_path, licence, commercial):
    (tmp_path / "MODEL_CARD").write_text(CARD.format("x", licence), encoding="utf-8")
    model = piper_models.voice_model("piper:en_US-x-low", tmp_path)
    assert model.licence == licence and model.commercial is commercial


def test_commercial_work_does_not_see_other_voices(bring, monkeypatch):
    bring()
    path = models.folder("piper:en_US-hum-low") / "MODEL_CARD"
    monkeypatch.setenv("AVATALK_COMMERCIAL", "1")
    voice = lookup("hum")
    path.write_text(CARD.format("x", "CC BY-NC 4.0"), encoding="utf-8")
    assert ENGINE.voices() == ()
    with pytest.raises(CannotRun):
        ENGINE.speak("Hello.", voice)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda onnx: onnx.with_name(onnx.name + ".json").unlink(), "is missing"),
        (lambda onnx: onnx.with_name(onnx.name + ".json").write_text("{"), "not JSON"),
        (lambda onnx: onnx.with_name(onnx.name + ".json").write_text("{}"), "does not describe"),
        (lambda onnx: onnx.write_bytes(onnx.read_bytes()[:-5000]), "damaged"),
        (lambda onnx: onnx.write_bytes(b"<html>"), "damaged"),
        (lambda onnx: onnx.unlink(), "cannot be read|damaged"),
    ],
)
def test_what_is_brought_and_is_no_voice(shelf, tmp_path, spoil, words):
    for file in shelf.glob("en_US-hum-low*"):
        shutil.copy(file, tmp_path)
    spoil(tmp_path / "en_US-hum-low.onnx")
    with pytest.raises(UnreadableFile, match=words):
        models.import_file(tmp_path / "en_US-hum-low.onnx")
    assert ENGINE.voices() == ()


def test_symbols_of_a_kind_that_is_not_made_here_are_told(bring):
    with pytest.raises(UnreadableFile, match="pinyin"):
        bring(phoneme_type="pinyin")


def test_a_voice_under_another_name(shelf):
    models.import_file(shelf / "en_US-hum-low.onnx.json", name="piper:my.voice", accept_licence=True)
    assert [voice.name for voice in ENGINE.voices()] == ["my.voice"]
    assert lookup("my.voice").language == "en-US"
    assert models.remove("piper:my.voice") and ENGINE.voices() == ()


# --- fetched ---------------------------------------------------------------------------------------


@pytest.fixture
def hub(shelf, tmp_path, monkeypatch):
    """A hub with one voice."""
    folder = tmp_path / "hub" / "en" / "en_US" / "hum" / "low"
    folder.mkdir(parents=True)
    for file in shelf.glob("en_US-hum-low*"):
        shutil.copy(file, folder)
    (folder / "MODEL_CARD").write_text(CARD.format("hum", "CC0"), encoding="utf-8")
    monkeypatch.setattr(piper_models, "_HUB", (tmp_path / "hub").as_uri() + "/")
    return folder


def test_a_voice_of_the_hub_is_fetched_by_name_and_its_checksum_recorded(hub):
    done = CliRunner().invoke(app, ["models", "install", "piper:en_US-hum-low"])
    assert done.exit_code == 0, done.output
    sha256 = hashlib.sha256((hub / "en_US-hum-low.onnx").read_bytes()).hexdigest()
    assert sha256 in done.output and "checksum" in done.output
    assert lookup("hum").licence == "CC0"
    assert models.verify("piper:en_US-hum-low") == []
    file = models.folder("piper:en_US-hum-low") / "en_US-hum-low.onnx"
    data = bytearray(file.read_bytes())
    data[-100] ^= 1
    file.write_bytes(data)
    assert models.verify("piper:en_US-hum-low") == ["en_US-hum-low.onnx"]
    assert "piper:en_US-hum-low" in [model.name for model in models.list_models()]


def test_the_licence_is_known_before_anything_large_is_fetched(hub):
    (hub / "MODEL_CARD").write_text(CARD.format("hum", "CC BY-NC-SA 4.0"), encoding="utf-8")
    with pytest.raises(CannotRun, match="CC BY-NC-SA"):
        models.install("piper:en_US-hum-low")
    assert not (models.folder("piper:en_US-hum-low") / "en_US-hum-low.onnx").exists()
    models.install("piper:en_US-hum-low", accept_licence=True)
    assert lookup("hum").engine == "piper"


def test_what_is_not_on_the_hub(hub, monkeypatch):
    with pytest.raises(ModelUnavailable, match="en_US-nobody-low"):
        models.install("piper:en_US-nobody-low")
    with pytest.raises(UnknownName, match="amy"):
        models.install("piper:amy")
    monkeypatch.setenv("AVATALK_OFFLINE", "1")
    with pytest.raises(ModelUnavailable, match="AVATALK_OFFLINE"):
        models.install("piper:en_US-hum-low")


def test_a_known_checksum_is_checked(hub, monkeypatch):
    monkeypatch.setitem(piper_models._KNOWN, "en_US-hum-low.onnx", (0, "0" * 64))
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        models.install("piper:en_US-hum-low")
    assert ENGINE.voices() == ()


def test_a_voice_that_has_gone_says_how_to_get_it(bring):
    bring()
    voice = lookup("hum")
    models.remove("piper:en_US-hum-low")
    with pytest.raises(EngineUnavailable) as caught:
        ENGINE.speak("Hello.", voice)
    assert "avatalk models install piper:en_US-hum-low" in caught.value.hint


def test_pauses_are_where_the_marks_are(bring):
    bring()
    utterance = ENGINE.speak("One, two; three.", lookup("hum"))
    for word, following in pairwise(utterance.words):
        assert following.start_s - word.end_s > 2 * HOP / RATE
    assert np.diff([phoneme.start_s for phoneme in utterance.phonemes]).min() > 0
