"""Wav2Lip from the request to the finished file, on stills and clips, with filled weights."""

import shutil
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from avatalk import VideoRequest, early, models, plan, render
from avatalk.cli import app
from avatalk.errors import CannotRun, EngineUnavailable, FaceError
from avatalk.lipsync.wav2lip_networks import Networks
from avatalk.models.runtime import converted
from filled import state_dict
from test_backgrounds import alphas

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A cache folder with the face model and filled weights, imported as a user imports his own."""
    face = models.install("face")
    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATALK_CACHE", str(folder / "cache"))
        shutil.copytree(face, models.folder("face"))
        for network, name in (("wav2lip", "wav2lip_gan.pth"), ("s3fd", "s3fd.pth")):
            torch.save(state_dict(network), folder / name)
            models.import_file(folder / name, accept_licence=True)
        yield folder


@pytest.fixture(scope="module")
def speech(espeak_wav):
    return espeak_wav("Mama saw five blue boats.")


@pytest.fixture(scope="module")
def still(portrait):
    return portrait(480, 360, "ada")


def write_clip(path, pictures, rate=Fraction(25), times=None):
    """Encode `pictures`; `times` are presentation times in milliseconds for a variable rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "14", "preset": "veryfast"}
        unit = 1 / rate if times is None else Fraction(1, 1000)
        stream.codec_context.time_base = unit
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index if times is None else times[index], unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def swaying(still, n):
    return [np.roll(still, round(6 * np.sin(index / 5)), axis=1) for index in range(n)]


def mouth_of(face):
    """A generous box of mouth and chin: all that may change."""
    x0, y0, x1, y1 = face.box
    return slice(int(y0 + 0.35 * (y1 - y0)), int(y1 + 0.15 * (y1 - y0))), slice(int(x0), int(x1) + 1)


@pytest.mark.parametrize(
    ("rate", "times"),
    [(Fraction(25), None), (Fraction(30000, 1001), None), (Fraction(25), "variable")],
    ids=["25", "29.97", "variable"],
)
def test_only_the_mouth_of_a_clip_changes(tmp_path, weights, speech, still, decode, rate, times):
    n = 30
    stamps = None if times is None else [40 * index + (13 if index % 3 == 1 else 0) for index in range(n)]
    clip = write_clip(tmp_path / "clip.mp4", swaying(still, n), rate, stamps)
    request = VideoRequest(avatar=str(clip), audio=str(speech), engine="wav2lip-gan", loop="bounce")
    result = render(request, tmp_path / "out.mp4")
    facts = decode(tmp_path / "out.mp4")
    assert facts["rate"] == rate and result.fps == str(rate)
    assert result.engines["avatar"] == "clip" and "wav2lip-gan" in result.engines["lipsync"]
    assert abs(facts["video_s"] - facts["audio_s"]) <= 1 / rate + 1e-3
    with plan(request) as made:
        before = list(made.source_pictures(0, made.n_frames))
        after = list(made.frames())
        mouth = mouth_of(made.face)
        moved = [np.abs(a.astype(int) - b).max(axis=2) for a, b in zip(after, before, strict=True)]
    outside = np.ones(moved[0].shape, bool)
    reach = slice(max(mouth[1].start - 14, 0), mouth[1].stop + 14)  # it sways
    outside[mouth[0], reach] = False
    assert max(change[outside].max() for change in moved) == 0
    assert np.mean([change[~outside].mean() for change in moved]) > 1


