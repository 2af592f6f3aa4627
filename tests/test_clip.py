"""Clips: which frames there are and when, any of them in any order, and which is shown when."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatalk.avatars.clip import Clip, is_clip, open_clip, schedule
from avatalk.avatars.clip_index import constant_rate
from avatalk.errors import UnreadableFile
from avatalk.events import Monitor
from clips import numbered, turn_mp4, write_clip

NTSC = Fraction(30000, 1001)


def decoded(path):
    """The frames as PyAV shows them, undisturbed."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def apart(a, b):
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


# --- what a clip is --------------------------------------------------------------------------------


def test_only_moving_pictures_are_clips(tmp_path, make_wav):
    clip = write_clip(tmp_path / "clip.mp4", numbered(3))
    still = write_clip(tmp_path / "still.mp4", numbered(1))
    disguised = tmp_path / "clip.jpg"
    disguised.write_bytes(clip.read_bytes())
    picture = next(numbered(1))
    for name in ("a.png", "a.jpg", "a.bmp", "a.tiff", "a.webp"):
        cv2.imwrite(str(tmp_path / name), picture)
    two_in_one = tmp_path / "two.jpg"
    two_in_one.write_bytes(2 * (tmp_path / "a.jpg").read_bytes())
    heic = Path(__file__).parent / "data" / "faces_ramp.heic"
    assert is_clip(clip) and is_clip(disguised)
    others = [still, two_in_one, heic, make_wav(np.ones(100)), tmp_path, tmp_path / "none.mp4"]
    assert not any(map(is_clip, others + [tmp_path / f"a.{end}" for end in ("png", "jpg", "tiff", "webp")]))


def test_gifs_are_clips_if_they_move(tmp_path):
    from PIL import Image

    pictures = [Image.fromarray(picture) for picture in numbered(4)]
    pictures[0].save(tmp_path / "one.gif")
    pictures[0].save(tmp_path / "four.gif", save_all=True, append_images=pictures[1:], duration=100)
    assert not is_clip(tmp_path / "one.gif")
    assert is_clip(tmp_path / "four.gif")
    clip = open_clip(tmp_path / "four.gif")
    assert (len(clip), clip.fps, clip.duration_s) == (4, 10, pytest.approx(0.4))
    shown = list(clip.frames([3, 0, 2]))
    for number, frame in zip((3, 0, 2), shown, strict=True):
        assert apart(frame, list(numbered(4))[number]) < 3


def test_the_cover_of_a_sound_is_no_clip(tmp_path):
    cv2.imwrite(str(tmp_path / "cover.png"), next(numbered(1)))
    png = (tmp_path / "cover.png").read_bytes()
    body = b"\0image/png\0\x03\0" + png
    frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    sound = tmp_path / "sound.mp3"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("libmp3lame", rate=22050)
        audio = av.AudioFrame.from_ndarray(np.zeros((1, 22050), np.float32), format="fltp", layout="mono")
        audio.sample_rate = 22050
        container.mux(stream.encode(audio))
        container.mux(stream.encode(None))
    covered = tmp_path / "covered.mp3"
    covered.write_bytes(b"ID3\x03\0\0" + size + frame + sound.read_bytes())
    with av.open(str(covered)) as container:
        assert len(container.streams.video) == 1
    assert not is_clip(covered)
    with pytest.raises(UnreadableFile):
        open_clip(covered)


# --- rates and times -------------------------------------------------------------------------------


@pytest.mark.parametrize("container", ["mp4", "mkv", "avi", "ts"])
@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(24000, 1001), Fraction(17)])
def test_a_constant_rate_is_exact(tmp_path, rate, container):
    clip = open_clip(write_clip(tmp_path / f"clip.{container}", numbered(40), rate))
    assert clip.fps == rate
    assert np.abs(clip.times - np.arange(40) / float(rate)).max() < 1e-9
    assert clip.duration_s == pytest.approx(float(40 / rate), abs=1e-9)
    assert [*schedule(clip, rate, 100, "loop")] == [i % 40 for i in range(100)]


