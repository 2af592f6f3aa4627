"""The whole way, measured on rendered frames with the project's own face mesh."""

import subprocess
import sys

import numpy as np
import pytest

from avatalk import VideoRequest, plan, preview, render
from avatalk.errors import Cancelled
from avatalk.faces.mediapipe import MediaPipeFaces
from avatalk.media import VISEME_CHANNELS
from avatalk.video.ahead import side_by_side

SENTENCE = "Mama bought a big blue apple pie. Papa saw five fat frogs."


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A real photograph: a smiling astronaut, teeth showing (NASA, public domain, from scikit-image)."""
    from PIL import Image
    from skimage import data

    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(data.astronaut()[:300, 60:420]).save(path)
    return path


@pytest.fixture(scope="module")
def speech(espeak_wav):
    return espeak_wav(SENTENCE)


@pytest.fixture(scope="module")
def gaps():
    """Measure the gap between the inner lips in every frame, in eye distances."""
    finder = MediaPipeFaces()

    def measure(frames):
        measured = []
        for frame in frames:
            faces = finder.find(frame)
            assert faces, "a rendered frame has no face"
            lips = faces[0].landmarks
            measured.append(np.linalg.norm(lips[13, :2] - lips[14, :2]) / faces[0].eye_distance)
        return np.array(measured)

    return measure


def lag_of(one, other, most=4):
    """Frames by which `one` comes after `other`, by cross-correlation."""
    one, other = one - one.mean(), other - other.mean()
    scores = {}
    for shift in range(-most, most + 1):
        a, b = (
            one[max(0, shift) : len(one) + min(0, shift)],
            other[max(0, -shift) : len(other) - max(0, shift)],
        )
        scores[shift] = float(np.dot(a, b))
    return max(scores, key=scores.__getitem__)


REQUESTS = {
    "drawn, text": lambda photo, speech: VideoRequest(avatar="ada", text=SENTENCE, size="640x360"),
    "drawn, recording": lambda photo, speech: VideoRequest(avatar="ada", audio=str(speech), size="640x360"),
    "photograph, text": lambda photo, speech: VideoRequest(avatar=str(photo), text=SENTENCE),
    "photograph, recording": lambda photo, speech: VideoRequest(avatar=str(photo), audio=str(speech)),
}


@pytest.mark.parametrize("kind", REQUESTS)
def test_lips_follow_the_curve_and_rest_in_silence(kind, photo, speech, gaps):
    with plan(REQUESTS[kind](photo, speech)) as made:
        measured = gaps(made.frames())
        opening = made.visemes.opening
        assert np.corrcoef(measured, opening)[0, 1] >= 0.9
        assert abs(lag_of(measured, opening)) <= 1
        silent = ~made.visemes.values.any(axis=1)
        assert silent.sum() >= 3
        assert measured[silent].max() <= 0.02
        closed = made.visemes.values[:, VISEME_CHANNELS.index("closed")] > 0.95
        if made.speech.phonemes is not None:  # m, b, b, p, p, p, p are in the sentence
            assert closed.sum() >= 5
        assert not closed.any() or measured[closed].max() <= 0.02


@pytest.mark.parametrize("kind", ["drawn, text", "photograph, recording"])
def test_any_range_of_frames_is_the_same_bits(kind, photo, speech):
    request = REQUESTS[kind](photo, speech)
    with plan(request) as made:
        whole = list(made.frames())
        assert len(whole) == made.n_frames
        alone = list(made.frames(30, 60))
        last = next(made.frames(made.n_frames - 1, made.n_frames))
    with plan(request) as again:
        fresh = list(again.frames(40, 45))
    assert all(np.array_equal(a, b) for a, b in zip(whole[30:60], alone, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(whole[40:45], fresh, strict=True))
    assert np.array_equal(whole[-1], last)
    at = preview(request, float(33 / made.fps) + 1e-6)
    assert np.array_equal(at, whole[33])


@pytest.mark.parametrize("kind", ["drawn, recording", "photograph, text"])
def test_several_threads_draw_the_same_bits(kind, photo, speech):
    with plan(REQUESTS[kind](photo, speech)) as made:
        one = list(made.frames(0, 40))
        several = list(side_by_side(lambda index: next(made.frames(index, index + 1)), 40, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, several, strict=True))


def test_still_moves_nothing_outside_the_head(photo, speech):
    request = VideoRequest(avatar=str(photo), audio=str(speech), still=True)
    with plan(request) as made:
        frames = list(made.frames())
        x0, y0, x1, y1 = made.face.box
    pad = 0.35 * (y1 - y0)
    outside = np.ones(frames[0].shape[:2], bool)
    outside[int(max(0, y0 - pad)) : int(y1 + pad), int(max(0, x0 - pad)) : int(x1 + pad)] = False
    assert outside.sum() > 5000
    for frame in frames:
        assert np.array_equal(frame[outside], frames[0][outside])
    assert any(not np.array_equal(frame, frames[0]) for frame in frames)


def test_the_frame_edge_never_moves(photo, speech):
    with plan(VideoRequest(avatar=str(photo), audio=str(speech))) as made:
        frames = list(made.frames())
    for frame in frames:
        for edge in (np.s_[0], np.s_[:, 0], np.s_[:, -1]):
            assert np.array_equal(frame[edge], frames[0][edge])


def test_same_request_same_bytes(tmp_path, photo, speech):
    request = VideoRequest(avatar=str(photo), audio=str(speech), quality="draft", captions="srt")
    one, two = render(request, tmp_path / "a.mp4"), render(request, tmp_path / "b.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert one.frames == two.frames


def test_a_photograph_keeps_its_resolution(tmp_path, photo, speech, decode):
    result = render(VideoRequest(avatar=str(photo), audio=str(speech)), tmp_path / "a.mp4")
    facts = decode(tmp_path / "a.mp4")
    assert (result.width, result.height) == (360, 300)
    assert facts["frames"][0].shape == (300, 360, 3)
    assert abs(facts["video_s"] - facts["audio_s"]) <= 1 / 25 + 1e-3


@pytest.mark.parametrize("aspect", ["9:16", "1:1", "16:9"])
@pytest.mark.parametrize("drawn", [True, False])
def test_every_aspect(photo, aspect, drawn, gaps):
    avatar = "ada" if drawn else str(photo)
    with plan(VideoRequest(avatar=avatar, text="Hello.", aspect=aspect, quality="draft")) as made:
        across, down = map(int, aspect.split(":"))
        assert made.width * down == made.height * across
        assert len(gaps(made.frames(0, 1))) == 1


@pytest.mark.parametrize("fps", ["12", "30000/1001", "60"])
def test_frames_cover_the_sound_and_no_more(fps):
    with plan(VideoRequest(text="Hello.", fps=fps, size="160x90")) as made:
        assert 0 <= made.n_frames / made.fps - made.speech.audio.duration_s < 1 / made.fps


def test_cancelling_from_the_progress_leaves_nothing(tmp_path):
    def stop(progress):
        if progress.stage == "encode" and progress.done >= 3:
            raise Cancelled("Enough.", hint="")

    with pytest.raises(Cancelled):
        render(VideoRequest(text="Hello.", size="160x90"), tmp_path / "a.mp4", on_progress=stop)
    assert not list(tmp_path.iterdir())


def test_every_stage_reports(tmp_path):
    seen = []
    render(
        VideoRequest(text="Hi.", size="160x90"),
        tmp_path / "a.mp4",
        on_progress=lambda p: seen.append(p.stage),
    )
    assert {"avatar", "speech", "lipsync", "encode"} <= set(seen)


RENDER = """
import re, sys
from pathlib import Path
from avatalk import VideoRequest, render
made = render(VideoRequest(audio=sys.argv[1], size="128x72", fps=5, quality="draft"), sys.argv[2])
print(made.duration_s, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc; the peak of getrusage is the parent's there"
)
def test_memory_does_not_grow_with_the_length(tmp_path, espeak_wav):
    peaks = []
    for sentences in (4, 160):
        sound = espeak_wav("Another sentence about nothing, a little longer than the last. " * sentences)
        command = [sys.executable, "-c", RENDER, str(sound), str(tmp_path / "a.mp4")]
        duration_s, kib = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        peaks.append((float(duration_s), int(kib) * 1024))
    assert peaks[1][0] > 30 * peaks[0][0] and peaks[1][0] > 500
    assert peaks[1][1] - peaks[0][1] < 30e6
