from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
import tracemalloc
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Event

import numpy as np
import pyloudnorm
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from avatalk.errors import Cancelled, EngineUnavailable, OutputError, SpeechError, UnknownName
from avatalk.events import Monitor, Progress
from avatalk.media import Phoneme, Speech, Word
from avatalk.request import VideoRequest
from avatalk.speech.base import Utterance
from avatalk.speech.columns import Columns
from avatalk.speech.espeak import Espeak
from avatalk.speech.espeak_voices import espeak_voices
from avatalk.speech.ipa import clean_symbol
from avatalk.speech.perform import perform
from avatalk.speech.scripts import scripts_in
from avatalk.speech.sentences import _sentences
from avatalk.speech.spoken import spoken_form
from avatalk.speech.synthesis import HEAD_S, TAIL_S, speak
from avatalk.speech.text import LONGEST, PARAGRAPH_PAUSE_S, SENTENCE_PAUSE_S, check_speakable, pieces
from avatalk.speech.voices import DEFAULT, choose, lookup, voices_for_script
from avatalk.speech.words import Mark, speakable, timed_words

SENTENCES: dict[str, str] = json.loads(
    (Path(__file__).parent / "data" / "speech_sentences.json").read_text("utf-8")
)
SAMPLES = _sentences()
ENGINE = Espeak()


