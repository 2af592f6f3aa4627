from __future__ import annotations

import re
from itertools import pairwise

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.compose.cues import CHARACTERS_PER_S, LINE, SHIFT_S, characters, cues_of
from avatalk.events import Monitor
from avatalk.media import Cue, Word
from avatalk.speech.synthesis import speak
from avatalk.speech.text import pieces
from avatalk.video.sidecar import to_srt, to_vtt

STORY = (
    "Good evening. The quick brown fox jumps over the lazy dog; how are you today, my dear old friend, and "
    "what shall we do with all this wonderful time? I am very well, thank you. Go. No. Yes.\n\n"
    "A new paragraph begins here, and it is a little longer than the one before, so that it needs some cues."
)


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
        "1\n00:00:00,500 --> 00:00:02,250\na < b & c > d\n--> two\n\n"
        "2\n01:02:03,001 --> 01:02:06,000\né 你\n\n"
    )
    assert to_vtt(cues) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.250\na &lt; b &amp; c &gt; d\n--&gt; two\n\n"
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