def test_a_variable_rate_is_the_average_and_the_times_are_its_own(tmp_path):
    steps = [20, 60, 40, 20, 100, 33, 47] * 5
    stamps = np.concatenate([[0], np.cumsum(steps)]).tolist()
    path = write_clip(tmp_path / "v.mp4", numbered(len(stamps)), stamps=stamps, time_base=Fraction(1, 1000))
    clip = open_clip(path)
    assert np.abs(clip.times - np.array(stamps) / 1000).max() < 1e-4
    assert clip.fps == pytest.approx(35 / 1.6, rel=1e-3)
    shown = schedule(clip, Fraction(100), 160, "hold")
    for i, number in enumerate(shown):
        assert stamps[number] <= 10 * i + 1e-3 and (number == 35 or stamps[number + 1] > 10 * i + 1e-3)


def test_a_nearly_constant_rate_snaps_to_the_standard_one(tmp_path):
    rng = np.random.default_rng(0)
    stamps = (np.arange(90) * 1000 / 30 + rng.uniform(-8, 8, 90)).astype(int)
    stamps = (stamps - stamps[0]).tolist()
    stamps[-1] = 89 * 1000 // 30
    path = write_clip(tmp_path / "p.mkv", numbered(90), stamps=stamps, time_base=Fraction(1, 1000))
    assert open_clip(path).fps == 30


def test_a_dropped_frame_is_no_constant_rate(tmp_path):
    stamps = [*range(10), *range(11, 21)]
    path = write_clip(tmp_path / "d.mkv", numbered(20), stamps=stamps, time_base=Fraction(1, 25))
    clip = open_clip(path)
    assert np.abs(clip.times * 25 - stamps).max() < 0.03
    assert [*schedule(clip, Fraction(25), 21, "hold")] == [*range(10), 9, *range(10, 20)]


def test_coarse_clocks_explain_no_rate_that_is_not_there():
    steady = np.arange(40)
    dropped = np.delete(steady, 10)
    assert constant_rate(steady, Fraction(1, 25), None) == 25
    assert constant_rate(dropped, Fraction(1, 25), Fraction(25)) is None
    assert constant_rate(dropped, Fraction(1, 25), Fraction(10**9)) is None
    rounded = np.round(np.arange(300) * 1000 / float(NTSC)).astype(np.int64)
    assert constant_rate(rounded, Fraction(1, 1000), None) == NTSC
    assert (
        constant_rate(rounded[:5], Fraction(1, 1000), Fraction(30)) == 30
    )  # so short that the file is believed


def test_a_clip_that_starts_late_starts_at_zero(tmp_path):
    stamps = [50 + k for k in range(20)]
    path = write_clip(tmp_path / "l.mkv", numbered(20), stamps=stamps, time_base=Fraction(1, 25))
    clip = open_clip(path)
    assert clip.fps == 25 and clip.times[0] == 0 and clip.duration_s == pytest.approx(0.8)
    for a, b in zip(clip.frames(range(20)), numbered(20), strict=True):
        assert apart(a, b) < 6


# --- frames ----------------------------------------------------------------------------------------

FORMS = {
    "b-frames": {"options": {"bf": "3", "g": "12"}},
    "open-gop": {"options": {"bf": "3", "x264-params": "open-gop=1:keyint=10:min-keyint=10:b-adapt=0"}},
    "one-key": {"options": {"g": "999"}},
    "all-keys": {"options": {"g": "1"}},
    "vp9": {"codec": "libvpx-vp9", "options": {"g": "15", "cpu-used": "8"}},
    "vp8": {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "400k"}},
    "ten-bits": {"pix_fmt": "yuv420p10le"},
    "4:4:4": {"pix_fmt": "yuv444p"},
    "mpeg4": {"codec": "mpeg4", "options": {"bf": "2", "g": "12", "b": "4M"}},
    "mpeg2": {"codec": "mpeg2video", "options": {"bf": "2", "g": "12", "b": "4M"}},
}


