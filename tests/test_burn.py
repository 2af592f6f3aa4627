"""Captions drawn in the picture, and as a track of the file."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk import VideoRequest, plan, render
from avatalk.compose import captioning, fonts, lettering
from avatalk.compose.bidi import reads_right_to_left, visual_runs
from avatalk.compose.burn import CaptionLayer, Style, draw
from avatalk.compose.fonts import find_fonts
from avatalk.compose.lettering import UNITS, set_line
from avatalk.errors import BadInput, EngineUnavailable
from avatalk.events import Monitor
from avatalk.media import Cue, Face, Word
from avatalk.pipeline import preview

TEXT = "Good evening, Dr. Smith. The quick brown fox jumps over the lazy dog; how are you today?"
SAMPLES = {
    "Latin": "Tiếng Việt, e\u0301té, Straße, Łódź",
    "Greek": "Καλημέρα κόσμε",
    "Cyrillic": "Привіт, світе",
    "Arabic": "مَرحبا بالعالم، ۱۲۳",
    "Armenian": "Բարեւ աշխարհ",
    "Bengali": "বাংলা ক্ষ স্ত্র",
    "Cherokee": "ᏣᎳᎩ",
    "Devanagari": "नमस्ते क्षत्रिय हिन्दी",
    "Ethiopic": "አማርኛ።",
    "Georgian": "გამარჯობა",
    "Gujarati": "ગુજરાતી ક્ષ",
    "Gurmukhi": "ਪੰਜਾਬੀ",
    "Hebrew": "שלום עולם",
    "Kannada": "ಕನ್ನಡ",
    "Khmer": "ភាសាខ្មែរ",
    "Lao": "ພາສາລາວ",
    "Malayalam": "മലയാളം",
    "Myanmar": "မြန်မာဘာသာ",
    "Oriya": "ଓଡ଼ିଆ",
    "Sinhala": "සිංහල",
    "Tamil": "தமிழ் கொ",
    "Telugu": "తెలుగు",
    "Thaana": "ދިވެހި",
    "Thai": "สวัสดี น้ำ",
}


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without network, models and fonts; returns the user's font folder."""
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AVATALK_OFFLINE", "1")
    folder = tmp_path / "fonts"
    folder.mkdir()
    monkeypatch.setattr(fonts, "_folders", lambda: [folder])
    fonts._ranked.cache_clear()
    yield folder
    fonts._ranked.cache_clear()


def a_font(path, letters: str) -> None:
    """A font whose letters are squares, each as wide as its number."""
    names = [".notdef", *(f"u{ord(letter):04X}" for letter in letters)]
    build = FontBuilder(1000, isTTF=True)
    build.setupGlyphOrder(names)
    build.setupCharacterMap({ord(letter): name for letter, name in zip(letters, names[1:], strict=True)})
    glyphs = {}
    for index, name in enumerate(names):
        pen = TTGlyphPen(None)
        pen.moveTo((100, 0)), pen.lineTo((100, 700)), pen.lineTo((300 + index, 700)), pen.closePath()
        glyphs[name] = pen.glyph()
    build.setupGlyf(glyphs)
    build.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
    build.setupHorizontalHeader(ascent=800, descent=-200)
    build.setupNameTable({"familyName": "Tiny", "styleName": "Bold"})
    build.setupOS2(usWeightClass=700)
    build.setupPost()
    build.save(path)


def width(text: str, right_to_left: bool = False) -> float:
    return set_line(text, find_fonts(text, "", Monitor()).of, right_to_left, "").width


def starts_of(path: str) -> list[float]:
    """Where each outline of path data begins, from left to right in the order of drawing."""
    return [float(part.split()[0]) for part in path.split("M")[1:]]


