"""Words found in sounds of which only the text is known, against espeak-ng's own times."""

import av
import numpy as np
import pysubs2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from avatalk import VideoRequest, plan, render
from avatalk.errors import BadInput
from avatalk.events import Monitor
from avatalk.faces.mediapipe import MediaPipeFaces
from avatalk.media import VISEME_CHANNELS
from avatalk.spec import load_spec, read_transcript
from avatalk.speech.align import align, align_utterance
from avatalk.speech.audio import open_audio
from avatalk.speech.base import Utterance
from avatalk.speech.espeak import Espeak
from avatalk.speech.text import pieces
from avatalk.speech.trellis import BLOCK, Trellis
from avatalk.speech.voices import lookup

RATE = 22050
TEXTS = {
    "en": "The ferry leaves before breakfast, so pack your bags tonight. Nobody wants to wait until Monday. "
    "My grandmother packed bread, cheese and two bottles of water!",
    "de": "Die Fähre fährt vor dem Frühstück, also packt heute Abend eure Taschen. Niemand will bis Montag "
    "warten. Meine Großmutter hat Brot, Käse und zwei Flaschen Wasser eingepackt!",
    "fr": "Le bateau part avant le petit déjeuner, préparez donc vos sacs ce soir. Personne ne veut attendre "
    "lundi. Ma grand-mère a emporté du pain, du fromage et deux bouteilles d'eau!",
    "es": "El barco sale antes del desayuno, así que preparad las maletas esta noche. Nadie quiere esperar "
    "hasta el lunes. Mi abuela lleva pan, queso y dos botellas de agua.",
    "ru": "Паром уходит до завтрака, поэтому соберите вещи сегодня вечером. Никто не хочет ждать до "
    "понедельника. Моя бабушка взяла хлеб, сыр и две бутылки воды!",
    "hi": "नाव नाश्ते से पहले निकलती है, इसलिए आज रात अपना सामान बाँध लो। कोई सोमवार तक रुकना नहीं चाहता।",
}
VOICES = {"en": "m7", "de": "f4", "fr": "Annie", "es": "Denis", "ru": "m7", "hi": "Annie"}
"""Variants that the aligner's own reader does not have."""