PAIRS = [
    (form, container)
    for form in FORMS
    for container in (("mkv",) if "vp" in form else ("mp4", "mkv", "ts", "avi"))
]


@pytest.mark.parametrize(("form", "container"), PAIRS)
def test_any_order_gives_the_same_bits(tmp_path, form, container):
    count = 47
    path = write_clip(tmp_path / f"c.{container}", numbered(count), **FORMS[form])
    clip = open_clip(path)
    assert len(clip) == count
    straight = list(clip.frames(range(count)))
    for frame, source in zip(straight, numbered(count), strict=True):
        assert apart(frame, source) < 10  # neighbours are 37 apart
    rng = np.random.default_rng(1)
    orders = [range(count - 1, -1, -1), rng.integers(0, count, 25), [3, 3, 46, 0, 1, 2, 45, 44, 12, 11, 46]]
    for order in orders:
        for number, frame in zip(order, clip.frames(order), strict=True):
            assert np.array_equal(frame, straight[number]), (form, container, number)


def test_going_backwards_holds_no_more_than_it_may(tmp_path, monkeypatch):
    count = 60
    path = write_clip(tmp_path / "c.mp4", numbered(count), options={"g": "25"})
    clip = open_clip(path)
    straight = list(clip.frames(range(count)))
    monkeypatch.setattr("avatalk.avatars.clip.HELD_BYTES", 7 * 160 * 90 * 3 // 2)
    order = schedule(clip, clip.fps, 3 * count, "bounce")
    for number, frame in zip(order, clip.frames(order), strict=True):
        assert np.array_equal(frame, straight[number])


def test_frames_belong_to_the_caller(tmp_path):
    clip = open_clip(write_clip(tmp_path / "c.mp4", numbered(5)))
    frames = clip.frames([2, 2, 2])
    first = next(frames)
    before = first.copy()
    first[:] = 0
    assert np.array_equal(next(frames), before)


@pytest.mark.parametrize("size", [(161, 91), (159, 90), (34, 35)])
def test_odd_sizes(tmp_path, size):
    width, height = size
    source = list(numbered(6, width, height))
    path = write_clip(tmp_path / "c.mkv", source, pix_fmt="yuv444p")
    clip = open_clip(path)
    assert (clip.width, clip.height) == size
    assert all(apart(a, b) < 6 for a, b in zip(clip.frames(range(6)), source, strict=True))


@pytest.mark.parametrize(
    ("matrix", "upright"),
    [
        ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),  # a telephone held upright
        ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
        ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),  # a mirrored front camera
    ],
)
def test_the_display_matrix_puts_it_upright(tmp_path, matrix, upright):
    path = write_clip(tmp_path / "c.mp4", numbered(4))
    plain = list(open_clip(path).frames(range(4)))
    turn_mp4(path, matrix)
    clip = open_clip(path)
    for number, frame in enumerate(clip.frames(range(4))):
        expected = upright(plain[number])
        assert (clip.height, clip.width) == expected.shape[:2] == frame.shape[:2]
        assert np.array_equal(frame, expected)
        assert frame.flags.c_contiguous