# --- letters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "right_to_left", "shown"),
    [
        ("abc", False, "abc"),
        ("אבג", False, "גבא"),
        ("abc אבג def", False, "abc גבא def"),
        ("abc אבג def", True, "def גבא abc"),
        ("אבג (Python 3.12), דה.", True, ".הד ,)Python 3.12( גבא"),
        ("אבג 123 דה", True, "הד 123 גבא"),
        ("abc אב 12-34 גד!", False, "abc דג 12-34 בא!"),
        ("مرحبا 12/34", True, "12/34 ابحرم"),
        ("a(ב)c", False, "a(ב)c"),
        ("אב(ב a)ג", False, "בא(ב a)ג"),
        ("10% אב", True, "בא 10%"),
        ("", True, ""),
    ],
)
def test_lines_of_mixed_direction_are_ordered(text, right_to_left, shown):
    runs = visual_runs(text, right_to_left)
    assert "".join(text[a:b][::-1] if back else text[a:b] for a, b, back in runs) == shown


def test_the_direction_of_a_caption_is_that_of_most_letters():
    assert reads_right_to_left("Python היא שפת תכנות")
    assert not reads_right_to_left("The word שלום is Hebrew, 123.")


@given(st.text(st.sampled_from("ab אב دع12.,()%+-\u200f\u0301"), max_size=30), st.booleans())
def test_every_character_is_shown_once(text, right_to_left):
    runs = visual_runs(text, right_to_left)
    assert sorted(i for a, b, _ in runs for i in range(a, b)) == list(range(len(text)))


@pytest.mark.parametrize("script", SAMPLES)
def test_every_shipped_script_is_complete(script, bare):
    text = SAMPLES[script]
    found = find_fonts(text, "", monitor := Monitor())
    assert not found.missing and not monitor.warnings
    line = set_line(text, found.of, reads_right_to_left(text), "")
    assert line.path and line.width > 1
    assert all(face.path.parent.name == "typefaces" for face in found.faces)


def test_letters_are_shaped():
    assert width("ببب", True) < 0.8 * 3 * width("ب", True)  # joined
    assert width("क्ष") < 0.8 * (width("क") + width("ष"))  # one conjunct
    assert width("कि") > width("क")
    # Several scripts on one line do not spoil each other.
    assert width("Hello क्ष मर") == pytest.approx(width("Hello ") + width("क्ष मर"), abs=0.1)


def test_hebrew_runs_to_the_left():
    def path(text):
        return set_line(text, find_fonts(text, "", Monitor()).of, True, "").path

    assert path("אב").startswith(path("ב"))
    assert path("א ع").startswith(path("ع"))  # two typefaces in one direction
    of = find_fonts("א1", "", Monitor()).of
    alone = set_line("1", of, False, "")
    both = set_line("א1", of, True, "")
    assert starts_of(both.path)[0] == starts_of(alone.path)[0]
    assert set_line("א1", of, False, "").width == both.width


# --- fonts -----------------------------------------------------------------------------------------


def test_letters_without_a_font_are_told_before_any_work(bare, monkeypatch, tmp_path):
    monkeypatch.setattr("avatalk.stages.find_avatar", lambda *_: pytest.fail("work was begun"))
    with pytest.raises(EngineUnavailable, match="Han letters") as caught:
        render(VideoRequest(text="你好，世界。", captions="burn"), tmp_path / "a.mp4")
    assert "avatalk models install font-cjk" in caught.value.hint
    with pytest.raises(EngineUnavailable, match="Tibetan") as caught:
        find_fonts("བོད", "", Monitor())
    assert str(bare) in caught.value.hint
    assert not (tmp_path / "a.mp4").exists()


def test_a_font_of_the_user_is_found(bare):
    a_font(bare / "Tiny.ttf", "你好世界，。")
    (bare / "Broken.ttf").write_bytes(b"not a font")
    (bare / "empty.otf").write_bytes(b"")
    found = find_fonts("你好，世界。Hi", "zh", Monitor())
    assert found.of("你").path == bare / "Tiny.ttf"
    assert found.of("H").path.name == "NotoSans.ttf"
    line = set_line("你好", found.of, False, "zh")
    assert line.width == pytest.approx(2.0)
    assert starts_of(line.path) == pytest.approx([0.1 * UNITS, 1.1 * UNITS], abs=1)


def test_digits_look_the_same_anywhere_on_a_line(bare):
    text = "10 मर10 मर"
    runs = lettering._runs(text, find_fonts(text, "hi", Monitor()).of)
    faces = {face.path.name for a, b, face in runs if "1" in text[a:b] or "0" in text[a:b]}
    assert faces == {"NotoSans.ttf"}


