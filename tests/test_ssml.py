"""The subset of SSML: what each element does to the sound, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.errors import SpeechError
from avatalk.events import Monitor
from avatalk.media import Speech
from avatalk.speech.perform import perform
from avatalk.speech.ssml import Script, Style, parse
from avatalk.speech.synthesis import speak


def spoken(text: str, folder: Path, voice: str = "amy", monitor: Monitor | None = None) -> Speech:
    return speak(text, voice, 1.0, 1.0, folder, monitor or Monitor())


def symbols(speech: Speech) -> list[str]:
    return [phoneme.symbol for phoneme in speech.phonemes or () if phoneme.symbol]


def gap_s(speech: Speech, index: int) -> float:
    assert speech.words is not None
    return speech.words[index + 1].start_s - speech.words[index].end_s


# --- what is SSML and what is not ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["a < b and c > d", "if x <s and y>", "I <3 you & me", "<speaker>", "<b>bold</b>", "", "<", "<p"]
)
def test_plain_text_stays_plain(text):
    monitor = Monitor()
    script = parse(text, monitor)
    assert script.text == text
    assert (script.notes, script.pauses, script.ends) == ([], {}, set())


def test_a_tag_that_is_read_makes_ssml_of_well_formed_text():
    script = parse('Wait <break time="1s"/>for it &amp; go.', Monitor())
    assert (script.text, script.pauses) == ("Wait for it & go.", {5: 1.0})


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('Wait <break time="700ms"/> for AT&T.', "Wait for AT&T."),
        ("<speak>Tom & Jerry &amp; Co. &#33;</speak>", "Tom & Jerry & Co. !"),
        ("<p>5 < 7, I <3 it, x&&y</p>", "5 < 7, I <3 it, x&&y"),
        ('<sub alias="R & D">x</sub><![CDATA[a & b]]><!-- & < -->', "xa & b"),
    ],
)
def test_a_sign_that_begins_no_markup_means_itself(text, read):
    monitor = Monitor()
    script = parse(text, monitor)
    assert (script.text, monitor.warnings) == (read, [])
    assert all(note.value == "R & D" for note in script.notes)


def test_a_whole_document_is_read_with_its_namespace_and_comments():
    text = (
        '\ufeff<?xml version="1.0" encoding="ISO-8859-1"?>\n<!-- a note -->\n'
        '<ssml:speak version="1.1" xmlns:ssml="http://www.w3.org/2001/10/synthesis" xml:lang="de">'
        "Grüße<!-- no -->, <![CDATA[a < b]]>.</ssml:speak>"
    )
    script = parse(text.replace("ssml:", "").replace(":ssml", ""), Monitor())
    assert script.text == "Grüße, a < b."
    assert script.styles[0].language == "de"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("<speak>\n one <p>two</speak>", "line 2, column 6", "<p> is not closed"),
        ("<speak>\n one </p>two</speak>", "line 2, column 8", "mismatched tag"),
        ("\n\n<speak>\n", "line 3, column 1", "<speak> is not closed"),
        ('Hello <break time="1s"> world', "line 1, column 7", "<break> is not closed (write <break/>)"),
        ("Hello\nyou <p>two", "line 2, column 5", "<p> is not closed"),
        ("Hello</prosody>", "line 1, column 8", "mismatched tag"),
        ("Hello <break time=1s/>", "line 1, column 19", "invalid token"),
        ('A & B <break time="1s"', "line 1, column 22", "invalid token"),
        ("<speak>a</speak> b", "line 1, column 18", "junk after"),
        ('<speak>\n<break time="soon"/></speak>', "line 2, column 1", "500ms"),
        ('<speak><break strength="huge"/></speak>', "line 1, column 8", "x-strong"),
        ("<speak>&lol;</speak>", "line 1, column 8", "undefined entity"),
    ],
)
def test_malformed_ssml_is_told_with_its_place(text, where, what):
    with pytest.raises(SpeechError) as caught:
        parse(text, Monitor())
    assert where in caught.value.message
    assert what in caught.value.message
    assert (caught.value.stage, caught.value.field) == ("speech", "text")
    assert "&amp;" in caught.value.hint


def test_a_billion_laughs_are_refused_at_once():
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{entities}]><speak>&l9;</speak>'
    for text in (bomb, bomb.removeprefix('<?xml version="1.0"?>'), f"  <!-- x -->{bomb[21:]}"):
        with pytest.raises(SpeechError, match="document type"):
            parse(text, Monitor())
    with pytest.raises(SpeechError, match="document type"):
        parse('<!DOCTYPE speak SYSTEM "file:///etc/passwd"><speak>x</speak>', Monitor())
    with pytest.raises(SpeechError, match="100 deep"):
        parse("<speak>" + "<p>" * 200 + "x" + "</p>" * 200 + "</speak>", Monitor())


def test_a_script_of_a_megabyte_is_read():
    sentence = 'This is <prosody rate="fast">one</prosody> of 9 <sub alias="sentences">s.</sub> <break/>'
    text = f"<speak>{sentence * (1_000_000 // len(sentence))}</speak>"
    script = parse(text, Monitor())
    assert len(script.pauses) > 10_000


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(
            ["<speak>", "</speak>", "<p>", "</p>", "<s>", "</s>", "<break/>", '<prosody rate="80%">',
             "</prosody>", '<sub alias="x">', "</sub>", "a", " ", "B. ", "&amp;", "&", "<",
             '<lang xml:lang="fr">', "</lang>", "\n\n"]
        ),
        max_size=16,
    )
)  # fmt: skip
def test_any_document_is_read_or_refused(parts):
    try:
        script = parse("".join(parts), Monitor())
    except SpeechError:
        return
    assert all(0 <= note.start < note.stop <= len(script.text) for note in script.notes)
    assert all(one.stop <= two.start for one, two in zip(script.notes, script.notes[1:], strict=False))
    assert all(0 <= place <= len(script.text) for place in (*script.styles, *script.pauses, *script.ends))


# --- what each element does ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("element", "seconds"),
    [('<break time="700ms"/>', 0.7), ('<break time="1.5s"/>', 1.5), ('<break strength="strong"/>', 0.8)],
)
def test_a_break_is_as_long_as_it_says(tmp_path, element, seconds):
    speech = spoken(f"<speak>Hello {element} there.</speak>", tmp_path)
    assert gap_s(speech, 0) == pytest.approx(seconds, abs=0.06)
    assert [word.sentence for word in speech.words or ()] == [0, 0]


def test_a_break_takes_the_place_of_the_pause_between_sentences(tmp_path):
    natural = gap_s(spoken("<speak>One. Two.</speak>", tmp_path), 0)
    none = gap_s(spoken('<speak>One. <break strength="none"/> Two.</speak>', tmp_path), 0)
    long = gap_s(spoken('<speak>One.<break time="2s"/>Two.</speak>', tmp_path), 0)
    assert none < 0.1 < natural < 0.5 < long == pytest.approx(2, abs=0.1)


def test_breaks_at_the_beginning_and_the_end_are_heard(tmp_path):
    plain = spoken("Hello.", tmp_path)
    said = spoken('<speak><break time="1s"/>Hello.<break time="2s"/></speak>', tmp_path)
    assert said.words is not None
    assert plain.words is not None
    assert said.words[0].start_s == pytest.approx(plain.words[0].start_s + 1, abs=0.01)
    assert said.audio.duration_s == pytest.approx(plain.audio.duration_s + 3, abs=0.01)


def test_paragraphs_and_sentences_pause(tmp_path):
    speech = spoken("<speak><p><s>one two</s><s>three</s></p><p>four</p></speak>", tmp_path)
    assert [word.sentence for word in speech.words or ()] == [0, 0, 1, 2]
    assert gap_s(speech, 0) < 0.1 < gap_s(speech, 1) < 0.5 < gap_s(speech, 2)


def lasts_s(speech: Speech, first: int, last: int) -> float:
    assert speech.words is not None
    return speech.words[last].end_s - speech.words[first].start_s


@pytest.mark.parametrize(
    ("rate", "factor"), [("50%", 0.5), ("slow", 0.75), ("fast", 1.35), ("+50%", 1.5), ("1000%", 2.0)]
)
def test_prosody_sets_the_rate(tmp_path, rate, factor):
    plain = lasts_s(spoken("<speak>the quick brown fox jumps</speak>", tmp_path), 0, 4)
    text = f'<speak><prosody rate="{rate}">the quick brown fox jumps</prosody></speak>'
    assert lasts_s(spoken(text, tmp_path), 0, 4) == pytest.approx(plain / factor, rel=0.15)


def f0(speech: Speech) -> float:
    """Median fundamental frequency, by autocorrelation."""
    sound = np.concatenate(list(speech.audio.blocks(22_050)))[:, 0]
    found = []
    for start in range(0, len(sound) - 1200, 300):
        part = sound[start : start + 1200]
        correlation = np.correlate(part, part, "full")[1199:]
        lag = 52 + int(correlation[52:368].argmax())
        if correlation[lag] > 0.5 * correlation[0] > 0.5:
            found.append(22_050 / lag)
    return float(np.median(found))


def test_prosody_sets_the_pitch(tmp_path):
    low, own, high = (
        f0(spoken(f'<speak><prosody pitch="{pitch}">mama mama mama</prosody></speak>', tmp_path))
        for pitch in ("low", "medium", "+25%")
    )
    assert low == pytest.approx(0.8 * own, rel=0.08)
    assert high == pytest.approx(1.25 * own, rel=0.08)


def test_nested_prosody_multiplies_and_stays_within_what_a_voice_can(tmp_path):
    script = parse(
        '<speak><prosody rate="200%" pitch="+12st">a '
        '<prosody rate="200%" pitch="-50%">b</prosody></prosody></speak>',
        Monitor(),
    )
    assert list(script.styles.values()) == [Style(2, 2), Style(4, 1), Style()]
    monitor = Monitor()
    spoken('<speak><prosody rate="400%">quite fast</prosody></speak>', tmp_path, monitor=monitor)
    assert "faster" in monitor.warnings[0]


def test_characters_are_spelled(tmp_path):
    speech = spoken('<speak>It is <say-as interpret-as="characters">aB-7</say-as>.</speak>', tmp_path)
    assert [word.text for word in speech.words or ()] == ["It", "is", "aB-7."]
    assert "".join(symbols(speech)[4:]) == "eɪbiːdæʃsɛvən"


@pytest.mark.parametrize(
    ("how", "text", "reading"),
    [
        ('interpret-as="ordinal"', "3", "third"),
        ('interpret-as="cardinal"', "1984", "one thousand nine hundred eighty-four"),
        ('interpret-as="digits"', "42", "four two"),
        ('interpret-as="date" format="dmy"', "3/4/2020", "April third, twenty twenty"),
        ('interpret-as="date"', "2026-11-20", "November twentieth, twenty twenty-six"),
        ('interpret-as="time"', "14:30", "fourteen thirty"),
        ('interpret-as="telephone"', "555-12", "five five five, one two"),
    ],
)
def test_say_as(tmp_path, how, text, reading):
    said = spoken(f"<speak>now <say-as {how}>{text}</say-as></speak>", tmp_path)
    assert symbols(said) == symbols(spoken(f"now {reading}", tmp_path))
    assert [word.text for word in said.words or ()] == ["now", text]


def test_sub_speaks_the_alias_and_shows_the_text(tmp_path):
    said = spoken('<speak>The <sub alias="World Wide Web">W.W.W. X</sub> is big.</speak>', tmp_path)
    assert symbols(said) == symbols(spoken("The World Wide Web is big.", tmp_path))
    assert " ".join(word.text for word in said.words or ()) == "The W.W.W. X is big."


def test_what_has_an_alias_is_one_sentence(tmp_path):
    said = spoken('<speak>The <sub alias="big bang">Big. Bang!</sub> was first.</speak>', tmp_path)
    assert {word.sentence for word in said.words or ()} == {0}
    assert symbols(said) == symbols(spoken("The big bang was first.", tmp_path))


@pytest.mark.parametrize(
    ("voice", "ipa", "sounds"),
    [
        ("amy", "təˈmɑːtoʊ", ["t", "ə", "m", "ɑː"]),
        ("amy", "/ʃtʁaːs/", ["ʃ", "t", "ʁ"]),
        ("anna", "ˈpiːtsa", ["p", "iː"]),
        ("chloe", "bɔ̃ʒuʁ", ["b", "ɔ̃", "ʒ", "u", "ʁ"]),
    ],
)
def test_phonemes_are_spoken(tmp_path, voice, ipa, sounds):
    said = spoken(f'<speak><phoneme alphabet="ipa" ph="{ipa}">xyz</phoneme></speak>', tmp_path, voice)
    assert symbols(said)[: len(sounds)] == sounds
    assert [word.text for word in said.words or ()] == ["xyz"]


def test_phonemes_keep_the_times_of_the_other_words(tmp_path):
    said = spoken('<speak>We say <phoneme ph="təˈmeɪtoʊ">tomato</phoneme> here.</speak>', tmp_path)
    plain = spoken("We say tomato here.", tmp_path)
    assert [word.text for word in said.words or ()] == ["We", "say", "tomato", "here."]
    for one, two in zip(said.words or (), plain.words or (), strict=True):
        assert one.start_s == pytest.approx(two.start_s, abs=0.1)


@pytest.mark.parametrize(
    "element",
    [
        '<phoneme alphabet="x-sampa" ph="a">',
        '<phoneme ph="5%">',
        '<prosody rate="quick">',
        '<say-as interpret-as="pun">',
    ],
)
def test_what_is_not_understood_is_read_plainly_with_a_warning(tmp_path, element):
    monitor = Monitor()
    name = element[1:].split()[0]
    said = spoken(f"<speak>one {element}two</{name}> three</speak>", tmp_path, monitor=monitor)
    assert [word.text for word in said.words or ()] == ["one", "two", "three"]
    assert len(monitor.warnings) == 1


def test_other_languages_are_spoken_by_their_own_voices(tmp_path):
    said = spoken(
        '<speak>I say <lang xml:lang="fr-FR">bonjour</lang> and <lang xml:lang="de">3</lang>.</speak>',
        tmp_path,
    )
    assert {"ʒ", "ʁ"} <= set(symbols(said))
    assert "".join(symbols(said)).endswith("dʁaɪ") or "aɪ" in symbols(said)[-1]
    monitor = Monitor()
    spoken('<speak>Go <lang xml:lang="tlh-x">now</lang>.</speak>', tmp_path, monitor=monitor)
    assert "tlh-x" in monitor.warnings[0]


def test_unknown_elements_are_named_once(tmp_path):
    monitor = Monitor()
    said = spoken("<speak><voice>a</voice> <mark/>b <voice>c</voice></speak>", tmp_path, monitor=monitor)
    assert [word.text for word in said.words or ()] == ["a", "b", "c"]
    assert monitor.warnings == ["<voice>, <mark>: not understood here; the text inside is read as it stands."]


def test_the_script_of_the_text_is_found_without_the_tags(tmp_path):
    speech = speak('<speak><prosody rate="slow">你好</prosody></speak>', None, 1.0, 1.0, tmp_path, Monitor())
    assert speech.voice == "mei"


def test_white_space_is_one_space_and_an_empty_line_a_paragraph():
    assert parse("<speak>\n  a\n  b\n\n\n c </speak>", Monitor()).text.strip() == "a b\n\nc"


def test_a_script_can_be_spoken_as_it_is(tmp_path):
    assert speak(Script("Hello."), "amy", 1.0, 1.0, tmp_path, Monitor()).words


@pytest.mark.parametrize(
    ("text", "language", "voice", "main"),
    [
        ('<speak xml:lang="de">Guten Tag, mein Freund.</speak>', None, None, "de"),
        ('<p xml:lang="fr">Bonjour.</p><p xml:lang="de">Guten Tag, mein Freund.</p>', None, None, "de"),
        ('<speak xml:lang="de">Guten Tag.</speak>', None, "amy", "en-US"),
        ('<speak xml:lang="de">Guten Tag.</speak>', "fr", None, "fr"),
        ('<speak>Hello. <s xml:lang="ru">Привет, мой дорогой друг.</s></speak>', None, None, "en-US"),
        ('<speak xml:lang="tlh">nuqneH</speak>', None, None, "en-US"),
    ],
)
def test_the_language_of_a_script_chooses_the_voice_where_nothing_else_does(
    tmp_path, text, language, voice, main
):
    assert perform(text, tmp_path, Monitor(), voice=voice, language=language).language == main