def test_pixels_that_are_not_square(tmp_path):
    path = write_clip(tmp_path / "c.mp4", numbered(3), aspect=Fraction(4, 3))
    clip = open_clip(path)
    assert (clip.width, clip.height) == (213, 90)
    wide = cv2.resize(next(numbered(1)), (213, 90))
    assert apart(next(clip.frames([0])), wide) < 4


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p10le", "yuvj420p"])
@pytest.mark.parametrize(
    ("matrix", "kr", "kb"), [(1, 0.2126, 0.0722), (6, 0.299, 0.114), (9, 0.2627, 0.0593)]
)
def test_colours_follow_the_tags(tmp_path, pix_fmt, matrix, kr, kb):
    colours = np.array([(200, 60, 40), (40, 180, 70), (30, 50, 210), (128, 128, 128)])
    picture = np.repeat(np.repeat(colours[None], 32, 0), 32, 1).astype(np.float64)
    red, green, blue = picture.transpose(2, 0, 1)
    full = pix_fmt.startswith("yuvj")
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = ((blue - luma) / (1 - kb) / 2, (red - luma) / (1 - kr) / 2)
    planes = np.stack(
        [luma if full else 16 + luma * 219 / 255]
        + [128 + plane * (1 if full else 224 / 255) for plane in chroma]
    )
    yuv = np.round(planes).astype(np.uint8)
    if "420" in pix_fmt:
        halves = [plane[::2, ::2].reshape(-1, yuv.shape[2]) for plane in yuv[1:]]
        frame = av.VideoFrame.from_ndarray(np.concatenate([yuv[0], *halves]), format=pix_fmt)
    else:
        frame = av.VideoFrame.from_ndarray(yuv, format="yuv444p").reformat(format=pix_fmt)
    tags = {"colorspace": matrix, "color_range": 2 if full else 1}
    path = write_clip(tmp_path / "c.mkv", [frame], pix_fmt=pix_fmt, options={"crf": "1"}, tags=tags)
    frame = next(open_clip(path).frames([0]))
    middles = frame[16, 16::32].astype(int)
    assert np.abs(middles - colours).max() <= 4, middles