def test_only_the_mouth_of_a_still_on_green_changes(tmp_path, weights, speech):
    from avatalk.avatars import gallery

    Image.fromarray(gallery.get("ada").cutout(480, 360)).save(tmp_path / "a.png")
    common = {"avatar": str(tmp_path / "a.png"), "audio": str(speech), "engine": "wav2lip-gan"}
    for background, depth in (("green", 3), ("transparent", 4)):
        with plan(VideoRequest(**common, background=background)) as made:
            frames = [frame.astype(int) for frame in made.frames(10, 20)]
            mouth = mouth_of(made.face)
        assert frames[0].shape[2] == depth
        moved = np.max([np.abs(frame - frames[0]) for frame in frames], axis=0)
        outside = np.ones(moved.shape[:2], bool)
        outside[mouth] = False
        assert moved[outside].max() == 0 and moved[..., :3][mouth].mean() > 0.03
        if depth == 4:
            assert not moved[..., 3].any()
            assert all((frame[..., :3].max(-1) <= frame[..., 3]).all() for frame in frames)
        else:
            assert tuple(frames[0][4, 4]) == (0, 255, 0)


@pytest.mark.parametrize("paste", ["soft", "original"])
def test_a_clip_before_another_ground(tmp_path, weights, speech, still, paste):
    clip = write_clip(tmp_path / "clip.mp4", swaying(still, 12))
    request = {"avatar": str(clip), "audio": str(speech), "engine": "wav2lip-gan", "paste": paste}
    clear = VideoRequest(**request, background="transparent")
    with plan(clear) as made:
        assert made.engines["compose"] == "selfie"
        layers = list(made.frames(5, 16))
        assert np.array_equal(next(made.frames(9, 10)), layers[4])
        before = list(made.source_pictures(5, 16))
    assert all(np.array_equal(a[..., 3], b[..., 3]) for a, b in zip(layers, before, strict=True))
    assert np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(layers, before, strict=True)]) > 0.1
    solid = (layers[0][..., 3] == 255).mean()
    assert 0.15 < solid < 0.7 and (layers[0][..., 3] == 0).mean() > 0.25
    with plan(VideoRequest(**request, background="blue")) as made:
        frame = next(made.frames(5, 6))
    assert tuple(frame[4, 4]) == (0, 128, 255)
    if paste == "soft":
        small = clear.model_copy(update={"size": (160, 120), "quality": "draft"})
        made = render(small, tmp_path / "a.webm")
        files = alphas(made.path)
        assert len(files) == made.frames
        assert (files[3][..., 3] > 250).mean() == pytest.approx(solid, abs=0.05)
        with plan(VideoRequest(**request, background="blur")) as soft:
            frame = next(soft.frames(5, 6))
            assert frame.shape == (360, 480, 3)


def test_any_range_of_a_clip_is_the_same_bits(tmp_path, weights, speech, still):
    clip = write_clip(tmp_path / "clip.mp4", swaying(still, 12))
    request = VideoRequest(avatar=str(clip), audio=str(speech), engine="wav2lip-gan")
    with plan(request) as made:
        whole = list(made.frames())
        alone = list(made.frames(17, 26))
    assert all(np.array_equal(a, b) for a, b in zip(whole[17:26], alone, strict=True))


def test_networks_are_begun_before_all_else_where_the_last_video_had_the_same_picture(
    tmp_path, weights, speech, still, monkeypatch
):
    Image.fromarray(still).save(tmp_path / "somebody.png")
    begun, start = [], Networks.start

    def told(*arguments):
        begun.append(threading.current_thread().name == "avatalk-early")
        return start(*arguments)

    def frames(**more):
        begun.clear()
        picture = str(tmp_path / "somebody.png")
        with plan(VideoRequest(avatar=picture, audio=str(speech), engine="wav2lip-gan", **more)) as made:
            return np.stack(list(made.frames(8, 16)))

    monkeypatch.setattr(Networks, "start", told)
    first = frames()
    assert begun == [False]
    again = frames()
    assert begun == [True]
    np.testing.assert_array_equal(again, first)
    other = frames(pads=(0, 90, 0, 0))  # another window than was thought
    assert sorted(begun) == [False, True]
    again = frames(pads=(0, 90, 0, 0))
    assert begun == [True]
    np.testing.assert_array_equal(again, other)
    assert (other != first).any()
    assert early.take(("wav2lip-gan", str(tmp_path / "somebody.png"), "auto")) is None