def say(text: str, voice: str = DEFAULT, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
    return ENGINE.speak(text, lookup(voice), speed, pitch)


def spoken(text: str, folder: Path, voice: str | None = DEFAULT, **options: float) -> Speech:
    return speak(text, voice, options.get("speed", 1.0), options.get("pitch", 1.0), folder, Monitor())


def level(sound: np.ndarray, start_s: float, end_s: float, rate: int = 22050) -> float:
    part = sound[round(start_s * rate) : round(end_s * rate)]
    return float(np.sqrt(np.mean(np.square(part)))) if len(part) else 0.0


def f0(sound: np.ndarray, rate: int = 22050) -> float:
    """Median fundamental frequency of the voiced parts, by autocorrelation."""
    found = []
    for start in range(0, len(sound) - 1200, 300):
        part = sound[start : start + 1200]
        if np.sqrt(np.mean(part**2)) > 0.03:
            correlation = np.correlate(part, part, "full")[1199:]
            lowest, highest = rate // 420, rate // 60
            lag = lowest + int(correlation[lowest:highest].argmax())
            if correlation[lag] > 0.5 * correlation[0]:
                found.append(rate / lag)
    return float(np.median(found))


# --- the engine ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", SENTENCES)
def test_every_language_speaks_its_sentence(language):
    voice = lookup(language)
    assert voice.language.lower() == language.lower()
    sentence = SENTENCES[language]
    utterance = ENGINE.speak(sentence, voice)
    assert 0.5 < utterance.duration_s < 8
    assert level(utterance.sound, 0, utterance.duration_s) > 0.02
    phonemes, words = utterance.phonemes, utterance.words
    assert phonemes is not None
    assert words is not None
    assert phonemes[0].start_s == 0
    assert phonemes[-1].end_s == pytest.approx(utterance.duration_s)
    for one, two in pairwise(phonemes):
        assert one.start_s < one.end_s == two.start_s
        assert one.symbol or two.symbol
    for phoneme in phonemes:
        assert all(char.isalpha() or unicodedata.combining(char) or char in "ː" for char in phoneme.symbol)
        assert not set("ˈˌ") & set(phoneme.symbol)
    assert "".join(word.text for word in words).replace(" ", "") == sentence.replace(" ", "")
    assert len(words) >= 2
    for word in words:
        assert word.start_s < word.end_s
        assert level(utterance.sound, word.start_s, word.end_s) > 0.01
    assert all(one.end_s <= two.start_s + 1e-9 for one, two in pairwise(words))


def test_there_are_at_least_forty_languages_in_many_scripts():
    assert len(SENTENCES) >= 40
    assert len({script for text in SENTENCES.values() for script in scripts_in(text)}) >= 20


@pytest.mark.parametrize("voice", ["amy", "brian", "anna", "lukas"])
@pytest.mark.parametrize("speed", [0.6, 1.0, 1.7])
def test_a_vowel_begins_when_its_energy_does(voice, speed):
    utterance = say("Apa, apa! Apa; apa.", voice, speed)
    assert utterance.phonemes is not None
    onsets = [
        two.start_s
        for one, two in pairwise(utterance.phonemes)
        if not one.symbol and one.end_s - one.start_s > 0.05 and two.symbol[:1] in set("aɑɐæəʌɒ")
    ]
    assert len(onsets) >= 2
    for onset in onsets:
        assert level(utterance.sound, onset - 0.02, onset - 0.004) < 0.01
        assert level(utterance.sound, onset, onset + 0.03) > 0.05


@pytest.mark.parametrize("voice", ["amy", "brian", "lucia"])
def test_lips_are_closed_through_the_silence_of_p_and_open_after_m(voice):
    utterance = say("papa mama papa mama", voice)
    phonemes = utterance.phonemes
    assert phonemes is not None
    loudest = max(level(utterance.sound, p.start_s, p.end_s) for p in phonemes)
    stops = [p for p in phonemes[2:] if p.symbol == "p"]
    assert len(stops) == 3
    for stop in stops:
        assert stop.end_s - stop.start_s > 0.05  # closure and burst, not the burst alone
        assert level(utterance.sound, stop.start_s + 0.004, stop.start_s + 0.02) < 0.03 * loudest
    for nasal, vowel in pairwise(phonemes):
        if nasal.symbol == "m" and vowel.symbol:
            # After the 10 ms in which the vowel before dies away.
            murmur = level(utterance.sound, nasal.start_s + 0.01, nasal.start_s + 0.03)
            assert level(utterance.sound, nasal.end_s - 0.016, nasal.end_s - 0.006) < 1.5 * murmur
            assert level(utterance.sound, vowel.start_s + 0.006, vowel.start_s + 0.03) > 1.5 * murmur


def test_word_times_follow_the_pauses():
    utterance = say("Hello, world. Good morning!")
    assert utterance.words is not None
    texts = [word.text for word in utterance.words]
    assert texts == ["Hello,", "world.", "Good", "morning!"]
    hello, world, good, _ = utterance.words
    for before, after in ((hello, world), (world, good)):
        assert after.start_s - before.end_s > 0.1
        assert level(utterance.sound, before.end_s + 0.02, after.start_s - 0.02) < 0.005


def test_speed_changes_duration_and_pitch_does_not():
    text = "The quick brown fox jumps over the lazy dog and runs away."
    normal = say(text).duration_s
    for speed in (0.5, 0.75, 1.5, 2.0):
        assert say(text, speed=speed).duration_s == pytest.approx(normal / speed, rel=0.12)
    for pitch in (0.5, 2.0):
        assert say(text, pitch=pitch).duration_s == pytest.approx(normal, rel=0.03)


@pytest.mark.parametrize("voice", ["amy", "brian", "emma", "george"])
def test_pitch_is_a_factor_on_the_fundamental(voice):
    text = "Mama, a minor lemon merely grew along a river in a yellow morning."
    own = f0(say(text, voice).sound)
    assert (150 < own < 260) if lookup(voice).sex == "female" else (75 < own < 140)
    for pitch in (0.75, 0.9, 1.15, 1.4):
        assert f0(say(text, voice, pitch=pitch).sound) == pytest.approx(own * pitch, rel=0.06)
    assert f0(say(text, voice, pitch=0.5).sound) < 0.65 * own
    assert f0(say(text, voice, pitch=2.0).sound) > 1.7 * own


def test_a_sentence_sounds_the_same_whatever_was_said_before():
    text = "The same words, the same sound."
    first = {voice: say(text, voice) for voice in ("amy", "brian", "mei")}
    say("Something else, at length, in German.", "anna", 1.3, 0.8)
    for voice, utterance in first.items():
        again = say(text, voice)
        assert np.array_equal(again.sound, utterance.sound)
        assert (again.phonemes, again.words) == (utterance.phonemes, utterance.words)


def test_a_sentence_sounds_the_same_in_another_process():
    code = (
        "import hashlib; from avatalk.speech.espeak import Espeak; from avatalk.speech.voices import lookup;"
        "sounds = [Espeak().speak('One, two, three.', lookup(v)).sound.tobytes() for v in {voices}];"
        "print(hashlib.sha256(b''.join(sounds)).hexdigest())"
    ).format(voices=["amy", "brian", "grace", "max"])
    answers = {
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout for _ in range(3)
    }
    assert len(answers) == 1


def test_threads_do_not_disturb_each_other():
    texts = [f"Number {n} is {'quite ' * (n % 5)}fine." for n in range(12)]
    alone = [say(text).sound for text in texts]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda text: say(text).sound, texts))
    assert all(np.array_equal(one, two) for one, two in zip(alone, together, strict=True))


