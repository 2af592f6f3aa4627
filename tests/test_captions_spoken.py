"""Captions of scripts as people write them, spoken by espeak-ng and read back by pysubs2."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest

from avatalk.compose.captioning import find_cues
from avatalk.events import Monitor
from avatalk.media import Speech
from avatalk.speech.synthesis import speak
from avatalk.video.sidecar import write_captions

SCRIPTS = Path(__file__).parent / "data" / "scripts"

ODD = {
    "one word a sentence": ("en", "Go. Nobody. Had. Expected. It. Yes. No. Really? Extraordinarily! " * 4),
    "words longer than a line": (
        "de",
        "Das Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz und "
        "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch. ",
    ),
    "no spaces": ("mei", "我们今天去公园散步然后再去看一场非常有意思的电影最后回家吃饭他说他明天会来" * 5),
    "no spaces, with marks": (
        "th",
        "คณะกรรมการประชุมกันเมื่อวันอังคารที่ศาลากลางเก่าและหลังจากการอภิปรายอันยาวนานเกี่ยวกับงบประมาณ"
        "จึงตัดสินใจสร้างห้องสมุดใหม่ริมแม่น้ำ ไม่มีใครคาดคิด",
    ),
    "a mark on every letter": (
        "ar",
        "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ ٱلرَّحِيمِ ٱلْحَمْدُ لِلَّهِ رَبِّ ٱلْعَالَمِينَ ٱلرَّحْمَٰنِ ٱلرَّحِيمِ مَالِكِ يَوْمِ ٱلدِّينِ",
    ),
    "addresses": (
        "en",
        "See https://www.example.org/a/very/long/path/with-many-parts/index.html?query=one&other=two#part "
        "and AT&T, R&D, or write to somebody.with.a.long.name@subdomain.example.co.uk now.",
    ),
    "figures": ("en", "1,234,567,890,123.50 too, and 3.14159265358979323846264338327950288419716939937510!"),
    "two directions": ("he", "ביום שני עלה הנהר ליד Tel Aviv בשלושה מטרים וחצי, כתב www.example.org אתמול."),
}


def spoken(tmp_path: Path, text: str, voice: str, speed: float = 1.0) -> tuple[Speech, Monitor]:
    """Five minutes or more of `text`, again and again."""
    once = speak(text, voice, speed, 1.0, tmp_path, Monitor())
    text = "\n\n".join([text] * (int(300 / once.audio.duration_s) + 1))
    return speak(text, voice, speed, 1.0, tmp_path, monitor := Monitor()), monitor


def shown(tmp_path: Path, speech: Speech, monitor: Monitor) -> list[pysubs2.SSAFile]:
    """The two files of captions as pysubs2 reads them; what holds for all is held here."""
    paths = write_captions({"srt", "vtt"}, find_cues(speech, monitor), tmp_path / "talk.mp4")
    files = [pysubs2.load(str(path)) for path in paths]
    for file in files:
        assert "".join("".join(event.plaintext.split()) for event in file) == "".join(
            "".join(word.text.split()) for word in speech.words or ()
        )
        assert all(0 < len(line) <= 42 for event in file for line in event.plaintext.split("\n"))
        assert all(event.plaintext.count("\n") < 2 and event.start < event.end for event in file)
        assert all(one.end < two.start for one, two in pairwise(file))
        assert file[-1].end <= round(1000 * speech.audio.duration_s)
    assert [event.start for event in files[0]] == [event.start for event in files[1]]
    return files


def rates(file: pysubs2.SSAFile) -> list[float]:
    return [len(event.plaintext) / (event.duration / 1000) for event in file]


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.txt")), ids=lambda path: path.stem)
def test_five_minutes_of_any_language_can_be_read(tmp_path, path):
    text = path.read_text("utf-8").strip()
    speech, monitor = spoken(tmp_path, text, "mei" if path.stem == "zh" else path.stem)
    files = shown(tmp_path, speech, monitor)
    assert speech.audio.duration_s > 300 and not monitor.warnings
    whole = "".join(event.plaintext for event in files[0])
    assert "".join(whole.split()).startswith("".join(text.split()))
    for file in files:
        assert max(rates(file)) <= 17
        assert all(1000 <= event.duration <= 7000 for event in file)


@pytest.mark.parametrize("kind", ODD)
def test_odd_texts_are_shown_whole_in_short_lines(tmp_path, kind):
    voice, text = ODD[kind]
    speech, monitor = spoken(tmp_path, text, voice)
    for file in shown(tmp_path, speech, monitor):
        assert max(rates(file)) <= 17 or any("faster than 17" in warning for warning in monitor.warnings)


def test_breaks_of_the_script_part_captions(tmp_path):
    text = "<speak>" + 'One two three <break time="4s"/> four five six. ' * 4 + "</speak>"
    speech = speak(text, "en", 1.0, 1.0, tmp_path, monitor := Monitor())
    for file in shown(tmp_path, speech, monitor):
        assert {event.plaintext for event in file} == {"One two three", "four five six."}
        assert max(rates(file)) <= 17


@pytest.mark.parametrize("language", ["en", "de", "ru", "zh"])
def test_at_double_speed_nothing_is_lost(tmp_path, language):
    text = (SCRIPTS / f"{language}.txt").read_text("utf-8").strip()
    voice = "mei" if language == "zh" else language
    speech, monitor = spoken(tmp_path, text, voice, 2.0)
    (file, _) = shown(tmp_path, speech, monitor)
    if max(rates(file)) > 17:
        assert any("faster than 17 characters" in warning for warning in monitor.warnings)
