from __future__ import annotations

import re
from itertools import pairwise

import av
import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.compose.captioning import find_cues
from avatalk.compose.cues import CHARACTERS_PER_S, LINE, SHIFT_S, characters, cues_of
from avatalk.compose.phrases import (
    ANYWHERE,
    CLAUSE,
    HANGING,
    INSIDE,
    PHRASE,
    break_costs,
    clusters,
    in_units,
    width,
)
from avatalk.events import Monitor
from avatalk.media import Cue, Speech, Word
from avatalk.speech.align import recorded
from avatalk.speech.synthesis import speak
from avatalk.speech.text import pieces
from avatalk.video.sidecar import to_srt, to_vtt

STORY = (
    "Good evening. The quick brown fox jumps over the lazy dog; how are you today, my dear old friend, and "
    "what shall we do with all this wonderful time? I am very well, thank you. Go. No. Yes.\n\n"
    "A new paragraph begins here, and it is a little longer than the one before, so that it needs some cues."
)

SPOKEN = {
    "amy": (
        "The committee met on Tuesday in the old town hall, and after a long discussion about the "
        "budget it decided to build a new library next to the river. Dr. Smith said that nobody had "
        "expected such a result. Why not? The work will begin in 2027 and take about 18 months, if "
        "the weather allows it. Mary Jane Watson, who has lived in New York for twenty years, "
        "welcomed the decision with a smile."
    ),
    "es": (
        "El comité se reunió el martes en el antiguo ayuntamiento y, después de una larga discusión "
        "sobre el presupuesto, decidió construir una nueva biblioteca junto al río. Nadie esperaba "
        "un resultado así. ¿Por qué no? Las obras comenzarán el próximo año y durarán unos dieciocho "
        "meses, si el tiempo lo permite."
    ),
    "hi": (
        "समिति की बैठक मंगलवार को पुराने नगर भवन में हुई, और बजट पर लंबी चर्चा के बाद उसने नदी के "
        "पास एक नया पुस्तकालय बनाने का निर्णय लिया। किसी ने ऐसे परिणाम की उम्मीद नहीं की थी। क्यों "
        "नहीं?"
    ),
    "layla": (
        "اجتمعت اللجنة يوم الثلاثاء في مبنى البلدية القديم، وبعد نقاش طويل حول الميزانية قررت بناء "
        "مكتبة جديدة بجانب النهر. لم يتوقع أحد مثل هذه النتيجة. لماذا لا؟"
    ),
    "mei": (
        "委员会星期二在旧市政厅开会，经过长时间的预算讨论，决定在河边建一座新图书馆。"
        "没有人预料到这样的结果。为什么不呢？工程将于明年开始，如果天气允许，"
        "大约需要十八个月才能完成。"
    ),
    "ko": (
        "위원회는 화요일에 옛 시청에서 모여 예산에 대한 긴 토론 끝에 강 옆에 새 도서관을 짓기로 "
        "결정했습니다. 아무도 그런 결과를 예상하지 못했습니다."
    ),
}


def timed(text: str, per_character_s: float = 0.065) -> list[Word]:
    """Words of `text` at a steady pace, with a pause after each sentence."""
    words, now = [], 0.15
    for piece in pieces(text):
        for word in piece.text.split():
            end = now + per_character_s * len(word)
            words.append(Word(word, now, end, piece.sentence))
            now = end + 0.03
        now += piece.pause_s
    return words


def shown(cues: list[Cue]) -> str:
    return " ".join(" ".join(cue.lines) for cue in cues)


def check(cues: list[Cue], words: list[Word], duration_s: float) -> None:
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < len(line) <= LINE for line in cue.lines)
        assert cue.start_s < cue.end_s
        assert cue.end_s <= duration_s
    for one, two in pairwise(cues):
        assert one.end_s <= two.start_s
    assert shown(cues) == " ".join(word.text for word in words)