def test_a_text_without_sound_is_refused():
    with pytest.raises(SpeechError, match="no sound"):
        say("—")


@pytest.mark.parametrize(
    ("name", "symbol", "stressed"),
    [
        ("ˈoʊ", "oʊ", True),
        ("ˌɪ", "ɪ", False),
        ("", "", False),
        ("(en)", "", False),
        ("s.", "ʂ", False),
        ("ˈi5", "i", True),
        ("g", "ɡ", False),
        ("ç", "ç", False),
        ("ɑ̃ː", "ɑ̃ː", False),
        ("n#", "n", False),
    ],
)
def test_phoneme_names_become_ipa(name, symbol, stressed):
    assert clean_symbol(name) == (unicodedata.normalize("NFD", symbol).replace("c\u0327", "ç"), stressed)


# --- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("voice", "text", "words"),
    [
        ("amy", "Hi 😀 there, “dear” friend…", ["Hi 😀", "there,", "“dear”", "friend…"]),
        ("amy", "It's O'Brien’s co-op — ok?", ["It's", "O'Brien’s", "co-op —", "ok?"]),
        (
            "amy",
            "$1,234.50 by 10:30 (on 3/4/24), e.g.",
            ["$1,234.50", "by", "10:30", "(on", "3/4/24),", "e.g."],
        ),
        ("anna", "Über 10,5 km.", ["Über", "10,5", "km."]),
        ("natasha", "«Привет», мир!", ["«Привет»,", "мир!"]),
        ("minji", "안녕하세요 세계", ["안녕하세요", "세계"]),
        ("layla", "مرحبا بالعالم", ["مرحبا", "بالعالم"]),
    ],
)
def test_words_are_as_written(voice, text, words):
    utterance = say(text, voice)
    assert utterance.words is not None
    assert [word.text for word in utterance.words] == words


def test_chinese_words_cover_the_text_with_its_punctuation():
    text = "你好，世界。我用Python写（很多）程序！"
    words = say(text, "mei").words
    assert words is not None
    assert "".join(word.text for word in words) == text
    assert 6 < len(words) < len(text)
    assert "Python" in [word.text for word in words]


def test_unmarked_words_share_the_time_of_the_one_before():
    marks = [Mark(0, 0.0, 1.0), Mark(8, 1.0, 2.0)]
    words = timed_words("ab cdef gh", marks)
    assert [word.text for word in words] == ["ab", "cdef", "gh"]
    assert [word.start_s for word in words] == pytest.approx([0, 1 / 3, 1])
    assert [word.end_s for word in words] == pytest.approx([1 / 3, 1, 2])


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=60), positions=st.lists(st.integers(-2, 70), max_size=9))
def test_words_hold_the_whole_text_in_order(text, positions):
    marks = [Mark(position, n * 1.0, n + 0.9) for n, position in enumerate(positions)]
    words = timed_words(text, marks)
    if any(map(speakable, text)) and marks:
        kept = "".join(word.text for word in words)
        bare = str.maketrans("", "", "\u200b")
        assert "".join(kept.split()).translate(bare) == "".join(text.split()).translate(bare)
        assert all(one.end_s <= two.start_s + 1e-9 for one, two in pairwise(words))
    else:
        assert words == ()


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=40))
@example("👩‍👩‍👧 ok ☎️")
@example("a\x01b\x00c")
@example("ＡＢ１")
def test_the_spoken_form_keeps_every_position(text):
    form = spoken_form(text, ("Latin",))
    assert len(form) == len(text)
    assert not any(unicodedata.category(char) in ("Cc", "Co", "Cs", "Cn") for char in form)


