from __future__ import annotations

import tracemalloc
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from threading import Event

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.errors import Cancelled, SpeechError, UnreadableFile
from avatalk.events import Monitor, Progress
from avatalk.speech.audio import AudioClip, open_audio

ONSET_S = 0.4
SECONDS = 1.5

# name, codec, hertz, layout, and whether the container states where the sound really begins and ends
FILES = [
    ("a.wav", "pcm_s16le", 44100, "stereo", True),
    ("b.wav", "pcm_u8", 8000, "mono", True),
    ("c.wav", "pcm_f32le", 48000, "5.1", True),
    ("d.wav", "pcm_s24le", 96000, "7.1", True),
    ("e.mp3", "libmp3lame", 44100, "stereo", True),
    ("f.mp3", "libmp3lame", 16000, "mono", True),
    ("g.m4a", "aac", 44100, "stereo", True),
    ("h.m4a", "aac", 16000, "mono", True),
    ("i.ogg", "libopus", 48000, "stereo", True),
    ("j.opus", "libopus", 24000, "mono", True),
    ("k.flac", "flac", 44100, "stereo", True),
    ("l.flac", "flac", 22050, "mono", True),
    ("m.webm", "libopus", 48000, "mono", True),
    ("n.aiff", "pcm_s16be", 32000, "stereo", True),
    ("o.aac", "aac", 44100, "stereo", False),
]
TYPES = ["a.wav", "e.mp3", "g.m4a", "i.ogg", "j.opus", "k.flac"]


def tone(rate: int, seconds: float = SECONDS, onset_s: float = ONSET_S) -> np.ndarray:
    """Silence, then 440 Hz at 0.3."""
    t = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 440 * t) * (t >= onset_s)).astype(np.float32)


def add_sound(container: av.container.OutputContainer, codec: str, rate: int, sound: np.ndarray) -> None:
    """Encode `sound`, (channels, samples), as a stream of `container`."""
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}[len(sound)]
    stream = container.add_stream(codec, rate=rate, layout=layout)
    resampler = av.AudioResampler(format=stream.format, layout=layout, rate=rate)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T).reshape(1, -1), "flt", layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def make(path: Path, codec: str, rate: int, layout: str, sound: np.ndarray | None = None) -> Path:
    channels = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}[layout]
    sound = np.repeat(tone(rate)[None], channels, axis=0) if sound is None else sound
    with av.open(str(path), "w") as container:
        add_sound(container, codec, rate, sound)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("audio")
    return {name: make(folder / name, codec, rate, layout) for name, codec, rate, layout, _ in FILES}


def whole(clip: AudioClip, rate: int, channels: int = 1, block_s: float = 10.0) -> np.ndarray:
    return np.concatenate(list(clip.blocks(rate, channels, block_s)))


@pytest.mark.parametrize(("name", "codec", "rate", "layout", "exact"), FILES)
def test_every_format_keeps_its_length_and_its_time(files, name, codec, rate, layout, exact):
    monitor = Monitor()
    clip = open_audio(files[name], monitor)
    assert monitor.warnings == []
    assert clip.channels == {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}[layout]
    assert clip.sample_rate == (48000 if codec == "libopus" else rate)
    assert clip.duration_s == pytest.approx(SECONDS, abs=1e-6 if exact else 0.06)
    for out_rate, channels in ((16000, 1), (48000, 2), (clip.sample_rate, 1)):
        sound = whole(clip, out_rate, channels, 0.5)
        assert sound.dtype == np.float32
        assert sound.shape == (round(clip.duration_s * out_rate), channels)
        onset_s = np.argmax(np.abs(sound[:, 0]) > 0.05) / out_rate
        assert onset_s == pytest.approx(ONSET_S, abs=0.003 if exact else 0.06)
        level = np.sqrt(np.mean(sound[round(0.8 * out_rate) : round(1.4 * out_rate)] ** 2))
        assert level == pytest.approx(0.3 / np.sqrt(2), rel=0.06)
        last = sound[-round(0.002 * out_rate) :, 0]
        assert np.abs(last).max() > (0.15 if exact else -1)