def test_a_story_in_cues_that_can_be_read():
    words = timed(STORY)
    cues = cues_of(words, words[-1].end_s + 0.3)
    check(cues, words, words[-1].end_s + 0.3)
    starts = [word.start_s for word in words]
    assert all(min(abs(cue.start_s - start) for start in starts) <= SHIFT_S for cue in cues)
    assert all(1.0 <= cue.end_s - cue.start_s <= 7.0 for cue in cues[:-1])
    for cue in cues[:-1]:
        assert characters(cue) / (cue.end_s - cue.start_s) <= CHARACTERS_PER_S + 0.01
    assert cues[0].lines == ("Good evening.",)
    # No cue ends in the middle of a phrase here, and short sentences share one.
    assert all(cue.lines[-1][-1] in ".,;?" for cue in cues)
    assert any("Go. No." in " ".join(cue.lines) for cue in cues)


def test_lines_break_at_clauses_and_are_balanced():
    words = timed("He came in from the cold, and she was there by the fire already.")
    (cue,) = cues_of(words, 60.0)
    assert cue.lines == ("He came in from the cold,", "and she was there by the fire already.")
    words = timed("One two three four five six seven eight nine ten eleven twelve")
    (cue,) = cues_of(words, 60.0)
    assert abs(len(cue.lines[0]) - len(cue.lines[1])) <= 8


def test_a_cue_stays_into_the_pause_but_not_into_the_next():
    words = [Word("Quick.", 1.0, 1.2, 0), Word("Then", 1.9, 2.1, 1), Word("slowly.", 2.1, 2.6, 1)]
    first, second = cues_of(words, 9.0) if len(cues_of(words, 9.0)) == 2 else (None, None)
    if first is None:  # they were joined: that is allowed, the first alone would be a flash
        (both,) = cues_of(words, 9.0)
        assert " ".join(both.lines) == "Quick. Then slowly."
    words[1:] = [Word("Then", 3.0, 3.2, 1), Word("slowly.", 3.2, 3.7, 1)]
    first, second = cues_of(words, 4.0)
    assert first.end_s == pytest.approx(2.0)
    assert second.end_s == pytest.approx(4.0)


def test_long_speech_without_a_stop_is_cut_every_seven_seconds_at_most():
    words = timed("word " * 200, per_character_s=0.2)
    cues = cues_of(words, words[-1].end_s)
    check(cues, words, words[-1].end_s)
    assert max(cue.end_s - cue.start_s for cue in cues) <= 7.0
    assert min(cue.end_s - cue.start_s for cue in cues) >= 1.0


def test_chinese_is_shown_without_spaces_and_half_as_many_characters(tmp_path):
    text = (
        "你好，世界。今天天气很好，我们一起去公园散步吧，然后再去看一场非常有意思的电影，最后回家吃饭。"
        "我用Python写程序。"
    )
    speech = speak(text, "mei", 1.0, 1.0, tmp_path, Monitor())
    assert speech.words is not None
    cues = cues_of(speech.words, speech.audio.duration_s)
    assert "".join("".join(cue.lines) for cue in cues) == text
    assert all(len(line) <= LINE // 2 + 4 for cue in cues for line in cue.lines)
    assert all(line[-1] not in "（“" and line[0] not in "，。" for cue in cues for line in cue.lines)


def test_words_longer_than_a_line_are_cut_in_time():
    address = "https://example.org/" + "a" * 100
    cues = cues_of([Word("See", 0.0, 0.3), Word(address, 0.3, 6.3)], 7.0)
    joined = "".join("".join(cue.lines) for cue in cues)
    assert joined == "See" + address
    assert all(len(line) <= LINE for cue in cues for line in cue.lines)
    assert all(one.end_s <= two.start_s for one, two in pairwise(cues))


def test_arabic_is_left_as_it_is(tmp_path):
    text = "مرحبا بالعالم. كيف حالك؟"
    speech = speak(text, "layla", 1.0, 1.0, tmp_path, Monitor())
    assert speech.words is not None
    assert shown(cues_of(speech.words, speech.audio.duration_s)) == text


def test_nothing_is_shown_after_the_end():
    words = timed("One two three. Four five six.")
    cues = cues_of(words, words[2].end_s - 0.01)
    assert shown(cues).startswith("One two three.")
    assert all(cue.end_s < words[2].end_s for cue in cues)
    assert cues_of([], 5.0) == []


def test_subrip_and_webvtt():
    cues = [Cue(0.5, 2.25, ("a < b & c > d", "--> two")), Cue(3723.0006, 3725.9996, ("é 你",))]
    assert to_srt(cues) == (
        "1\n00:00:00,500 --> 00:00:02,250\na < b & c > d\n--\u2060> two\n\n"
        "2\n01:02:03,001 --> 01:02:06,000\né 你\n\n"
    )
    assert to_vtt(cues) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.250\na &lt; b & c > d\n--&gt; two\n\n"
        "01:02:03.001 --> 01:02:06.000\né 你\n\n"
    )