# --- sentences -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello there. How are you? Fine!", ["Hello there.", "How are you?", "Fine!"]),
        ("Dr. Smith paid $3.50 to J. R. Hill on Jan. 5. Good.", None),
        ("I live in the U.S. It is big.", ["I live in the U.S.", "It is big."]),
        ("We met at 5 p.m. and left.", ["We met at 5 p.m. and left."]),
        ("Open from 5 p.m. 7 days a week.", ["Open from 5 p.m. 7 days a week."]),
        (
            "See fig. 3 and no. 4. He said no. Then he left.",
            ["See fig. 3 and no. 4. He said no.", "Then he left."],
        ),
        ("“Stop!” he said. “Why?” She left.", ["“Stop!” he said.", "“Why?”", "She left."]),
        ("Well... maybe. Well... Maybe.", ["Well... maybe.", "Well...", "Maybe."]),
        ("Das ist z.B. gut. Am 3. Mai kam er.", ["Das ist z.B. gut.", "Am 3. Mai kam er."]),
        ("El Sr. García vive aquí. Y la Sra. Ruiz.", ["El Sr. García vive aquí.", "Y la Sra. Ruiz."]),
        ("He met John Smith Sr. Then he left.", ["He met John Smith Sr.", "Then he left."]),
        ("Tel. 030/12, Hauptstr. 5. Ca. 5 Leute.", ["Tel. 030/12, Hauptstr. 5. Ca. 5 Leute."]),
        ("Il sig. Rossi. Lo ing. Verdi.", ["Il sig. Rossi.", "Lo ing. Verdi."]),
        ("你好。“真的吗？”是的！好", ["你好。", "“真的吗？”", "是的！", "好"]),
        ("كيف حالك؟ أنا بخير.", ["كيف حالك؟", "أنا بخير."]),
        ("यह घर है। वह पेड़ है।", ["यह घर है।", "वह पेड़ है।"]),
        ("Title\nFirst line\nSecond line", ["Title", "First line", "Second line"]),
        ("One.\n\n\n  Two", ["One.", "Two"]),
        ("...\nHm. — ! ?", ["Hm."]),
    ],
)
def test_sentences(text, parts):
    found = [piece.text for piece in pieces(text)]
    assert found == (parts or ["Dr. Smith paid $3.50 to J. R. Hill on Jan. 5. Good."])


def test_a_line_that_was_only_wrapped_goes_on():
    text = "This line of a long letter was wrapped by an editor at\nSeventy columns, more or less. End."
    assert [piece.text for piece in pieces(text)] == [text[:-5].replace("\n", " "), "End."]


def test_pauses_are_longer_between_paragraphs():
    pauses = [piece.pause_s for piece in pieces("One. Two...\n\nThree. " + "word " * 60 + "end.")]
    assert pauses[0] == SENTENCE_PAUSE_S
    assert pauses[1] == PARAGRAPH_PAUSE_S
    assert min(pauses) < SENTENCE_PAUSE_S < PARAGRAPH_PAUSE_S == pauses[-1]


def test_long_sentences_are_cut_at_clauses():
    text = "This part goes on for quite a while without end, " * 12 + "and stops."
    found = list(pieces(text))
    assert len(found) > 2
    assert all(piece.text.endswith(("end,", "stops.")) for piece in found)
    assert {piece.sentence for piece in found} == {0}