def spoken(language, speed=1.0, pauses_s=(0.2, 0.8), text=None, before_word=None):
    """Sound, and the true times of the words; `before_word` is a word with a second of silence before it."""
    voice = lookup(f"{lookup(language).identifier.split('+')[0]}+{VOICES[language]}")
    sound, words, now = [np.zeros(RATE // 3, np.float32)], [], RATE // 3
    for number, piece in enumerate(pieces(text or TEXTS[language])):
        utterance = Espeak().speak(piece.text, voice, speed, 1.15)
        made, late = utterance.sound, 0
        for word in utterance.words:
            if word.text == before_word:
                at = round(word.start_s * RATE)
                made, late = np.concatenate([made[:at], np.zeros(RATE, np.float32), made[at:]]), RATE
            words.append((word.text, word.start_s + (now + late) / RATE))
        sound += [made, np.zeros(round(pauses_s[number % 2] * RATE), np.float32)]
        now += len(sound[-1]) + len(sound[-2])
    return np.concatenate(sound), words


def noisy(sound, below_db=20.0):
    hiss = np.random.default_rng(5).standard_normal(len(sound))
    return sound + hiss * np.sqrt(np.mean(sound**2)) * 10 ** (-below_db / 20)


def aligned(make_wav, sound, text, language):
    return align(open_audio(make_wav(sound)), text, language, Monitor())


def off_s(found, words):
    """Mean distance of the words' starts from the true ones, seconds."""
    assert [word.text for word in found.words] == [text for text, _ in words]
    return float(np.mean([abs(w.start_s - true) for w, (_, true) in zip(found.words, words, strict=True)]))


@pytest.mark.parametrize("noise", [False, True])
@pytest.mark.parametrize(
    ("language", "speed"),
    [("en", 1.4), ("de", 0.8), ("fr", 1.0), ("es", 1.2), ("ru", 0.9), ("hi", 1.0)],
)
def test_word_starts_in_six_languages(language, speed, noise, make_wav):
    sound, words = spoken(language, speed)
    found = aligned(make_wav, noisy(sound) if noise else sound, TEXTS[language], language)
    assert off_s(found, words) <= 0.025
    assert [word.sentence for word in found.words] == sorted(word.sentence for word in found.words)
    assert found.words[-1].sentence == len(list(pieces(TEXTS[language]))) - 1
    assert found.phonemes[0].start_s == 0 and found.phonemes[-1].end_s == pytest.approx(len(sound) / RATE)
    for one, other in zip(found.phonemes, found.phonemes[1:], strict=False):
        assert one.start_s < one.end_s == other.start_s
        assert one.symbol or other.symbol
    for one, other in zip(found.words, found.words[1:], strict=False):
        assert one.start_s <= one.end_s <= other.start_s


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_twice_as_fast_and_half(speed, make_wav):
    sound, words = spoken("en", speed)
    assert off_s(aligned(make_wav, sound, TEXTS["en"], "en"), words) <= 0.025


def test_noise_around_and_a_pause_inside(make_wav):
    sound, words = spoken("en", before_word="bottles")
    lead = RATE * 4
    whole = noisy(np.concatenate([np.zeros(lead), sound, np.zeros(lead)]))
    words = [(text, start + 4) for text, start in words]
    found = aligned(make_wav, whole, TEXTS["en"], "en")
    assert off_s(found, words) <= 0.025
    bottles_s = dict(words)["bottles"]
    (pause,) = [p for p in found.phonemes if not p.symbol and p.start_s < bottles_s - 0.5 < p.end_s]
    assert pause.end_s == pytest.approx(bottles_s, abs=0.1) and pause.end_s - pause.start_s > 0.8


def test_words_that_the_transcript_misses(make_wav):
    sound, words = spoken("en")
    missing = {"so", "until", "cheese"}
    text = " ".join(word for word in TEXTS["en"].split() if word not in missing)
    found = aligned(make_wav, sound, text, "en")
    assert off_s(found, [word for word in words if word[0] not in missing]) <= 0.03


def test_a_sentence_that_nobody_says_is_left_out(make_wav):
    said = [piece.text for piece in pieces(TEXTS["en"])]
    sound, words = spoken("en", text=f"{said[0]} {said[2]}")
    assert off_s(aligned(make_wav, sound, TEXTS["en"], "en"), words) <= 0.025


def test_a_recording_of_the_last_sentence_alone(make_wav):
    text = "Good people get up early. " + TEXTS["en"]
    sound, words = spoken("en", text=list(pieces(text))[-1].text)
    assert off_s(aligned(make_wav, sound, text, "en"), words) <= 0.025


def test_a_recording_that_breaks_off(make_wav):
    text = " ".join([TEXTS["en"], *(f"And then the other {word} came along." for word in VOICES)] * 2)
    sound, words = spoken("en")
    found = aligned(make_wav, sound, text, "en")
    assert off_s(found, words) <= 0.03


@pytest.mark.parametrize(("other", "language"), [("de", "de"), ("es", "es"), ("ru", "ru")])
def test_another_text_is_refused(other, language, make_wav):
    sound, _ = spoken("en")
    assert aligned(make_wav, sound, TEXTS[other], language) is None
    assert aligned(make_wav, sound, TEXTS["en"], "en") is not None


def test_numbers_are_read_and_shown_as_written(make_wav):
    text = "Dr. Smith paid $45 on 3 May 2024 for a parrot of 12 kg."
    from avatalk.speech.normalise import changes
    from avatalk.speech.reading import read

    reading = read(text, changes(text, "en-US", ()))
    spoken_words = Espeak().speak(reading.spoken, lookup("brian"))
    true = [(word.text, word.start_s) for word in reading.words(spoken_words.words)]
    assert off_s(aligned(make_wav, spoken_words.sound, text, "en"), true) <= 0.025


def test_an_utterance_without_times_gets_them():
    voice = lookup("anna")
    known = Espeak().speak("Die Mama backt am Abend einen Apfelkuchen.", lookup("lukas"), 1.1)
    found = align_utterance(Utterance(known.sound, known.sample_rate), known.words and TEXT_DE, voice)
    assert off_s(found, [(word.text, word.start_s) for word in known.words]) <= 0.025
    assert found.phonemes[-1].end_s == pytest.approx(known.duration_s)
    lips = [p for p in found.phonemes if p.symbol[:1] in {"m", "b", "p"}]
    true = [p for p in known.phonemes if p.symbol[:1] in {"m", "b", "p"}]
    assert len(lips) == len(true)
    for one, other in zip(lips, true, strict=True):
        assert min(one.end_s, other.end_s) > max(one.start_s, other.start_s)  # they overlap


TEXT_DE = "Die Mama backt am Abend einen Apfelkuchen."


# --- dynamic programming -----------------------------------------------------------------------------


def cheapest(frames, states, silent):
    """The price of the best way by plain recursion over all states and steps."""
    before = np.full(len(states), np.inf)
    words = np.flatnonzero(silent)
    for number, frame in enumerate(frames):
        now = np.full(len(states), np.inf)
        for state in range(len(states)):
            ways = [0.0 if state <= 0 else np.inf] if number == 0 else []
            ways.append(before[state] + (0 if silent[state] else 2))
            for far in (1, 2, 3):
                if state >= far:
                    start = before[state - far] if number else (0.0 if state == far else np.inf)
                    passed = sum(2 for other in range(state - far + 1, state) if not silent[other])
                    ways.append(start + passed)
            if silent[state] and state:
                last = words[np.flatnonzero(words == state)[0] - 1]
                start = before[last] if number else (0.0 if last == 0 else np.inf)
                ways.append(start + 10 + 0.6 * (state - last))
            local = 2.0 + 0.5 if silent[state] else ((frame - states[state]) ** 2).sum() / 12
            now[state] = min(ways) + local
        before = now
    return min(before[-1], before[-2])


@settings(deadline=None, max_examples=40)
@given(
    words=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    length=st.integers(8, 60),
    seed=st.integers(0, 1000),
)
@example(words=[1, 6, 7, 7], length=8, seed=0)  # only ways that leave words out come to the end
def test_the_way_is_the_cheapest(words, length, seed):
    rng = np.random.default_rng(seed)
    silent = np.array([part for word in words for part in [True] + [False] * word] + [True])
    states = rng.normal(0, 3, (len(silent), 4)).astype(np.float32)
    frames = rng.normal(0, 3, (length, 4)).astype(np.float32)
    price = np.tile(np.float32([0.0, 0.5]), (length, 1))
    trellis = Trellis()
    trellis.extend(states[:2], silent[:2])
    trellis.extend(states[2:], silent[2:])
    trellis.extend(states[:0], silent[:0])
    for start in range(0, length, 7):
        trellis.step(frames[start : start + 7], price[start : start + 7])
    way = trellis.way()
    assert len(way) == length and way[-1] >= len(silent) - 2
    assert (np.diff(way) >= 0).all()
    assert trellis.price == pytest.approx(cheapest(frames, states, silent), rel=1e-4)


def test_a_long_way_needs_no_more_memory_than_a_short_one():
    rng = np.random.default_rng(1)
    trellis, held, at = Trellis(), [], 0
    text = rng.normal(0, 3, (30_000, 4)).astype(np.float32)
    silent = np.arange(len(text)) % 40 == 0
    for start in range(0, 25_000, BLOCK):  # four minutes
        while trellis.wants:
            trellis.extend(text[at : at + 500], silent[at : at + 500])
            at += 500
        frames = text[start : start + BLOCK] + rng.normal(0, 1, (BLOCK, 4)).astype(np.float32)
        quiet = silent[start : start + BLOCK].astype(np.float32)
        trellis.step(frames, np.stack([5 * quiet, 5 - 5 * quiet], axis=1))
        held.append(sum(block.steps.nbytes for block in trellis._open) + trellis._features.nbytes)
    assert max(held[80:]) <= 1.5 * max(held[:80])
    assert max(held) < 20e6
    trellis.extend(text[:0], silent[:0])
    assert np.abs(trellis.way() - np.arange(25_000))[:-10].max() <= 3


# --- from the request to the file --------------------------------------------------------------------

LIPS = "Mama bought a big blue apple pie. Papa saw five fat frogs. Bob may help them."


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """An mp3 of `LIPS` in another voice, its words and its lip closures."""
    utterances = [Espeak().speak(piece.text, lookup("en-us+m7"), 0.95) for piece in pieces(LIPS)]
    sound, words, closures, now = [np.zeros(RATE // 2, np.float32)], [], [], 0.5
    for utterance in utterances:
        words += [(word.text, now + word.start_s) for word in utterance.words]
        closures += [
            now + (p.start_s + p.end_s) / 2 for p in utterance.phonemes if p.symbol[:1] in set("pbm")
        ]
        sound += [utterance.sound, np.zeros(RATE // 2, np.float32)]
        now += utterance.duration_s + RATE // 2 / RATE
    path = tmp_path_factory.mktemp("recording") / "speech.mp3"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mp3", rate=RATE, layout="mono")
        samples = (np.clip(np.concatenate(sound), -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return path, words, closures


def test_captions_and_closed_lips_of_a_recording(recording, tmp_path, decode):
    path, words, closures = recording
    request = VideoRequest(
        avatar="ada", audio=str(path), transcript=LIPS, captions="srt", size="640x360", still=True
    )
    result = render(request, tmp_path / "talk.mp4")
    assert result.warnings == []
    cues = pysubs2.load(result.captions[0])
    assert " ".join(cue.plaintext.replace("\n", " ") for cue in cues) == LIPS
    starts = dict(words)
    for cue in cues:
        assert cue.start / 1000 == pytest.approx(starts[cue.plaintext.split()[0]], abs=0.15)
    with plan(request) as made:
        closed = made.visemes.values[:, VISEME_CHANNELS.index("closed")] > 0.95
    shut = [round(time * 25) for time in closures]
    hit = [closed[max(i - 1, 0) : i + 2].any() for i in shut]
    assert np.mean(hit) >= 0.9
    frames, finder = decode(tmp_path / "talk.mp4")["frames"], MediaPipeFaces()

    def gap(index):
        (face, *_) = finder.find(frames[index])
        return np.linalg.norm(face.landmarks[13, :2] - face.landmarks[14, :2]) / face.eye_distance

    seen = [min(gap(i) for i in (index - 1, index, index + 1)) for index in shut[:8]]
    assert np.median(seen) <= 0.02
    assert max(gap(i) for i in range(shut[0], shut[0] + 12)) > 0.05


def test_a_transcript_of_something_else_is_told_and_passed_over(recording):
    path, _, _ = recording
    request = VideoRequest(avatar="ada", audio=str(path), transcript=TEXTS["en"], captions="srt")
    with plan(request) as made:
        assert made.speech.phonemes is None and made.speech.words is None
        assert any("does not say the transcript" in warning for warning in made.warnings)
        assert made.visemes.values.any()


def test_the_transcript_travels_with_the_video(recording, tmp_path):
    path, _, _ = recording
    request = VideoRequest(avatar="ada", audio=str(path), transcript=LIPS, size="160x90", quality="draft")
    render(request, tmp_path / "one.mp4")
    again = load_spec(tmp_path / "one.mp4")
    assert again.transcript == LIPS
    render(again, tmp_path / "two.mp4")
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


@pytest.mark.parametrize(
    "fields", [{"text": "Hello.", "transcript": "Hello."}, {"audio": "a", "transcript": " "}]
)
def test_transcripts_that_make_no_sense(fields):
    with pytest.raises(BadInput) as error:
        VideoRequest(**fields)
    assert error.value.field == "transcript" and error.value.hint


def test_the_words_of_captions(tmp_path):
    lines = ["The ferry leaves\nbefore breakfast,", "so pack <i>your</i> bags: 3 of them.", "1984"]
    subs = pysubs2.SSAFile()
    for number, line in enumerate(lines):
        text = line.replace("\n", "\\N")
        subs.append(pysubs2.SSAEvent(start=number * 2000, end=number * 2000 + 1900, text=text))
    for suffix in ("srt", "vtt"):
        path = tmp_path / f"words.{suffix}"
        subs.save(str(path))
        words = "The ferry leaves before breakfast, so pack your bags: 3 of them. 1984"
        assert read_transcript(path) == words
    (tmp_path / "a.vtt").write_text(
        "WEBVTT - a title\n\nNOTE made\nby hand\n\nintro\n00:01.000 --> 00:02.000 line:0\n<v Ann>Hello.</v>\n"
    )
    assert read_transcript(tmp_path / "a.vtt") == "Hello."


def test_the_command_line_reads_the_transcript(recording, tmp_path):
    from typer.testing import CliRunner

    from avatalk.cli import app

    words, spec = tmp_path / "words.txt", tmp_path / "spec.json"
    words.write_text(LIPS, encoding="utf-8")
    tiny = ["--size", "160x90", "--quality", "draft", "-o", str(tmp_path / "a.mp4")]
    made = CliRunner().invoke(
        app, ["make", "--audio", str(recording[0]), "--transcript", str(words), "--language", "en", *tiny]
    )
    assert made.exit_code == 0 and "no effect" not in made.stderr
    request = load_spec(tmp_path / "a.mp4")
    assert request.transcript == LIPS and request.language == "en"
    spec.write_text(request.to_json(), encoding="utf-8")
    again = CliRunner().invoke(
        app, ["preview", "--spec", str(spec), "--text", "Hi.", "-o", str(tmp_path / "a.png")]
    )
    assert again.exit_code == 0, again.stderr  # the transcript belonged to the recording


def test_words_of_which_none_was_said_are_left_out():
    from avatalk.media import Word
    from avatalk.speech.align import _said

    assert list(_said([Word(str(k), 0.1 * k, 0.1 * k) for k in range(40)], 5.0)) == []