@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_files_are_read_by_others(tmp_path, suffix):
    words = timed(STORY)
    cues = cues_of(words, 99.0)
    path = tmp_path / f"story.{suffix}"
    path.write_text(to_srt(cues) if suffix == "srt" else to_vtt(cues), "utf-8")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
        base = container.streams[0].time_base
        assert [float(packet.pts * base) for packet in packets] == pytest.approx(
            [cue.start_s for cue in cues], abs=0.001
        )
        texts = [bytes(packet).decode() for packet in packets]
    assert [" ".join(text.split()) for text in texts] == [" ".join(cue.lines) for cue in cues]


word_texts = st.text(st.sampled_from("abcde,.;你好é"), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(
    items=st.lists(
        st.tuples(word_texts, st.floats(0.01, 3.0), st.floats(0.0, 2.0), st.booleans()), max_size=40
    ),
    tail_s=st.floats(0.0, 3.0),
)
def test_any_words_give_valid_cues(items, tail_s):
    words: list[Word] = []
    now = sentence = 0.0
    for text, length, gap, ends in items:
        words.append(Word(text, now, now + length, int(sentence)))
        now += length + gap
        sentence += ends
    duration_s = now + tail_s
    cues = cues_of(words, duration_s)
    assert "".join("".join(cue.lines) for cue in cues).replace(" ", "") == "".join(
        word.text for word in words
    )
    for cue in cues:
        assert 1 <= len(cue.lines) <= 2
        assert all(len(line) <= LINE for line in cue.lines)
        assert cue.start_s < cue.end_s <= duration_s + 1e-9
    assert all(one.end_s <= two.start_s + 1e-9 for one, two in pairwise(cues))
    times = re.findall(r"(\d\d):(\d\d):(\d\d),(\d{3})", to_srt(cues))
    assert len(times) == 2 * len(cues)


# --- a script of five minutes ----------------------------------------------------------------------

# Words of a language, and the seconds that a character of it takes when spoken with care.
TONGUES = {
    "en": (
        "the a committee of New York decided to build and because it was seen in London "
        "with Dr. Smith 2027 years",
        0.06,
    ),
    "de": (
        "der die Verantwortung und Donaudampfschifffahrt im alten Rathaus nach einer langen weil es",
        0.062,
    ),
    "fr": ("le la comité après une longue discussion s'est réuni dans l'ancienne et mairie qui", 0.062),
    "ru": ("комитет собрался в старой ратуше и после долгого обсуждения решил что библиотеку рядом", 0.062),
    "ar": ("اجتمعت اللجنة في مبنى البلدية القديم وبعد نقاش طويل حول الميزانية قررت", 0.07),
    "hi": ("समिति की बैठक मंगलवार को पुराने नगर भवन में हुई और बजट पर", 0.07),
    "zh": ("委员会 星期二 在 旧 市政厅 开会 经过 长时间 的 预算 讨论 决定", 0.22),
    "ja": ("会議 を 開き 予算 について 長い 議論 の 末 川 の そば に 図書館", 0.2),
    "ko": ("위원회는 화요일에 옛 시청에서 모여 예산에 대한 긴 토론", 0.17),
    "th": ("คณะกรรมการประชุมกัน เมื่อวันอังคาร ที่ศาลากลางเก่า และหลังจากการอภิปราย", 0.08),
}
STOPS = {"zh": "。", "ja": "。", "hi": "।", "ar": ".", "th": " "}


@st.composite
def five_minutes(draw):
    """Words with times, as a voice that is not in a hurry gives them, and their language."""
    tongue = draw(st.sampled_from(sorted(TONGUES)))
    vocabulary, per_character_s = TONGUES[tongue]
    pace = draw(st.floats(1.0, 1.5))
    picks = draw(st.lists(st.integers(0, 11), min_size=40, max_size=80))
    lengths = draw(st.lists(st.integers(3, 25), min_size=20, max_size=30))
    known, unspaced = vocabulary.split(), tongue in ("zh", "ja")
    words, now, sentence, pick = [], 0.15, 0, 0
    while now < 300:
        length = lengths[sentence % len(lengths)]
        for index in range(length):
            text = known[picks[pick % len(picks)] % len(known)]
            pick += 1
            if index + 1 == length:
                text += STOPS.get(tongue, ".").strip()
            elif pick % 7 == 0 and tongue != "th":
                text += "，" if tongue == "zh" else "、" if tongue == "ja" else ","
            for part in text if unspaced else [text]:
                end = now + per_character_s * pace * (len(part) + 1 - unspaced)
                words.append(Word(part, now, end, sentence))
                now = end
        now += 0.3 * pace
        sentence += 1
    return tongue, words, now


def plain(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=25, deadline=None)
@given(five_minutes())
def test_a_script_of_five_minutes_keeps_the_limits(script):
    tongue, words, duration_s = script
    cues = cues_of(words, duration_s, tongue)
    for format_, text in (("srt", to_srt(cues)), ("vtt", to_vtt(cues))):
        read = pysubs2.SSAFile.from_string(text, format_)
        assert len(read) == len(cues) > 40
        assert plain("".join(event.plaintext for event in read)) == plain(
            "".join(word.text for word in words)
        )
        for event in read:
            lines = event.plaintext.split("\n")
            assert len(lines) <= 2
            assert all(0 < width(line) <= LINE for line in lines)
            if tongue in ("zh", "ja"):
                assert all(width(line) <= 32 for line in lines)
            seconds = (event.end - event.start) / 1000
            # Columns of wide characters count twice, so this is stricter than a count of characters.
            assert width(event.plaintext) / seconds <= CHARACTERS_PER_S + 0.05
            assert 0.999 <= seconds <= 7.001
            assert event.start >= 0 and event.end <= duration_s * 1000 + 1
        assert all(two.start - one.end >= 79 for one, two in pairwise(read))


@pytest.mark.parametrize("voice", ["amy", "es", "hi", "layla", "mei", "ko"])
def test_spoken_scripts_keep_the_limits(tmp_path, voice):
    text = "\n\n".join([SPOKEN[voice]] * 6)
    speech = speak(text, voice, 1.0, 1.0, tmp_path, monitor := Monitor())
    cues = find_cues(speech, monitor)
    assert not monitor.warnings
    assert all(width(" ".join(cue.lines)) / (cue.end_s - cue.start_s) <= 17.05 for cue in cues)
    # What is shown is what is being said: no cue strays from its words.
    starts = [word.start_s for word in speech.words]
    assert all(min(abs(cue.start_s - start) for start in starts) <= SHIFT_S for cue in cues)


def test_speech_that_is_too_fast_is_told_and_shared_out(tmp_path):
    speech = speak("\n\n".join([SPOKEN["amy"]] * 4), "amy", 1.6, 1.0, tmp_path, monitor := Monitor())
    cues = find_cues(speech, monitor)
    assert any("faster than 17 characters" in warning for warning in monitor.warnings)
    rates = [characters(cue) / (cue.end_s - cue.start_s) for cue in cues]
    assert max(rates) < 1.5 * sum(rates) / len(rates)
    assert all(one.end_s < two.start_s for one, two in pairwise(cues))
    starts = [word.start_s for word in speech.words]
    assert all(min(abs(cue.start_s - start) for start in starts) <= SHIFT_S + 1e-9 for cue in cues)


def test_a_fast_stretch_is_shared_out_where_it_is():
    words, now = [], 0.0
    for index in range(240):
        per_character_s = 0.036 if 80 <= index < 160 else 0.08
        words.append(Word("abcdefgh", now, now + 9 * per_character_s, index // 8))
        now += 9 * per_character_s
    cues = cues_of(words, now)
    rates = [(cue.start_s, characters(cue) / (cue.end_s - cue.start_s)) for cue in cues]
    first, last = words[80].start_s, words[160].start_s
    assert all(rate <= 17.01 for start, rate in rates if not first - 5 < start < last + 5)
    assert 20 < max(rate for _, rate in rates) < 27.5  # 28.3, were none moved
    starts = [word.start_s for word in words]
    assert all(min(abs(cue.start_s - start) for start in starts) <= SHIFT_S + 1e-9 for cue in cues)


# --- phrases ---------------------------------------------------------------------------------------


def costs(text: str, language: str) -> dict[str, float]:
    units = in_units([Word(part, 0.0, 1.0) for part in text.split()], language, LINE)
    return {unit.text: cost for unit, cost in zip(units, break_costs(units, language), strict=True)}


def test_names_numbers_and_little_words_stay_with_what_they_belong_to():
    found = costs(
        "Yesterday, Dr. Smith met Mary Jane Watson at the station in 2027 or 18 months before it", "en"
    )
    assert found["Dr."] == found["Mary"] == found["Jane"] == found["18"] == INSIDE
    assert found["at"] == found["the"] == HANGING
    assert found["Watson"] == found["station"] == found["2027"] == PHRASE
    assert found["Yesterday,"] == CLAUSE
    assert found["Smith"] == ANYWHERE
    german = costs("Wir sahen das Haus des Vaters weil es Winter war", "de")
    assert german["das"] == HANGING and german["Vaters"] == PHRASE and german["Haus"] == ANYWHERE


def test_scripts_without_spaces_break_between_phrases():
    text = "今日はいい天気ですね一緒に公園へ行きましょう"
    units = in_units(
        [Word(char, index * 0.2, index * 0.2 + 0.2) for index, char in enumerate(text)], "ja", 32
    )
    found = [unit.text for unit in units]
    assert found[0] == "今日は" and found[-3:] == ["一緒に", "公園へ", "行きましょう"]
    assert "".join(found[1:-3]) == "いい天気ですね"  # whether as one, versions of BudouX differ
    starts = [round(unit.start_s, 1) for unit in units]
    assert starts[:2] == [0.0, 0.6] and starts[-3:] == [2.0, 2.6, 3.2]
    (cue,) = cues_of([Word("ที่นี่น้ำเย็น มาก", 0.0, 3.0)], 3.0, "th")
    assert cue.lines == ("ที่นี่น้ำเย็น มาก",)
    assert list(clusters("क्षि👩🏽‍💻e\u0301เก้")) == ["क्षि", "👩🏽‍💻", "e\u0301", "เก้"]


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        ("Hi there 你好 my friend", "mei"),
        ("Hi there你好my friend", "mei"),
        ("我在 2024 年用 Python 写代码", "mei"),
        ("こんにちは Python です", "yuki"),
        ("Hello สวัสดี my friend", "malee"),
    ],
)
def test_spaces_between_scripts_are_those_that_were_written(tmp_path, text, voice):
    speech = speak(text, voice, 1.0, 1.0, tmp_path, Monitor())
    cues = cues_of(speech.words, speech.audio.duration_s, speech.language)
    assert " ".join(line for cue in cues for line in cue.lines) == text


def test_a_recording_without_words_is_told_how_to_have_captions(tmp_path):
    monitor = Monitor()
    spoken = speak("Hello there.", "amy", 1.0, 1.0, tmp_path, Monitor())
    assert find_cues(Speech(spoken.audio), monitor) == ()
    assert "--transcript" in monitor.warnings[0]


def test_a_short_transcript_cannot_be_checked_which_is_told(tmp_path):
    monitor = Monitor()
    spoken = speak("Hello there, you two people.", "amy", 1.0, 1.0, tmp_path, Monitor())
    recorded(spoken.audio, "Hello there, you two people.", "en", monitor)
    assert monitor.warnings == []
    recorded(spoken.audio, "Hello there.", "en", monitor)
    assert "too short to check" in monitor.warnings[0]