@settings(max_examples=25, deadline=None)
@given(
    rate=st.integers(4000, 96000),
    out_rate=st.sampled_from([8000, 16000, 22050, 44100, 48000]),
    samples=st.integers(10_000, 60_000),
    block_s=st.floats(0.01, 3.0),
    channels=st.sampled_from([1, 2]),
)
def test_blocks_have_one_size_and_add_up(tmp_path_factory, rate, out_rate, samples, block_s, channels):
    path = tmp_path_factory.getbasetemp() / "any.wav"
    noise = np.random.default_rng(samples).integers(-9000, 9000, (samples, channels), np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    clip = open_audio(path)
    assert clip.duration_s == samples / rate
    sizes = [len(block) for block in clip.blocks(out_rate, 1, block_s)]
    assert sum(sizes) == round(clip.duration_s * out_rate)
    assert set(sizes[:-1]) <= {max(1, round(block_s * out_rate))}
    assert 0 < sizes[-1] <= max(1, round(block_s * out_rate))


def test_block_size_does_not_change_the_samples(files):
    clip = open_audio(files["e.mp3"])
    assert np.array_equal(whole(clip, 16000, 1, 0.037), whole(clip, 16000, 1, 100.0))


def test_mono_is_the_mean_and_stereo_keeps_its_sides(tmp_path):
    left = tone(48000)
    sound = np.stack([left, -0.5 * left])
    clip = open_audio(make(tmp_path / "sides.flac", "flac", 48000, "stereo", sound))
    mono, stereo = whole(clip, 48000, 1)[:, 0], whole(clip, 48000, 2)
    assert np.abs(mono - 0.25 * left).max() < 1e-3
    assert np.abs(stereo.T - sound).max() < 1e-3


def test_surround_is_mixed_by_sides_and_never_clips(tmp_path):
    rate = 48000
    sound = np.zeros((6, rate), np.float32)  # FL FR FC LFE BL BR
    loud = np.sin(2 * np.pi * 300 * np.arange(rate) / rate).astype(np.float32)
    sound[0] = sound[4] = loud
    clip = open_audio(make(tmp_path / "surround.wav", "pcm_f32le", rate, "5.1", sound))
    stereo = whole(clip, rate, 2)
    assert np.abs(stereo[:, 1]).max() < 1e-6
    assert 0.5 < np.abs(stereo[:, 0]).max() < 1.0


def test_sound_of_a_video_and_a_late_start(tmp_path):
    path = tmp_path / "talk.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        add_sound(container, "aac", 48000, tone(48000)[None])
        for _ in range(75):  # the picture lasts longer than the sound
            container.mux(video.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(video.encode(None))
    monitor = Monitor()
    clip = open_audio(path, monitor)
    assert clip.duration_s == pytest.approx(SECONDS, abs=1e-3)
    assert monitor.warnings == []

    late = tmp_path / "late.mka"
    with av.open(str(late), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        samples = (tone(16000) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, 5 * 16000, Fraction(1, 16000)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    clip = open_audio(late)
    assert clip.duration_s == pytest.approx(SECONDS, abs=1e-6)
    assert np.argmax(np.abs(whole(clip, 16000)) > 0.05) / 16000 == pytest.approx(ONSET_S, abs=0.002)


def test_of_several_streams_one_is_taken_whole(tmp_path):
    path = tmp_path / "two.mka"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("pcm_s16le", rate=16000, layout="mono") for _ in range(2)]
        for stream, factor in zip(streams, (1.0, 0.5), strict=True):
            samples = (factor * tone(16000) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 16000, 0, Fraction(1, 16000)
            container.mux(stream.encode(frame))
    sound = whole(open_audio(path), 16000)
    assert len(sound) == SECONDS * 16000
    assert np.abs(sound).max() in (pytest.approx(0.3, abs=0.01), pytest.approx(0.15, abs=0.01))


def test_tags_in_an_old_encoding_do_no_harm(files, tmp_path):
    data = files["a.wav"].read_bytes()
    tags = b"INFOINAM" + (6).to_bytes(4, "little") + "Größe\0".encode("latin-1")
    data += b"LIST" + len(tags).to_bytes(4, "little") + tags
    path = tmp_path / "tags.wav"
    path.write_bytes(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    monitor = Monitor()
    assert open_audio(path, monitor).duration_s == SECONDS
    assert monitor.warnings == []


def test_an_mp3_without_a_count_of_its_frames(files, tmp_path):
    data = files["e.mp3"].read_bytes()
    assert b"Info" in data or b"Xing" in data
    path = tmp_path / "bare.mp3"
    path.write_bytes(data.replace(b"Info", bytes(4)).replace(b"Xing", bytes(4)))
    monitor = Monitor()
    assert open_audio(path, monitor).duration_s == pytest.approx(SECONDS, abs=0.12)
    assert monitor.warnings == []


# --- bad files -------------------------------------------------------------------------------------


def refused(path: Path, kind: type[Exception] = UnreadableFile) -> str:
    with pytest.raises(kind) as caught:
        open_audio(path)
    error = caught.value
    assert type(error) is kind
    assert (error.stage, error.field) == ("speech", "audio")
    assert error.hint
    return error.message


@pytest.mark.parametrize("name", TYPES)
def test_an_empty_file_of_every_type(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    assert "empty" in refused(tmp_path / name)


@pytest.mark.parametrize("name", TYPES)
def test_a_corrupt_file_of_every_type(files, tmp_path, name):
    data = bytearray(files[name].read_bytes())
    noise = np.random.default_rng(3).bytes(len(data))
    path = tmp_path / name
    path.write_bytes(noise)
    assert "unknown kind" in refused(path)
    path.write_bytes(data[:12] + noise[12:])  # its head is right, the rest is not
    assert "damaged" in refused(path) or name == "a.wav"


@pytest.mark.parametrize("name", TYPES[1:])  # in a WAV file any bytes are sound
def test_a_file_damaged_in_the_middle_is_read_with_a_warning(tmp_path, name):
    codec, rate, layout = next(file[1:4] for file in FILES if file[0] == name)
    sound = np.repeat(tone(rate, 6.0)[None], 1 if layout == "mono" else 2, axis=0)
    path = make(tmp_path / name, codec, rate, layout, sound)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 5] = np.random.default_rng(4).bytes(len(data) // 5)
    path.write_bytes(data)
    monitor = Monitor()
    clip = open_audio(path, monitor)
    assert 3.0 < clip.duration_s < 6.3
    assert len(monitor.warnings) == 1
    assert name in monitor.warnings[0]
    assert len(whole(clip, 16000)) == round(clip.duration_s * 16000)


@pytest.mark.parametrize("name", ["a.wav", "c.wav", "e.mp3", "f.mp3", "k.flac", "m.webm", "n.aiff"])
def test_a_file_cut_short_near_its_end_is_used_with_a_warning(files, tmp_path, name):
    data = files[name].read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * 0.7)])
    monitor = Monitor()
    clip = open_audio(path, monitor)
    assert 0.5 * SECONDS < clip.duration_s < 0.9 * SECONDS
    assert "incomplete" in monitor.warnings[0]
    path.write_bytes(data[: int(len(data) * 0.2)])
    assert "damaged" in refused(path)


@pytest.mark.parametrize("name", ["i.ogg", "j.opus", "o.aac"])
def test_a_stream_cut_short_is_used_as_far_as_it_goes(files, tmp_path, name):
    data = files[name].read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * 0.8)])
    assert 0.5 * SECONDS < open_audio(path).duration_s < 0.9 * SECONDS


