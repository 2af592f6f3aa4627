"""Corrections of a text: one sentence is said otherwise, and all else of the video stays."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from avatalk import VideoRequest, load_spec, plan, render
from avatalk.errors import BadInput, SpeechError
from avatalk.jobs.foresight import check_names
from avatalk.lipsync.visemes import from_phonemes
from avatalk.media import MOTION_CHANNELS
from avatalk.speech.correct import as_said, said_sentences

TEXT = (
    "Good morning. The train to Hamburg leaves at nine from platform four. Please be there in time! "
    "Who is late walks.\n\nThere is coffee on board, and tea, and some cake. Bring a book. "
    "We wish you a good journey."
)
SENTENCES = [
    "Good morning.",
    "The train to Hamburg leaves at nine from platform four.",
    "Please be there in time!",
    "Who is late walks.",
    "There is coffee on board, and tea, and some cake.",
    "Bring a book.",
    "We wish you a good journey.",
]
SAID = st.sampled_from(
    [
        "No.",
        "Hi!",
        "The train to Berlin leaves at ten.",
        "Please bring a warm coat, good shoes, and something to eat. Do not forget the tickets.",
        "Popes bump.",
    ]
)
SMALL = {"size": "64x64", "text": TEXT}


def samples(made):
    return np.concatenate([block[:, 0] for block in made.speech.audio.blocks(made.speech.audio.sample_rate)])


def corrections(*pairs):
    return [{"sentence": number, "text": text} for number, text in pairs]


def steps(rows):
    return np.abs(np.diff(rows, axis=0)).max(axis=0, initial=0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.dictionaries(st.integers(0, 6), SAID, min_size=1, max_size=3),
    fps=st.sampled_from(["25", "30000/1001", "24000/1001", "12", "50", "2"]),
    still=st.booleans(),
    speed=st.sampled_from([1.0, 2.0]),
)
def test_what_is_not_corrected_stays_as_it_was(monkeypatch, tmp_path_factory, said, fps, still, speed):
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    same = {**SMALL, "fps": fps, "still": still, "speed": speed, "seed": 3}
    with (
        plan(VideoRequest(**same)) as old,
        plan(VideoRequest(**same, corrections=corrections(*said.items()))) as new,
    ):
        splices, rate, fps = new.speech.splices, new.speech.audio.sample_rate, Fraction(fps)
        assert len(splices) == len(said)
        heard = samples(old), samples(new)
        at_old = at_new = 0
        moved = since = 0  # samples
        for number, splice in zip(sorted(said), splices, strict=True):
            # Frames before it are those of before, and so is what is heard before it begins.
            before = splice.start - at_old
            for name in ("visemes", "motion"):
                rows = (
                    getattr(old, name).values[at_old : splice.start],
                    getattr(new, name).values[at_new:][:before],
                )
                assert np.array_equal(*rows)
            begin = round(splice.begin_s * rate)
            assert np.array_equal(heard[0][since:begin], heard[1][since + moved : begin + moved])
            own = round(splice.speech.audio.duration_s * rate)
            assert np.abs(heard[1][begin + moved :][:own]).max() > 0.1  # it speaks
            first = [word for word in new.speech.words if word.sentence == number]
            assert " ".join(word.text for word in first) == said[number]
            assert abs(first[0].start_s - (begin + moved) / rate) < 0.2
            at_old, at_new = splice.stop, at_new + before + splice.frames
            since = round([*old.speech.joints, len(heard[0]) / rate][number] * rate)
            moved += round((splice.frames - (splice.stop - splice.start)) * rate / fps)
        for name in ("visemes", "motion"):
            assert np.array_equal(getattr(old, name).values[at_old:], getattr(new, name).values[at_new:])
        assert np.array_equal(heard[0][since:], heard[1][since + moved :])
        assert len(heard[1]) == len(heard[0]) + moved
        assert (
            new.n_frames
            == len(new.visemes.values)
            == len(new.motion.values)
            == old.n_frames + at_new - at_old
        )
        assert -1 < new.n_frames - len(heard[1]) * fps / rate < 1
        ends = [(phoneme.start_s, phoneme.end_s) for phoneme in new.speech.phonemes]
        assert all(abs(one[1] - other[0]) < 1e-4 for one, other in pairwise(ends))
        assert ends[-1][1] == pytest.approx(new.speech.audio.duration_s, abs=1e-4)
        words = [word for word in old.speech.words if word.sentence not in said]
        kept = [word for word in new.speech.words if word.sentence not in said]
        assert [word.text for word in words] == [word.text for word in kept]


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize(
    "text", ["It opens at five.", "There is coffee, but no tea, and we are sorry for that."]
)
def test_nothing_jumps_where_a_correction_begins_and_ends(number, text):
    same = {**SMALL, "seed": number}
    with (
        plan(VideoRequest(**same)) as old,
        plan(VideoRequest(**same, corrections=corrections((number, text)))) as new,
    ):
        splice = new.speech.splices[0]
        place = slice(max(splice.start - 1, 0), splice.start + splice.frames + 1)
        # The head, radians: most it does from frame to frame anyway is a nod.
        most = steps(old.motion.values[:, :3]).max()
        assert (steps(new.motion.values[place, :3]) <= 1.1 * most).all()
        for curve, before in ((new.visemes, old.visemes), (new.motion, old.motion)):
            for joint in (splice.start, splice.start + splice.frames):
                ends = curve.values[max(joint - 1, 0) : joint + 1]
                assert (steps(ends) <= steps(before.values) + 0.01).all()
        # The mouth says what is heard; at the joints it may differ a little, since it passes over there.
        heard = from_phonemes(new.speech.phonemes, 25.0, new.n_frames).values
        assert np.abs(new.visemes.values - heard).max() < 0.1
        lids = new.motion.values[:, MOTION_CHANNELS.index("blink")]
        for start, stop in closed(lids):
            assert stop - start < 0.35 * 25  # nobody falls asleep
            assert lids[start:stop].max() > 0.5 or stop - start < 2  # nor blinks by halves


def closed(lids):
    """First frame and the one after the last of each time that lids are not open."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lids > 0, [0]])))
    return edges.reshape(-1, 2)