def test_full_range_is_known_from_the_tag_alone(tmp_path):
    """VP9 has no pixel format of its own for it."""
    grey = np.array([10, 90, 170, 250], np.uint8).repeat(32)
    luma = av.VideoFrame.from_ndarray(
        np.concatenate([np.repeat(grey[None], 64, 0), np.full((32, 128), 128, np.uint8)]), format="yuv420p"
    )
    tags = {"color_range": 2, "colorspace": 1}
    path = write_clip(
        tmp_path / "c.webm", [luma], codec="libvpx-vp9", options={"crf": "4", "b": "0"}, tags=tags
    )
    shown = next(open_clip(path).frames([0]))
    assert np.abs(shown[16, 16::32].astype(int) - grey[16::32, None]).max() <= 3


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_what_precedes_the_first_key_frame_is_not_counted(tmp_path, container):
    path = write_clip(
        tmp_path / f"c.{container}", numbered(40), options={"g": "10", "bf": "2", "sc_threshold": "0"}
    )
    cut = tmp_path / f"cut.{container}"
    with av.open(str(path)) as source, av.open(str(cut), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.dts is not None and number >= 4:
                packet.stream = stream
                target.mux(packet)
    clip = open_clip(cut)
    assert len(clip) == 30 and clip.fps == 25
    for frame, source in zip(clip.frames(range(30)), [*numbered(40)][10:], strict=True):
        assert apart(frame, source) < 10


# --- which frame is shown when ---------------------------------------------------------------------


def clip_of(times, duration_s, fps=Fraction(25)):
    return Clip(Path("c.mp4"), 16, 16, fps, np.asarray(times, np.float64), duration_s, None, None)


@given(
    frames=st.integers(1, 60),
    fps=st.sampled_from([Fraction(25), NTSC, Fraction(24000, 1001), Fraction(50), Fraction(12)]),
    length=st.integers(1, 400),
)
@settings(max_examples=60, deadline=None)
def test_at_its_own_rate_every_frame_is_shown_once_in_turn(frames, fps, length):
    clip = clip_of(np.arange(frames) / float(fps), float(frames / fps), fps)
    assert [*schedule(clip, fps, length, "loop")] == [i % frames for i in range(length)]
    assert [*schedule(clip, fps, length, "hold")] == [min(i, frames - 1) for i in range(length)]
    there_and_back = [*range(frames), *range(frames - 2, 0, -1)]
    expected = [there_and_back[i % len(there_and_back)] for i in range(length)]
    assert [*schedule(clip, fps, length, "bounce")] == expected


@given(
    steps=st.lists(st.floats(0.005, 0.5), min_size=2, max_size=40),
    fps=st.fractions(1, 120, max_denominator=1001),
    loop=st.sampled_from(["loop", "bounce", "hold"]),
)
@settings(max_examples=100, deadline=None)
def test_schedules_of_variable_rates(steps, fps, loop):
    times = np.concatenate([[0], np.cumsum(steps)])
    clip = clip_of(times[:-1], float(times[-1]))
    numbers = schedule(clip, fps, 200, loop)
    assert numbers.dtype == np.int64 and numbers.shape == (200,)
    assert numbers.min() >= 0 and numbers.max() < len(clip)
    assert [*schedule(clip, fps, 50, loop)] == [*numbers[:50]]
    for i, number in enumerate(numbers):
        t = i / float(fps)
        if t < times[-1] - 2e-6:  # the first time through all three are the same
            assert times[number] <= t + 2e-6 and t < times[number + 1] + 2e-6
    if loop == "hold":
        assert np.all(np.diff(numbers) >= 0)


def test_half_an_hour_of_a_short_clip_does_not_drift():
    clip = clip_of(np.arange(125) / float(NTSC), float(125 / NTSC), NTSC)
    assert np.array_equal(schedule(clip, NTSC, 53946, "loop"), np.arange(53946) % 125)


# --- bad files -------------------------------------------------------------------------------------


def test_what_is_wrong_is_said(tmp_path, make_wav):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "page.mp4").write_text("<html><body>Sign in</body></html>")
    whole = write_clip(tmp_path / "c.mp4", numbered(60)).read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])  # its index is at the end
    header = whole.index(b"mdat") + 4
    garbage = np.random.default_rng(0).bytes(whole.index(b"moov") - 4 - header)
    (tmp_path / "noise.mp4").write_bytes(whole[:header] + garbage + whole[header + len(garbage) :])
    cases = {
        "none.mp4": "does not exist",
        "empty.mp4": "is empty",
        "page.mp4": "is not a video",
        "half.mp4": "damaged or incomplete",
        "noise.mp4": "is damaged",
        make_wav(np.ones(2000)): "has no moving picture",
        ".": "is a folder",
    }
    for name, words in cases.items():
        with pytest.raises(UnreadableFile, match=words) as caught:
            open_clip(tmp_path / name)
        assert caught.value.hint and caught.value.stage == caught.value.field == "avatar"
    assert is_clip(tmp_path / "half.mp4")  # so that it is not called a bad picture


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_of_a_truncated_clip_the_beginning_is_used(tmp_path, container):
    path = tmp_path / f"c.{container}"
    options = {"g": "10"}
    write_clip(path, numbered(100), options=options)
    if container == "mp4":  # again with the index in front
        with (
            av.open(str(path)) as source,
            av.open(str(tmp_path / "f.mp4"), "w", options={"movflags": "faststart"}) as target,
        ):
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
        path = tmp_path / "f.mp4"
    whole = list(open_clip(path).frames(range(100)))
    data = path.read_bytes()
    start = data.index(b"mdat") if container == "mp4" else 600
    path.write_bytes(data[: start + (len(data) - start) * 6 // 10])
    monitor = Monitor()
    clip = open_clip(path, monitor)
    assert 30 < len(clip) < 90 and clip.fps == 25
    assert len(monitor.warnings) == 1 and "incomplete" in monitor.warnings[0]
    shown = list(clip.frames(range(len(clip))))
    assert sum(np.array_equal(a, b) for a, b in zip(shown, whole, strict=False)) >= len(clip) - 5


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path):
    path = write_clip(tmp_path / "c.mp4", numbered(30))
    clip = open_clip(path)
    path.unlink()
    with pytest.raises(UnreadableFile):
        next(clip.frames([0]))