def test_an_m4a_cut_short_says_so(files, tmp_path):
    path = tmp_path / "g.m4a"
    path.write_bytes(files["g.m4a"].read_bytes()[:-600])
    message = refused(path)
    assert "M4A" in message
    assert "incomplete" in message


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (
        lambda path: path.write_text("Dear Sir,\nthis is no sound. Grüße\n" * 9, "utf-8"),
        "a text file",
    ),
    "page": (lambda path: path.write_text("<!DOCTYPE html><html><body>Sign in</body></html>"), "a web page"),
    "png": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200)), "a PNG image"),
    "jpeg": (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(200)), "a JPEG image"),
    "pdf": (lambda path: path.write_bytes(b"%PDF-1.7\n" + bytes(200)), "a PDF document"),
    "playlist": (lambda path: path.write_text("#EXTM3U\n#EXTINF:9,\na.wav\n#EXT-X-ENDLIST\n"), "a text file"),
}


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("kind", WRONG)
def test_a_wrongly_named_file_is_told_for_what_it_is(files, tmp_path, name, kind):
    write, words = WRONG[kind]
    (tmp_path / "a.wav").write_bytes(files["a.wav"].read_bytes())  # what the playlist points to
    path = tmp_path / f"wrong-{name}"
    write(path)
    assert words in refused(path)