alphabet = st.sampled_from(
    [*"ab cd Ef  .,!?…;:—()\"'\n\n", "3", "é", "你", "。", "？", "ن", "؟", "है", "।", "😀", "\u200d"]
)
any_text = st.one_of(st.text(max_size=300), st.lists(alphabet, max_size=900).map("".join))


@settings(max_examples=200, deadline=None)
@given(text=any_text)
def test_pieces_lose_nothing_that_is_spoken(text):
    found = list(pieces(text))
    kept = [char for piece in found for char in piece.text if speakable(char)]
    assert kept == [char for char in text if speakable(char)]
    assert all(0 < len(piece.text) <= LONGEST and any(map(speakable, piece.text)) for piece in found)
    assert [piece.end for piece in found] == sorted(piece.end for piece in found)
    numbers = [piece.sentence for piece in found]
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(len(set(numbers))))
    if not found:
        with pytest.raises(SpeechError) as caught:
            check_speakable(text)
        assert caught.value.field == "text"


# --- voices ----------------------------------------------------------------------------------------


def test_voices_have_short_unique_names_and_every_language_has_both_sexes():
    voices = espeak_voices()
    names = [voice.name for voice in voices]
    assert len(names) == len(set(names)) > 200
    assert len({voice.language for voice in voices}) > 120
    for language in {voice.language for voice in voices}:
        assert {voice.sex for voice in voices if voice.language == language} == {"female", "male"}
    assert all(len(name) <= 22 and name == name.lower() for name in names)
    assert all(voice.engine == "espeak" and voice.licence and voice.description for voice in voices)


@pytest.mark.parametrize(
    ("name", "language", "identifier"),
    [
        ("amy", "en-US", None),
        ("BRIAN", "en-US", None),
        ("en", "en-US", None),
        ("en-gb", "en-GB", None),
        ("de_AT", "de", None),
        ("German", "de", None),
        ("english", "en-US", None),
        ("zh-CN", "cmn", None),
        ("no", "nb", None),
        ("pt-PT", "pt", None),
        ("sw", "sw", "bnt/sw"),
        ("gmw/de", "de", "gmw/de"),
        ("gmw/en-US+f4", "en-US", "gmw/en-US+f4"),
        ("de+annie", "de", "gmw/de+Annie"),
    ],
)
def test_a_voice_is_found_by_name_language_or_identifier(name, language, identifier):
    voice = lookup(name)
    assert voice.language == language
    assert identifier in (None, voice.identifier)


@pytest.mark.parametrize(
    ("name", "near"),
    [("ammy", "amy"), ("lucas", "lukas"), ("germann", "german"), ("qqqq", ""), ("de+nobody", "")],
)
def test_an_unknown_voice_is_told_with_the_nearest(name, near):
    with pytest.raises(UnknownName) as caught:
        lookup(name)
    assert near in caught.value.hint
    assert "avatalk voices" in caught.value.hint
    assert caught.value.field == "voice"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello", "en-US"),
        ("Привет", "ru"),
        ("مرحبا", "ar"),
        ("नमस्ते", "hi"),
        ("你好", "cmn"),
        ("おはよう", "ja"),
        ("42", "en-US"),
        ("我用 Python 写代码。", "cmn"),
        ("我用 Microsoft PowerPoint。", "cmn"),
        ("Я люблю Microsoft PowerPoint.", "ru"),
        ("An alpha (α) and an omega (ω) stand at its two ends.", "en-US"),
    ],
)
def test_without_a_name_the_voice_follows_the_script(text, language):
    monitor = Monitor()
    assert choose(None, text, monitor).language == language
    assert len(monitor.warnings) == (language != "en-US")


# --- the whole stage -------------------------------------------------------------------------------