def test_signs_without_a_font_are_left_out_and_told(bare):
    found = find_fonts("Party 🎉👩🏽‍💻 now ♞", "", monitor := Monitor())
    assert any("🎉" in warning for warning in monitor.warnings)
    assert found.written("Party 🎉👩🏽‍💻 now") == "Party now"
    label = draw(("🎉",), Style(320, 180), found)
    assert label.keep.size == 0


def test_chinese_letters_follow_the_language():
    assert [fonts._cjk_face(fonts._OWN, tag, ["Han"]).index for tag in ("ja", "ko", "zh-CN", "cmn")] == [
        0,
        1,
        2,
        2,
    ]
    assert [fonts._cjk_face(fonts._OWN, tag, ["Han"]).index for tag in ("zh-TW", "zh-Hant", "yue")] == [
        3,
        3,
        4,
    ]
    assert fonts._cjk_face(fonts._OWN, "", ["Han", "Hiragana"]).index == 0


# --- in the picture --------------------------------------------------------------------------------


def test_captions_are_drawn_while_they_last_and_nowhere_else(tmp_path):
    fields = {"text": TEXT, "size": "320x180", "still": True}
    bare_request = VideoRequest(**fields)
    request = VideoRequest(**fields, captions="burn,srt")
    with plan(bare_request) as plain, plan(request) as made:
        cues = made._scene.layers[-1].cues
        zone = int(made._scene.layers[-1].style.zone[0])
        shown = 0
        for index, (before, after) in enumerate(zip(plain.frames(), made.frames(), strict=True)):
            second = index / made.fps
            lasting = any(cue.start_s <= second < cue.end_s for cue in cues)
            changed = np.argwhere((before != after).any(axis=2))
            assert bool(len(changed)) == lasting, second
            if lasting:
                shown += 1
                (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
                assert top >= zone - 1 and bottom < 180 * 0.96
                assert left >= 320 * 0.04 and right < 320 * 0.96
                assert (after[top : bottom + 1, left : right + 1] > 240).all(
                    axis=2
                ).sum() > 50  # white letters
        assert 0 < shown < made.n_frames
        later = next(made.frames(30, 31))
        assert np.array_equal(next(made.frames(30, 31)), later)
        assert np.array_equal(preview(request, 30.5 / 25), later)
    result = render(request, tmp_path / "a.mp4")
    again = render(request, tmp_path / "b.mp4")
    assert result.captions_in == ["burn"] and result.captions == [str(tmp_path / "a.srt")]
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert again.frames == result.frames
    with av.open(str(tmp_path / "a.mp4")) as container:
        for index, picture in enumerate(container.decode(video=0)):
            lasting = any(cue.start_s <= index / 25 < cue.end_s for cue in cues)
            white = (picture.to_ndarray(format="gray")[zone:] > 235).sum()
            assert (white > 40) == lasting, index


@settings(max_examples=30, deadline=None)
@given(st.integers(32, 1000), st.integers(32, 1000), st.sampled_from(sorted(SAMPLES)), st.booleans())
def test_captions_fit_any_canvas(half_width, half_height, script, top):
    style = Style(2 * half_width, 2 * half_height, top)
    text = SAMPLES[script]
    found = find_fonts(text, "", Monitor())
    layer = CaptionLayer([Cue(0.0, 1.0, (text, text))], Fraction(25), style, found)
    frame = np.full((style.height, style.width, 3), 128, np.uint8)
    layer.over(frame, 0)
    assert frame.max() > 180
    rows, columns = np.nonzero((frame != 128).any(axis=2))
    assert columns.min() >= 0.05 * style.width - 1 and columns.max() < 0.95 * style.width + 1
    assert rows.min() >= 0.05 * style.height - 1 and rows.max() < 0.95 * style.height + 1
    assert abs((columns.min() + columns.max() + 1) / 2 - style.width / 2) <= 1
    half = rows < style.height * 0.6 if top else rows > style.height * 0.4
    assert half.mean() > 0.5
    untouched = np.full_like(frame, 128)
    assert np.array_equal(layer.over(untouched.copy(), 25), untouched)


def a_speech(duration_s: float = 4.0):
    class Sound:
        sample_rate = 16000

    sound = Sound()
    sound.duration_s = duration_s
    words = tuple(Word(text, 0.2 * i, 0.2 * i + 0.2) for i, text in enumerate(TEXT.split()))
    from avatalk.media import Speech

    return Speech(sound, None, words, language="en")


def a_face(mouth_y: float) -> Face:
    landmarks = np.zeros((478, 3), np.float32)
    landmarks[:, 1] = mouth_y
    return Face((0, 0, 10, 10), landmarks, 1.0)


@pytest.mark.parametrize(("mouth_y", "top"), [(200.0, False), (320.0, True), (30.0, False)])
def test_captions_keep_clear_of_the_mouth(mouth_y, top):
    layer = captioning.burned(a_speech(), [a_face(mouth_y)], (640, 360), Fraction(25), Monitor())
    assert layer.style.top == top


def test_narrow_pictures_get_shorter_lines():
    wide = captioning.burned(a_speech(), None, (1280, 720), Fraction(25), Monitor())
    tall = captioning.burned(a_speech(), None, (360, 640), Fraction(25), Monitor())
    longest = [max(len(line) for cue in layer.cues for line in cue.lines) for layer in (wide, tall)]
    assert longest[1] <= 30 < longest[0] <= 42


# --- as a track ------------------------------------------------------------------------------------


def test_a_track_says_the_same_as_the_file_beside(tmp_path):
    text = "Hello <b>there</b> {\\i1} you & me. " + TEXT
    request = VideoRequest(text=text, voice="louis", size="64x64", quality="draft", captions="soft,srt")
    result = render(request, tmp_path / "a.mp4")
    assert result.captions_in == ["soft"]
    with plan(request) as made:
        cues = made.captions
    with av.open(str(tmp_path / "a.mp4")) as container:
        (stream,) = container.streams.subtitles
        assert stream.metadata["language"] == "fra"
        assert stream.codec_context.name == "mov_text"
        read = [packet for packet in container.demux(stream) if packet.size > 2]
        got = [
            (
                round(p.pts * p.time_base, 3),
                round((p.pts + p.duration) * p.time_base, 3),
                bytes(p)[2:].decode(),
            )
            for p in read
        ]
    wanted = [(round(cue.start_s, 3), round(cue.end_s, 3), "\n".join(cue.lines)) for cue in cues]
    assert [(float(a), float(b), text) for a, b, text in got] == wanted
    assert len(cues) >= 2
    first = (tmp_path / "a.mp4").read_bytes()
    render(request, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == first


@pytest.mark.parametrize(
    ("tag", "letters"),
    [("en-GB", "eng"), ("cmn", "zho"), ("zh-TW", "zho"), ("grc", "grc"), ("", "und"), ("x", "und")],
)
def test_languages_as_mp4_wants_them(tag, letters):
    from avatalk.video.soft import language_tag

    assert language_tag(tag) == letters


# --- the request -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "parts", "written"),
    [
        ("none", (), None),
        ("srt", ("srt",), "srt"),
        ("both", ("srt", "vtt"), "srt,vtt"),
        ("burn,srt", ("srt", "burn"), "srt,burn"),
        (" Soft, burn ,both", ("srt", "vtt", "burn", "soft"), "srt,vtt,burn,soft"),
        (["burn", "burn"], ("burn",), "burn"),
        (("soft",), ("soft",), "soft"),
    ],
)
def test_captions_of_a_request(given, parts, written):
    request = VideoRequest(text="Hi", captions=given)
    assert request.captions == parts
    assert VideoRequest.model_validate_json(request.to_json()) == request
    assert (f'"captions":"{written}"' in request.to_json()) == (written is not None)


@pytest.mark.parametrize("given", ["", "ass", "srt,none", "none,burn", [], 3, ["srt", 4], None])
def test_other_captions_are_refused(given):
    with pytest.raises(BadInput, match="captions"):
        VideoRequest(text="Hi", captions=given)