def test_what_was_begun_is_forgotten_with_a_plan_that_fails(tmp_path, weights, speech):
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "nobody.png")
    with (
        pytest.raises(FaceError),
        plan(VideoRequest(avatar=str(tmp_path / "nobody.png"), audio=str(speech), engine="wav2lip-gan")),
    ):
        pass
    assert not early._begun


def test_imported_weights_are_converted_already(weights):
    for name, made in (("wav2lip-gan", "wav2lip.safetensors"), ("s3fd", "s3fd.xml")):
        (file,) = models.MODELS[name].files
        assert converted(models.folder(name) / file.name, made).exists()


def test_stretches_without_a_face_are_told_or_refused(tmp_path, weights, speech, still):
    empty = np.full_like(still, 120)
    clip = write_clip(tmp_path / "clip.mp4", [*[still] * 10, *[empty] * 10, *[still] * 30])
    request = VideoRequest(avatar=str(clip), audio=str(speech), engine="wav2lip-gan")
    result = render(request, tmp_path / "out.mp4")
    assert any("0.40 to 0.80 s" in warning for warning in result.warnings)
    with pytest.raises(FaceError, match=r"0\.40 to 0\.80 s"):
        render(request.model_copy(update={"strict_faces": True}), tmp_path / "no.mp4")
    assert not (tmp_path / "no.mp4").exists()


def test_boxes_by_s3fd_and_by_hand(tmp_path, weights, speech, still):
    from PIL import Image

    Image.fromarray(still).save(tmp_path / "a.png")
    common = {"avatar": str(tmp_path / "a.png"), "audio": str(speech), "engine": "wav2lip-gan"}
    with plan(VideoRequest(**common, faces="s3fd")) as made:
        assert made.engines["face"] == "s3fd"
    with plan(VideoRequest(**common, box="150 60 330 300", paste="original", smooth=False)) as made:
        (frame,) = made.frames(12, 13)
    changed = np.argwhere(np.abs(frame.astype(int) - still).max(axis=2) > 0)
    (y0, x0), (y1, x1) = changed.min(axis=0), changed.max(axis=0)
    assert x0 >= 150 and x1 < 330 and y0 >= 60 and y1 < 310  # ten pixels of padding below
    assert x1 - x0 > 150 and y1 - y0 > 200


def test_a_clip_without_weights_says_what_to_do(tmp_path, speech, still, monkeypatch):
    clip = write_clip(tmp_path / "clip.mp4", swaying(still, 5))
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AVATALK_OFFLINE", "1")
    arguments = ["make", "--avatar", str(clip), "--audio", str(speech), "-o", str(tmp_path / "a.mp4")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 3 and "avatalk models install" in done.stderr
    with pytest.raises(EngineUnavailable):
        render(VideoRequest(avatar=str(clip), audio=str(speech), engine="animator"), tmp_path / "a.mp4")
    with pytest.raises(EngineUnavailable):
        render(VideoRequest(text="Hi.", engine="wav2lip"), tmp_path / "a.mp4")
    assert not Path(tmp_path / "a.mp4").exists()


def test_commercial_use_is_refused(tmp_path, weights, speech, still, monkeypatch):
    clip = write_clip(tmp_path / "clip.mp4", swaying(still, 5))
    monkeypatch.setenv("AVATALK_COMMERCIAL", "1")
    with pytest.raises(CannotRun, match="commercial"):
        render(VideoRequest(avatar=str(clip), audio=str(speech), engine="wav2lip-gan"), tmp_path / "a.mp4")


def test_a_clip_as_a_still(tmp_path, speech, still):
    clip = write_clip(tmp_path / "clip.mp4", swaying(still, 5))
    result = render(
        VideoRequest(avatar=str(clip), static=True, audio=str(speech), fps=12), tmp_path / "a.mp4"
    )
    assert result.engines["lipsync"] == "animator" and result.engines["avatar"] == "photo"