def test_speech_is_one_file_with_everything_timed(tmp_path):
    text = "Hello there, my friend. How are you?\n\nI am fine."
    speech = spoken(text, tmp_path)
    clip = speech.audio
    sound = np.concatenate(list(clip.blocks(clip.sample_rate)))[:, 0]
    assert [path.name for path in tmp_path.iterdir()] == [clip.path.name]
    assert len(sound) == round(clip.duration_s * clip.sample_rate)
    assert speech.phonemes is not None
    assert speech.words is not None
    assert [word.text for word in speech.words] == text.split()
    assert [word.sentence for word in speech.words] == [0] * 4 + [1] * 3 + [2] * 3
    first, last = speech.phonemes[0], speech.phonemes[-1]
    assert (first.symbol, first.start_s, last.symbol) == ("", 0.0, "")
    assert first.end_s >= HEAD_S - 0.08  # a first stop is closed a little before it is heard
    assert last.end_s == pytest.approx(clip.duration_s)
    assert last.end_s - last.start_s >= TAIL_S
    for one, two in pairwise(speech.phonemes):
        assert one.start_s < one.end_s == pytest.approx(two.start_s)
        assert one.symbol or two.symbol
    assert np.abs(sound[: round(HEAD_S * clip.sample_rate) - 1]).max() == 0
    for word in speech.words:
        assert level(sound, word.start_s, word.end_s) > 0.02
    friend, how, you, fine = (speech.words[index] for index in (3, 4, 6, 7))
    assert 0.25 < how.start_s - friend.end_s < 0.45
    assert 0.5 < fine.start_s - you.end_s < 0.75


@pytest.mark.parametrize("voice", ["amy", "brian", "grace", "max", "anna", "lucia", "mei", "sw", "sw-f"])
def test_level_is_even_and_never_clips(tmp_path, voice):
    language = lookup(voice).language
    speech = spoken(SENTENCES[language] * 3, tmp_path, voice)
    sound = np.concatenate(list(speech.audio.blocks(22050)))[:, 0]
    assert np.abs(sound).max() < 0.9
    assert pyloudnorm.Meter(22050).integrated_loudness(sound.astype(float)) == pytest.approx(-16, abs=0.4)


def test_the_same_text_makes_the_same_file(tmp_path, monkeypatch):
    files = []
    for name in ("one", "two"):
        monkeypatch.setattr("avatalk.speech.cache.folder", lambda name=name: tmp_path / f"cache {name}")
        (tmp_path / name).mkdir()
        files.append(spoken("First. Second, third!", tmp_path / name, speed=1.1, pitch=0.9).audio.path)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("text", "voice", "said"),
    [
        ("", None, "empty"),
        (" \n\t ", None, "empty"),
        ("... — !?", None, "no letters"),
        ("😀😀", None, "no letters"),
        ("你好世界", "amy", "written in Han"),
        ("Привет, мир", "brian", "written in Cyrillic"),
        ("今日は", "yuki", "written in Han"),
        ("Ⲡⲉⲛⲓⲱⲧ", "amy", "written in Coptic"),
    ],
)
def test_text_that_cannot_be_spoken(tmp_path, text, voice, said):
    with pytest.raises(SpeechError, match=said) as caught:
        spoken(text, tmp_path, voice)
    assert (caught.value.stage, caught.value.field) == ("speech", "text")
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


LATIN: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "data" / "latin_sentences.json").read_text("utf-8")
)


@pytest.mark.parametrize("language", sorted(LATIN.keys() - {"en"}))
def test_the_language_of_latin_letters_is_told_by_words(language):
    spoken = next(SAMPLES[tag] for tag in (language, f"{language}-br") if tag in SAMPLES)
    for text in (*LATIN[language], spoken, " ".join(LATIN[language])):
        monitor = Monitor()
        assert choose(None, text, monitor).language == language, text
        assert "seems to be" in monitor.warnings[0] and "--language" in monitor.warnings[0]


@pytest.mark.parametrize("text", [*LATIN["en"], "", "Danke", "Guten Tag", " ".join(LATIN["en"])])
def test_what_may_be_english_is_english_without_a_word(text):
    monitor = Monitor()
    assert (choose(None, text, monitor).language, monitor.warnings) == ("en-US", [])


@pytest.mark.parametrize("text", ["我用 Python 写代码。", "Я люблю Microsoft PowerPoint."])
def test_english_names_are_no_reason_to_refuse_a_text(tmp_path, text):
    assert len(speak(text, None, 1.0, 1.0, tmp_path, Monitor()).words or ()) >= 4