def test_the_file_carries_its_corrections_and_a_spec_makes_it_again(tmp_path):
    request = VideoRequest(
        **SMALL, captions="srt", corrections=corrections((5, "Bring two."), (1, "It is late."))
    )
    render(request, tmp_path / "a.mp4")
    again = load_spec(tmp_path / "a.mp4")
    assert again == request and [one.sentence for one in again.corrections] == [1, 5]
    shown = (tmp_path / "a.srt").read_text()
    assert "It is late." in shown and "Bring two." in shown and "Hamburg" not in shown


def test_a_correction_speaks_as_its_sentence_did():
    text = "<speak>Good day. <prosody rate='fast'>This is said in a hurry.</prosody> Goodbye.</speak>"
    lengths = []
    for number in range(3):
        said = corrections((number, "That was said in a hurry."))
        with plan(VideoRequest(text=text, size="64x64", corrections=said)) as made:
            lengths.append(made.speech.splices[0].speech.audio.duration_s)
    assert lengths[1] < 0.85 * lengths[2]


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"corrections": corrections((7, "No."))}, BadInput, "no sentence 7"),
        ({"corrections": corrections((0, "?!"))}, SpeechError, "no letters"),
        ({"corrections": corrections((0, "a"), (0, "b"))}, BadInput, "one correction"),
        ({"corrections": corrections((0, ""))}, BadInput, "empty"),
        ({"corrections": "[{"}, BadInput, "JSON"),
        ({"corrections": corrections((0, "a")), "text": None, "audio": "a.wav"}, BadInput, "without a text"),
    ],
)
def test_a_correction_that_cannot_be_made_is_told(fields, error, words):
    with pytest.raises(error, match=words) as caught, plan(VideoRequest(**SMALL | fields)):
        pass
    assert caught.value.field == "corrections"
    with pytest.raises(error, match=words) as caught:  # before a job is taken
        check_names(VideoRequest(**SMALL | fields), ())
    assert caught.value.field == "corrections"


def test_a_text_is_told_as_it_is_said():
    assert said_sentences(TEXT, []) == SENTENCES
    said = as_said(TEXT, [(3, "Who runs, comes. "), (6, "Bye!")])
    assert said == TEXT.replace("Who is late walks.", "Who runs, comes.").replace(SENTENCES[6], "Bye!")
    for script in ("<speak>One. Two.</speak>", "<speak>One. Two."):
        assert (as_said(script, [(0, "No.")]), said_sentences(script, [(0, "No.")])) == (script, [])


@pytest.mark.parametrize("captions", ["none", "burn"])
def test_only_what_differs_is_traced(captions):
    look = {**SMALL, "captions": captions}
    with (
        plan(VideoRequest(**look)) as old,
        plan(VideoRequest(**look, corrections=corrections((3, "Who is late runs after us.")))) as new,
    ):
        (splice,), cuts = new.speech.splices, [0, *old.cuts(), old.n_frames]
        by = splice.frames - (splice.stop - splice.start)
        assert by > 10
        for number, (start, stop) in enumerate(pairwise(cuts)):
            later = by if start >= splice.stop else 0
            same = old.trace(start, stop) == new.trace(start + later, stop + later)
            if captions == "none" or number in (0, 6):  # captions beside it may be grouped otherwise
                assert same == (number != 3)
        with plan(VideoRequest(**SMALL, captions="none" if captions == "burn" else "burn")) as other:
            assert other.trace(*cuts[:2]) != old.trace(*cuts[:2])
        assert old.trace(cuts[5], cuts[6]) != old.trace(cuts[5], cuts[6] - 1)


def test_frames_that_depend_on_more_than_their_rows_have_no_trace(tmp_path):
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(
        tmp_path / "moves.gif", save_all=True, append_images=[Image.new("RGB", (64, 64), "red")], duration=40
    )
    with plan(VideoRequest(**SMALL, background=str(tmp_path / "moves.gif"))) as made:
        assert made.trace(0, 10) is None
    with plan(VideoRequest(**SMALL, background="green")) as made:
        assert made.trace(0, 10) is not None