@pytest.mark.parametrize("name", TYPES)
def test_sound_under_another_types_name_is_read(files, tmp_path, name):
    for other in TYPES:
        path = tmp_path / other
        path.write_bytes(files[name].read_bytes())
        assert open_audio(path).duration_s == open_audio(files[name]).duration_s


def test_real_pictures_and_mute_videos(tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), "red").save(tmp_path / "photo.jpg")
    (tmp_path / "photo.jpg").rename(tmp_path / "photo.mp3")
    assert "a JPEG image" in refused(tmp_path / "photo.mp3")
    with av.open(str(tmp_path / "mute.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(stream.encode(None))
    assert "video without sound" in refused(tmp_path / "mute.mp4")


def test_missing_and_no_file(tmp_path):
    if Path("/dev/zero").exists():
        assert "not a file" in refused(Path("/dev/zero"))
    assert "does not exist" in refused(tmp_path / "nowhere.wav")
    assert "folder" in refused(tmp_path)


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_u8", "pcm_f32le"])
def test_silence_and_nearly_nothing(tmp_path, codec):
    silence = np.zeros((1, 16000), np.float32)
    path = make(tmp_path / "silent.wav", codec, 16000, "mono", silence)
    assert "silent" in refused(path, SpeechError)
    faint = make(tmp_path / "faint.wav", "pcm_s16le", 16000, "mono", tone(16000)[None] * 0.02)
    assert open_audio(faint).duration_s == SECONDS
    short = make(tmp_path / "short.wav", codec, 16000, "mono", tone(16000, 0.05, 0.0)[None])
    assert "0.050 s" in refused(short, SpeechError)
    header = make(tmp_path / "header.wav", "pcm_s16le", 16000, "mono", tone(16000)[None]).read_bytes()[:44]
    (tmp_path / "header.wav").write_bytes(header)
    assert "damaged" in refused(tmp_path / "header.wav")


def test_broken_samples_do_not_spread(tmp_path):
    sound = tone(16000)
    sound[9000:9003] = np.nan, np.inf, 40.0
    clip = open_audio(make(tmp_path / "nan.wav", "pcm_f32le", 16000, "mono", sound[None]))
    out = whole(clip, 16000)
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 1.0
    assert np.abs(out[9003:12000]).max() < 0.31


def test_a_file_that_changes_while_it_is_used(files, tmp_path):
    path = tmp_path / "going.wav"
    path.write_bytes(files["a.wav"].read_bytes())
    clip = open_audio(path)
    path.write_bytes(files["a.wav"].read_bytes()[:50_000])
    with pytest.raises(UnreadableFile, match="changed"):
        whole(clip, 16000)
    path.unlink()
    with pytest.raises(UnreadableFile, match="does not exist"):
        whole(clip, 16000)


def test_progress_and_cancellation(tmp_path):
    path = make(tmp_path / "long.wav", "pcm_s16le", 8000, "mono", np.tile(tone(8000), 20)[None])
    steps: list[Progress] = []
    clip = open_audio(path, Monitor(on_progress=steps.append))
    assert clip.duration_s == 20 * SECONDS
    assert [step.stage for step in steps] == ["speech"] * len(steps)
    assert steps[0].done < steps[-1].done <= steps[-1].total == pytest.approx(20 * SECONDS, abs=0.1)
    stop = Event()
    stop.set()
    with pytest.raises(Cancelled):
        open_audio(path, Monitor(cancelled=stop))


def test_memory_does_not_grow_with_length(tmp_path):
    peaks = []
    for minutes in (0.5, 5):
        path = tmp_path / f"{minutes}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 24000, 0, "NONE", ""))
            second = (tone(24000, 1.0, 0.0) * 32767).astype(np.int16)
            for _ in range(round(minutes * 60)):
                file.writeframesraw(second.tobytes())
        tracemalloc.start()
        clip = open_audio(path)
        total = sum(len(block) for block in clip.blocks(16000, 1))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert total == minutes * 60 * 16000
    assert peaks[1] < 1.5 * peaks[0] + 1e6
