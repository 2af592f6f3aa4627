"""The finished file, decoded again."""

from fractions import Fraction
from threading import Event

import numpy as np
import pytest

from avatalk.errors import BadInput, Cancelled, OutputError
from avatalk.events import Monitor
from avatalk.speech.audio import open_audio
from avatalk.speech.frames import frame_count
from avatalk.video.encode import encode
from avatalk.video.formats import check_output
from avatalk.video.tags import read_comment
from conftest import tone

SIZE = (160, 96)


def moving_square(n):
    for index in range(n):
        frame = np.full((SIZE[1], SIZE[0], 3), (40, 90, 160), np.uint8)
        frame[20:60, 2 * index % 120 : 2 * index % 120 + 30] = (230, 200, 40)
        yield frame


def write(
    path, sound, fps=Fraction(25), quality="standard", comment="{}", monitor=None, frames=moving_square
):
    audio = open_audio(sound)
    n = frame_count(audio.duration_s, audio.sample_rate, fps)
    monitor = monitor or Monitor()
    encode(path, frames(n), n, fps, SIZE, audio, quality=quality, comment=comment, monitor=monitor)
    return n


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(12), Fraction(60)])
@pytest.mark.parametrize("seconds", [0.35, 2.01])
def test_streams_times_and_lengths(tmp_path, make_wav, decode, moov_before_mdat, fps, seconds):
    path = tmp_path / "a.mp4"
    n = write(path, make_wav(tone(seconds)), fps)
    facts = decode(path)
    assert sorted(facts["streams"]) == ["audio", "video"]
    assert (facts["codec"], facts["profile"], facts["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (facts["audio_codec"], facts["audio_rate"]) == ("aac", 48000)
    assert facts["rate"] == fps
    assert facts["times"] == [index / fps for index in range(n)]
    assert 0 <= facts["video_s"] - seconds < 1 / fps + 1e-3
    assert abs(facts["video_s"] - facts["audio_s"]) <= 1 / fps + 1e-3
    assert moov_before_mdat(path)


def test_colours_come_back(tmp_path, make_wav, decode):
    path = tmp_path / "a.mp4"
    write(path, make_wav(tone(0.4)), quality="high")
    frame = decode(path)["frames"][0].astype(int)
    assert np.abs(frame[5, 5] - (40, 90, 160)).max() <= 4
    assert np.abs(frame[40, 15] - (230, 200, 40)).max() <= 4


@pytest.mark.parametrize("channels", [1, 2])
def test_the_sound_is_in_place(tmp_path, make_wav, decode, channels):
    rate = 44100
    sound = np.zeros((rate * 2, channels))
    sound[rate : rate + 4410] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(4410) / rate)[:, None]
    path = tmp_path / "a.mp4"
    write(path, make_wav(sound, rate))
    heard = decode(path)["sound"]
    assert heard.shape[0] == channels
    onset = np.flatnonzero(np.abs(heard[0]) > 0.1)[0] / 48000
    assert abs(onset - 1.0) < 0.03  # decoders may leave the encoder's 1024 samples of delay in


def test_same_input_same_bytes(tmp_path, make_wav):
    sound = make_wav(tone(1.0))
    write(tmp_path / "a.mp4", sound, comment='{"text": "é"}')
    write(tmp_path / "b.mp4", sound, comment='{"text": "é"}')
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert read_comment(tmp_path / "a.mp4") == '{"text": "é"}'


def failing(n):
    yield from moving_square(n // 2)
    raise ValueError("a bug")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, make_wav):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="a bug"):
        write(path, make_wav(tone(1.0)), frames=failing)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_cancelling_leaves_nothing(tmp_path, make_wav):
    stop = Event()
    monitor = Monitor(lambda progress: stop.set() if progress.done >= 5 else None, stop)
    with pytest.raises(Cancelled):
        write(tmp_path / "a.mp4", make_wav(tone(1.0)), monitor=monitor)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["nowhere/a.mp4", ".", "sub"])
def test_places_that_cannot_be_written(tmp_path, name):
    (tmp_path / "sub").mkdir()
    path = tmp_path / name
    with pytest.raises((OutputError, BadInput)) as caught:
        check_output(path)
    assert caught.value.hint and caught.value.exit_code in (2, 3)


def test_progress_counts_frames(tmp_path, make_wav):
    steps = []
    n = write(tmp_path / "a.mp4", make_wav(tone(1.0)), monitor=Monitor(steps.append))
    encoded = [step for step in steps if step.stage == "encode"]
    assert [step.done for step in encoded] == list(range(1, n + 1))
    assert all(step.total == n and step.unit == "frames" for step in encoded)