@pytest.mark.parametrize(
    ("name", "tag"),
    [("German", "de"), ("norwegian", "nb"), ("Chinese", "cmn"), ("English", "en-US"), ("portuguese", "pt")],
)
def test_a_language_may_be_given_by_its_english_name(tmp_path, name, tag):
    language = VideoRequest(text="1 2 3", language=name).language
    assert perform("1 2 3", tmp_path, Monitor(), language=language).language == tag


@pytest.mark.parametrize(("name", "near"), [("germen", "german"), ("spansh", "spanish")])
def test_languages_of_many_speakers_are_guessed_first(name, near):
    with pytest.raises(UnknownName) as caught:
        choose(None, "Hello", Monitor(), language=name)
    assert f"Did you mean {near}" in caught.value.hint


@pytest.mark.parametrize("name", ["lessac", "Ryan"])
def test_a_well_known_voice_that_is_not_installed_is_told_how_to_get(name):
    with pytest.raises(EngineUnavailable) as caught:
        lookup(name)
    assert f"avatalk models install piper:en_US-{name.lower()}-" in caught.value.hint


@pytest.mark.parametrize("name", ["yourtts", "XTTS", "female-en-5"])
def test_voices_without_their_weights_are_told_how_to_get_and_what_speaks_instead(name):
    with pytest.raises(EngineUnavailable) as caught:
        lookup(name)
    engine = "xtts" if name == "XTTS" else "yourtts"
    assert f"avatalk models install {engine}" in caught.value.hint
    assert "embedded voice speaks if you leave out the voice" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("am", "Hi", True),
        ("no", "Hi there my friend, how are you today?", True),
        ("de", "Hi there my friend, how are you today?", True),
        ("zh", "Hi there my friend, how are you today?", True),
        ("ingrid", "Hi there my friend, how are you today?", False),
        ("amy", "Hi", False),
        ("en", "Hi there my friend, how are you today?", False),
        ("am", "ሰላም", False),
        ("no", "Det er en fin dag i dag, og jeg liker den ikke.", False),
        ("de", "Guten Tag", False),
        ("pt", "Bom dia, meu amigo, como vai você hoje?", False),
        ("zh", "你好", False),
    ],
)
def test_a_word_that_is_taken_for_a_language_is_told(name, text, told):
    choose(name, text, monitor := Monitor())
    assert [f"“{name}” is taken for the language" in warning for warning in monitor.warnings] == [True] * told


def test_voices_of_common_languages_are_named_first():
    names = [voice.name for voice in voices_for_script("Cyrillic")]
    assert names[:4] == ["natasha", "dmitri", "elena", "boris"]
    assert names.index("oksana") < names.index("ba")


def test_the_hint_names_voices_of_the_script(tmp_path):
    with pytest.raises(SpeechError) as caught:
        spoken("Привет", tmp_path)
    assert "natasha" in caught.value.hint


def test_stray_foreign_letters_are_left_out_with_a_warning(tmp_path):
    monitor = Monitor()
    speech = speak("Hello 你 world and everybody else", "amy", 1.0, 1.0, tmp_path, monitor)
    assert "Han" in monitor.warnings[0]
    assert speech.audio.duration_s < 3.2  # and no "Chinese letter" is spoken
    assert speech.words is not None
    assert " ".join(word.text for word in speech.words) == "Hello 你 world and everybody else"


def test_a_sentence_without_sound_does_not_spoil_the_rest(tmp_path):
    monitor = Monitor()
    speech = speak("Hello there. ⅛. Goodbye.", "amy", 1.0, 1.0, tmp_path, monitor)
    assert speech.words is not None
    assert [word.text for word in speech.words] == ["Hello", "there.", "Goodbye."]
    assert "no sound" in monitor.warnings[0]
    with pytest.raises(SpeechError, match="no sound"):
        spoken("⅛.", tmp_path)


