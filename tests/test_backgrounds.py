"""Backgrounds, framing and overlays, as they reach the frames and the files."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from avatalk import BadInput, VideoRequest, plan, preview, render
from avatalk.avatars.cutout import laid, premultiplied
from avatalk.compose.backdrop import _gauss, blurred, fitted, painted
from avatalk.compose.wish import COLOURS, Overlay, read_ground, read_overlay
from avatalk.errors import OutputError, UnreadableFile
from avatalk.spec import load_spec

SMALL = {"text": "Hello.", "size": "320x180"}


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "astronaut.png"
    Image.fromarray(data.astronaut()).save(path)
    return str(path)


@pytest.fixture
def picture(tmp_path):
    """Left half red, right half blue."""
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[:, :80], pixels[:, 80:] = (200, 0, 0), (0, 0, 200)
    path = tmp_path / "ground.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def clip(tmp_path):
    """Thirty frames at 25 a second that grow brighter."""
    path = tmp_path / "ground.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for k in range(30):
            grey = np.full((90, 160, 3), 20 + 7 * k, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
    return path


# --- what is said ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLOURS)
def test_named_grounds(name):
    assert read_ground(name.upper()).colours == (COLOURS[name],)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_any_colour_is_read(colour):
    assert read_ground("#{:02X}{:02x}{:02x}".format(*colour)).colours == (colour,)


@pytest.mark.parametrize(
    "text",
    [
        "greenish",
        "#12345",
        "#gggggg",
        "blur:0",
        "blur:2",
        "blur:much",
        "gradient:#fff",
        "gradient:#fff,pink",
        "",
    ],
)
def test_grounds_that_are_none(text):
    with pytest.raises(BadInput, match="background"):
        VideoRequest(text="x", background=text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("logo.png:top-right:12%", Overlay("logo.png", "top-right", 0.12)),
        ("logo.png", Overlay("logo.png", "top-right", 0.12)),
        ("C:/my logo.png:bottom-left", Overlay("C:/my logo.png", "bottom-left", 0.12)),
        ("a/b.webp:centre:50%", Overlay("a/b.webp", "centre", 0.5)),
        ("a.png:7.5%", Overlay("a.png", "top-right", 0.075)),
    ],
)
def test_overlays(text, meant):
    assert read_overlay(text) == meant


@pytest.mark.parametrize("text", ["a.png:middle", "a.png:top-right:0%", "a.png:top-right:101%", ""])
def test_overlays_that_are_none(text):
    with pytest.raises(BadInput, match="overlay"):
        VideoRequest(text="x", overlay=text)


# --- what is seen ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLOURS)
def test_a_drawn_avatar_before_a_named_ground(name):
    frame = preview(VideoRequest(**SMALL, background=name), 0.2)
    assert {tuple(frame[y, x]) for y in (2, 90) for x in (2, 317)} == {COLOURS[name]}
    kept = preview(VideoRequest(**SMALL), 0.2)
    assert (
        np.abs(frame[70:100, 140:180].astype(int) - kept[70:100, 140:180]).max() == 0
    )  # the face is the same


def test_a_gradient_runs_from_the_top_down():
    frame = preview(VideoRequest(**SMALL, background="gradient:#000000,#ffffff"), 0.2)[:, 4].astype(int)
    assert frame[0].max() < 4 and frame[-1].min() > 250
    assert np.all(np.diff(frame[::12, 0]) > 5)


def test_a_picture_behind_a_drawn_avatar(picture):
    frame = preview(VideoRequest(**SMALL, background=str(picture)), 0.2)
    assert tuple(frame[4, 4]) == (200, 0, 0) and tuple(frame[4, 315]) == (0, 0, 200)


def test_a_clip_behind_a_drawn_avatar_loops(clip):
    request = VideoRequest(
        text="A longer sentence, so that the clip begins anew.", size="320x180", background=str(clip)
    )
    with plan(request) as made:
        assert made.n_frames > 45
        corner = [int(frame[2, 2].mean()) for frame in made.frames()]
        assert corner[0] == pytest.approx(20, abs=4) and corner[20] == pytest.approx(160, abs=4)
        assert abs(corner[35] - corner[5]) <= 1
        whole = list(made.frames(10, 20))
        assert np.array_equal(whole[4], next(made.frames(14, 15)))


def test_a_photograph_before_a_ground(photo):
    request = {"avatar": photo, "text": "Hello.", "seed": 1}
    kept = preview(VideoRequest(**request), 0.2).astype(int)
    green = preview(VideoRequest(**request, background="green"), 0.2).astype(int)
    assert kept.shape == green.shape
    face = (slice(90, 180), slice(190, 250))
    assert np.abs(kept[face] - green[face]).max() <= 3
    corner = green[5:60, 5:60]
    assert (corner == COLOURS["green"]).all(-1).mean() > 0.9


def test_the_matte_follows_the_head(photo):
    """Where the head moves, the edge moves with it, and no strip of the old background comes along."""
    moved = {}
    for still in (False, True):
        text = "Hello there, how are you today?"
        with plan(VideoRequest(avatar=photo, text=text, background="green", still=still)) as made:
            frames = [frame.astype(int) for frame in made.frames()]
        masks = [np.abs(frame - COLOURS["green"]).max(-1) > 40 for frame in frames]
        areas = [mask.sum() for mask in masks]
        assert max(areas) - min(areas) < 0.02 * areas[0]
        moved[still] = max((masks[0] != mask).sum() for mask in masks[1:])
    assert moved[False] > 100 and moved[False] > 3 * moved[True]


def test_blur_leaves_the_person_sharp_and_no_ghost(photo):
    kept = preview(VideoRequest(avatar=photo, text="Hello."), 0.2)
    soft = preview(VideoRequest(avatar=photo, text="Hello.", background="blur:0.6"), 0.2)
    assert np.array_equal(kept[100:170, 195:245], soft[100:170, 195:245])

    def detail(frame, part):
        return np.abs(np.diff(frame[part].astype(int), axis=1)).mean()

    wall = (slice(0, 120), slice(300, 500))
    assert detail(soft, wall) < 0.3 * detail(kept, wall)


def test_a_blur_fills_another_shape_and_nobody_floats_in_it(photo):
    """The person stands on the lower edge, as before a colour; the blur has no bars beside the picture."""
    asked = {"avatar": photo, "text": "Hello.", "size": "180x320", "still": True}
    soft, green = (
        preview(VideoRequest(background=ground, **asked), 0.2).astype(int) for ground in ("blur:0.6", "green")
    )
    person = np.abs(green - COLOURS["green"]).max(-1) > 60
    assert person[-2].sum() > 100 and not person[:100].any()
    inner = cv2.erode(person.astype(np.uint8), np.ones((15, 15), np.uint8)).astype(bool)
    assert (np.abs(soft - green)[inner].max(-1) <= 3).mean() > 0.95
    assert np.abs(np.diff(soft[:110], axis=0)).max() < 8 and np.abs(np.diff(soft[:110], axis=1)).max() < 8


@pytest.mark.parametrize(("sigma", "off"), [(2, 0.1), (9, 1), (30, 1), (130, 3)])
def test_a_wide_blur_of_a_smaller_copy_is_the_same(sigma, off):
    picture = cv2.resize(data.astronaut(), (320, 200)).astype(np.float32)
    exact = cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    assert np.abs(_gauss(picture, sigma) - exact).max() < off


def test_a_blur_without_somebody_has_no_trace_of_him():
    scene = np.full((120, 160, 3), 200, np.uint8)
    scene[40:, 60:100] = (255, 0, 0)
    person = np.zeros((120, 160), np.uint8)
    person[38:, 58:102] = 255
    ghost, clean = blurred(scene, 0.5), blurred(scene, 0.5, person)
    assert np.abs(clean.astype(int) - 200).max() <= 2
    assert np.abs(ghost.astype(int) - 200).max() > 40


def test_contain_shows_all_and_cover_fills(picture):
    with Image.open(picture) as image:
        pixels = np.asarray(image)
    assert fitted(pixels, (90, 90), "cover").shape == (90, 90, 3)
    whole = fitted(pixels, (90, 90), "contain")
    assert tuple(whole[45, 1]) == (200, 0, 0) and tuple(whole[45, 88]) == (0, 0, 200)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_laying_is_exact_within_a_step(colour, alpha, ground):
    layer = premultiplied(np.full((2, 2, 3), colour, np.uint8), np.full((2, 2), alpha, np.uint8))
    out = laid(layer, np.full((2, 2, 3), ground, np.uint8))
    assert np.abs(out.astype(float) - (colour * alpha + ground * (255 - alpha)) / 255).max() <= 1.01


def test_a_gradient_shows_no_bands():
    column = painted(((10, 10, 10), (30, 30, 30)), (64, 720)).astype(float)
    rows = column.mean((1, 2))
    assert np.abs(np.diff(rows)).max() < 0.6


# --- framing and overlays --------------------------------------------------------------------------


@pytest.mark.parametrize("aspect", ["16:9", "9:16", "1:1"])
@pytest.mark.parametrize("frame", ["bust", "head"])
@pytest.mark.parametrize("background", ["keep", "#204060"])
def test_the_face_stands_well_in_any_shape(photo, aspect, frame, background):
    request = VideoRequest(
        avatar=photo, text="Hi.", aspect=aspect, frame=frame, quality="draft", background=background
    )
    with plan(request) as made:
        x0, y0, x1, y1 = made.face.box
        height = y1 - y0
        assert x0 > 0 and x1 < made.width
        assert y0 - 0.5 * height > -0.06 * made.height and y1 < made.height
        assert abs((x0 + x1) / 2 - made.width / 2) < 0.16 * made.width
        low, high = {"bust": (0.14, 0.42), "head": (0.3, 0.6)}[frame]
        assert low < height / made.height < high
        bottom = next(made.frames(0, 1))[-1].astype(int)
    if background != "keep":  # nobody floats: the person reaches the lower edge
        assert (np.abs(bottom - (0x20, 0x40, 0x60)).max(-1) > 30).mean() > 0.2


def test_a_drawn_head_is_larger_than_a_bust():
    def hair(frame):
        request = VideoRequest(text="Hi.", size="360x360", background="green", frame=frame)
        shown = preview(request, 0.1).astype(int)
        return (np.abs(shown - COLOURS["green"]).max(-1) > 60)[:200].sum()

    assert hair("head") > 1.5 * hair("bust")
    assert hair("bust") == hair("source")


def test_an_overlay_lies_in_its_corner(tmp_path):
    logo = np.zeros((40, 80, 4), np.uint8)
    logo[10:30] = (255, 0, 255, 255)
    Image.fromarray(logo).save(tmp_path / "logo.png")
    plain = preview(VideoRequest(**SMALL), 0.2).astype(int)
    for corner, rows, columns in (
        ("bottom-left", slice(120, 180), slice(0, 60)),
        ("top-right", slice(0, 60), slice(260, 320)),
    ):
        request = VideoRequest(**SMALL, overlay=f"{tmp_path / 'logo.png'}:{corner}:10%")
        frame = preview(request, 0.2).astype(int)
        changed = np.abs(frame - plain).max(-1) > 0
        assert changed[rows, columns].sum() == changed.sum()
        assert 200 < changed.sum() < 330  # 32 by 8 pixels and their soft edges; clear rows change nothing


# --- files -----------------------------------------------------------------------------------------


def alphas(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec.name == "vp9":
            decoder = av.CodecContext.create("libvpx-vp9", "r")
            frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
        else:
            frames = list(container.decode(stream))
    return [frame.to_ndarray(format="rgba") for frame in frames]


@pytest.mark.parametrize("ending", [".webm", ".mov"])
def test_transparent_files(tmp_path, ending):
    request = VideoRequest(**SMALL, background="transparent")
    made = render(request, tmp_path / f"a{ending}")
    frames = alphas(made.path)
    assert len(frames) == made.frames
    with plan(request) as wanted:
        exact = next(wanted.frames(5, 6))
    assert np.abs(frames[5][..., 3].astype(int) - exact[..., 3]).mean() < 1.5
    solid = exact[..., 3] == 255
    assert np.abs(frames[5][solid].astype(int) - exact[solid]).mean() < 6
    with av.open(made.path) as container:
        sound = container.streams.audio[0]
        length = sum(frame.samples for frame in container.decode(sound)) / sound.rate
    assert length == pytest.approx(made.duration_s, abs=0.05)
    again = render(load_spec(made.path), tmp_path / f"b{ending}")
    assert (tmp_path / f"b{ending}").read_bytes() == (tmp_path / f"a{ending}").read_bytes()
    assert again.frames == made.frames


def test_a_folder_of_pictures(tmp_path):
    request = VideoRequest(**SMALL, background="transparent")
    made = render(request, tmp_path / "frames")
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [*(f"{k:06d}.png" for k in range(made.frames)), "speech.wav"]
    with plan(request) as wanted:
        exact = next(wanted.frames(3, 4))
    with Image.open(tmp_path / "frames" / "000003.png") as image:
        assert image.mode == "RGBA"
        shown = np.asarray(image)
    assert np.array_equal(shown[..., 3], exact[..., 3])
    with pytest.raises(OutputError, match="is a folder"):
        render(request, tmp_path / "frames")
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == names


def test_mp4_cannot_be_transparent(tmp_path):
    with pytest.raises(BadInput, match="transparent") as caught:
        render(VideoRequest(**SMALL, background="transparent"), tmp_path / "a.mp4")
    assert ".webm" in caught.value.hint and ".mov" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_an_opaque_webm(tmp_path):
    made = render(VideoRequest(**SMALL), tmp_path / "a.webm")
    with av.open(made.path) as container:
        assert container.streams.video[0].codec.name == "vp9"
        assert container.streams.audio[0].codec.name == "opus"
        frames = list(container.decode(video=0))
    assert len(frames) == made.frames
    assert [frame.time for frame in frames] == [
        pytest.approx(float(k / Fraction(25)), abs=1e-3) for k in range(len(frames))
    ]


def test_the_request_in_a_file_finds_its_background(tmp_path, picture):
    logo = tmp_path / "logo.png"
    Image.new("RGBA", (20, 10), (255, 0, 0, 255)).save(logo)
    request = VideoRequest(**SMALL, background=str(picture), overlay=f"{logo}:top-left:8%")
    made = render(request, tmp_path / "a.mp4")
    found = load_spec(made.path)
    assert found.background == str(picture) and found.overlay == f"{logo}:top-left:8%"
    with pytest.raises(BadInput, match="background"):
        (tmp_path / "copy.mp4").write_bytes(picture.read_bytes())
        render(VideoRequest(**SMALL, background=str(tmp_path / "copy.mp4")), tmp_path / "copy.mp4")


@pytest.mark.parametrize("field", ["background", "overlay"])
@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_files_that_cannot_be_used_are_told_before_any_work(tmp_path, field, content):
    path = tmp_path / "x.png"
    if content is not None:
        path.write_bytes(content)
    steps = []
    with pytest.raises(UnreadableFile) as caught:
        render(VideoRequest(**SMALL, **{field: str(path)}), tmp_path / "a.mp4", on_progress=steps.append)
    assert caught.value.field == field
    assert not steps
    assert not (tmp_path / "a.mp4").exists()


def test_nobody_to_cut_out(tmp_path):
    from avatalk.compose.selfie import Selfie
    from avatalk.errors import FaceError
    from avatalk.events import Monitor

    with pytest.raises(FaceError, match="Nobody"):
        Selfie.configured("cpu", Monitor()).cut(np.full((90, 160, 3), 128, np.uint8))