def test_progress_cancellation_and_a_folder_that_is_not_there(tmp_path):
    steps: list[Progress] = []
    text = "One sentence. " * 5
    speak(text, "amy", 1.0, 1.0, tmp_path, Monitor(on_progress=steps.append))
    done = [step.done for step in steps]
    assert len(done) == 5
    assert done == sorted(done)
    assert done[-1] >= len(text) - 1
    assert {step.total for step in steps} == {len(text)}
    stop = Event()
    stop.set()
    with pytest.raises(Cancelled):
        speak(text, "amy", 1.0, 1.0, tmp_path, Monitor(cancelled=stop))
    with pytest.raises(OutputError, match="does not exist"):
        spoken("Hello", tmp_path / "nowhere")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk(tmp_path):
    (tmp_path / "speech.wav").symlink_to("/dev/full")
    with pytest.raises(OutputError, match="no space") as caught:
        spoken("Hello there. " * 9, tmp_path)
    assert "space" in caught.value.hint


def test_memory_does_not_grow_with_the_sound(tmp_path):
    code = (
        "import resource, sys; from pathlib import Path; from avatalk.events import Monitor;"
        "from avatalk.speech.synthesis import speak;"
        "speech = speak('A sentence of nine words is said once more. ' * int(sys.argv[1]), 'amy', 1, 1,"
        " Path(sys.argv[2]), Monitor());"
        "print(speech.audio.duration_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    found = []
    for count in (10, 250):
        command = [sys.executable, "-c", code, str(count), str(tmp_path)]
        seconds, size = subprocess.run(command, check=True, capture_output=True).stdout.split()
        found.append((float(seconds), int(size) * (1 if sys.platform == "darwin" else 1024)))
    assert found[1][0] > 20 * found[0][0]
    assert found[1][1] - found[0][1] < 8e6


def test_phonemes_and_words_are_kept_in_few_bytes_and_come_out_as_they_were(tmp_path):
    speech = spoken("One two, three. 甲 and “one two” again.", tmp_path)
    for kind, kept in ((Phoneme, speech.phonemes), (Word, speech.words)):
        items = tuple(kept)
        assert len(items) > 5
        assert kept == items
        assert kept == Columns(kind, items)
        assert kept != items[:-1]
        assert kept[-1] == items[-1]
        assert kept[1:4] == items[1:4]
        with pytest.raises(IndexError):
            kept[len(items)]
    assert any(phoneme.stressed is True for phoneme in speech.phonemes)

    tracemalloc.start()
    many = Columns(
        Word, (Word(f"w{i % 100}", i * 0.3, i * 0.3 + 0.2, i // 9, i % 2 == 0) for i in range(20000))
    )
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 32 * len(many)
    assert many[12345] == Word("w45", 12345 * 0.3, 12345 * 0.3 + 0.2, 1371, False)


def test_the_library_leaves_nothing_behind_for_each_length_of_sound():
    def types() -> int:
        gc.collect()
        return sum(isinstance(thing, type) for thing in gc.get_objects())

    say("Hello.")
    before = types()
    for count in range(1, 12):
        say("one two " * count)
    assert types() - before < 5  # eleven lengths; other threads and libraries may make or drop one


def test_emoji_are_no_part_of_the_words(tmp_path):
    speech = speak("Bye 😀. I ❤️ you 👩🏽‍🚀, ok?", "amy", 1.0, 1.0, tmp_path, Monitor())
    assert [word.text for word in speech.words or ()] == ["Bye.", "I", "you,", "ok?"]


def test_who_mixes_scripts_is_told_how_to_mark_them(tmp_path):
    text = "Hello, world. 你好世界。 مرحبا"
    with pytest.raises(SpeechError, match="Arabic") as caught:
        perform(text, tmp_path, Monitor())
    mark = re.search(r'<lang xml:lang="ar">', str(caught.value.hint))
    assert mark is not None
    speech = perform(text.replace("مرحبا", f"{mark[0]}مرحبا</lang>"), tmp_path, Monitor())
    assert [word.text for word in speech.words or ()][-1] == "مرحبا"
