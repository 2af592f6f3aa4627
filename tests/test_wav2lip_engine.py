"""The Wav2Lip engine on stills and clips, with weights filled from the names of its tensors."""

import subprocess
import sys
from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatalk.errors import BadInput, CannotRun, EngineUnavailable, ModelUnavailable
from avatalk.events import Monitor
from avatalk.lipsync import wav2lip_audio as hearing
from avatalk.lipsync.wav2lip_blend import Patch, reached_by, usual_outline
from avatalk.lipsync.wav2lip_crop import face_input, paste_rectangle, smooth_boxes
from avatalk.lipsync.wav2lip_look import REACH, Look, steadied
from avatalk.lipsync.wav2lip_parts import Window
from avatalk.media import Avatar, MotionCurve, VisemeCurve
from avatalk.models import runtime
from avatalk.speech.audio import open_audio
from filled import golden, state_dict

WIDTH, HEIGHT, FPS, FRAMES = 160, 120, Fraction(30000, 1001), 21
BOX = (40, 20, 110, 105)
MOUTH = Window((48, 96), (16, 80))


def coloured_noise(seed, width=WIDTH, height=HEIGHT):
    """A soft picture with some grain, (height, width, 3) uint8."""
    rng = np.random.Generator(np.random.PCG64(seed))
    soft = cv2.GaussianBlur(rng.uniform(0, 255, (height, width, 3)).astype(np.float32), (0, 0), 6)
    soft = 128 + 5 * (soft - soft.mean()) + rng.normal(0, 4, soft.shape)
    return soft.clip(0, 255).astype(np.uint8)


# --- blending --------------------------------------------------------------------------------------


@pytest.mark.parametrize("box", [BOX, (11, 7, 59, 66), (300, 200, 707, 689)])
def test_its_own_mouth_leaves_a_frame_as_it_was(box):
    picture = coloured_noise(1, 800, 700)
    patch = Patch(picture, box, usual_outline(box), MOUTH)
    own = face_input(picture, box)[3:, slice(*MOUTH.rows), slice(*MOUTH.columns)]
    changed = np.abs(patch.apply(picture.copy(), own, patch.look(own)).astype(int) - picture)
    inside = changed[box[1] : box[3], box[0] : box[2]]
    assert inside.mean() < 1.5
    assert (changed.sum() - inside.sum()) == 0


def test_an_answer_of_another_brightness_is_brought_to_the_frames():
    picture = coloured_noise(2)
    patch = Patch(picture, BOX, usual_outline(BOX), MOUTH)
    own = face_input(picture, BOX)[3:, slice(*MOUTH.rows), slice(*MOUTH.columns)]
    tint = np.array([0.1, -0.07, 0.05], np.float32)[:, None, None]
    brought = patch.apply(picture.copy(), own + tint, patch.look(own + tint))
    np.testing.assert_allclose(brought, patch.apply(picture.copy(), own, patch.look(own)), atol=1)


def test_the_patch_has_no_visible_edge():
    picture = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    outline = usual_outline(BOX)
    wide = outline.mean(axis=0) + 2 * (outline - outline.mean(axis=0))  # reaches over the window's edges
    patch = Patch(picture, BOX, wide, MOUTH)
    rng = np.random.Generator(np.random.PCG64(4))
    answer = rng.uniform(0.3, 0.7, (3, 48, 64)).astype(np.float32)
    changed = np.abs(patch.apply(picture.copy(), answer, patch.look(answer)).astype(int) - 128).max(axis=2)
    seen = np.argwhere(changed > 0)
    (top, left), (bottom, right) = seen.min(axis=0), seen.max(axis=0)
    assert top >= (BOX[1] + BOX[3]) // 2
    assert (left, right, bottom) > (BOX[0], 0, 0)
    assert right < BOX[2]
    assert bottom < BOX[3]
    assert changed.max() > 40
    assert max(changed[top].max(), changed[bottom].max()) <= 8
    assert max(changed[:, left].max(), changed[:, right].max()) <= 8


LARGE = (100, 60, 400, 420)


def grey_face(grain, sharp=True):
    """Stripes behind a soft light, and grain of that standard deviation, (480, 500, 3) uint8."""
    rng = np.random.Generator(np.random.PCG64(6))
    stripes = 30 * np.sign(np.sin(np.arange(500) / 6))[None] * np.ones((480, 1)) * sharp
    return (
        (128 + stripes + rng.normal(0, grain, (480, 500)))[..., None]
        .repeat(3, 2)
        .clip(0, 255)
        .astype(np.uint8)
    )


@pytest.mark.parametrize("strength", [0, 3, 6])
def test_a_mouth_has_the_grain_of_its_frame(strength):
    picture = grey_face(strength, sharp=False)
    patch = Patch(picture, LARGE, usual_outline(LARGE), MOUTH)
    answer = np.full((3, 48, 64), 0.4, np.float32)
    one, same, other = (patch.apply(picture.copy(), answer, patch.look(answer), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    mouth, cheek = (slice(320, 340), slice(230, 270)), (slice(100, 200), slice(150, 350))
    for made in (one, other):
        assert made[mouth].std() == pytest.approx(picture[cheek].std(), rel=0.3, abs=0.5)
    assert (one[mouth] != other[mouth]).any() == (strength > 0)


@pytest.mark.parametrize("blur", [2.0, 4.0])
def test_a_mouth_is_as_sharp_as_its_frame(blur):
    picture = cv2.GaussianBlur(grey_face(0), (0, 0), blur)
    patch = Patch(picture, LARGE, usual_outline(LARGE), MOUTH)
    own = face_input(picture, LARGE)[3:, slice(*MOUTH.rows), slice(*MOUTH.columns)]
    look, mouth = patch.look(own), (slice(320, 340), slice(200, 300))
    measured, softest, sharpest = (
        np.abs(patch.apply(picture.copy(), own, one)[mouth].astype(int) - picture[mouth]).mean()
        for one in (look, *(look._replace(sharpness=np.float32(amount)) for amount in (0, 1)))
    )
    assert measured < 0.8 * min(softest, sharpest)


# --- what trembles -----------------------------------------------------------------------------------


def colour_of_mouths(skin, answer):
    """What the answers look like with the looks of a row of frames, steadied: (frames, 3)."""
    rows = [
        Look(*np.float32([s, a]), np.float32(0.5), np.ones(2, np.float32))
        for s, a in zip(skin, answer, strict=True)
    ]
    looks = [steadied(rows[max(0, k - REACH) : k + REACH + 1], min(k, REACH)) for k in range(len(rows))]
    return np.array([a + look.tint for a, look in zip(answer, looks, strict=True)])


def trembling(values):
    return np.sqrt((np.diff(values, axis=0) ** 2).mean())


def test_colours_tremble_with_the_face_and_with_nothing_else():
    rng = np.random.Generator(np.random.PCG64(7))
    noise, chance = rng.normal(0, 1.5, (2, 60, 1)) * np.ones(3)
    still = np.full((60, 3), 90.0)
    # What is measured of the skin trembles, the network does not: nor does the mouth.
    assert trembling(colour_of_mouths(still + noise, still)) < 0.15 * trembling(noise)
    # The network trembles by itself: that is taken back.
    assert trembling(colour_of_mouths(still, still + 3 * chance)) < 1e-3
    # Both tremble, for the frame does: so does the mouth.
    np.testing.assert_allclose(colour_of_mouths(still + noise, still - 20 + noise), still + noise, atol=0.2)


def test_colours_follow_another_light_at_once():
    skin = np.repeat([[90.0] * 3, [140.0] * 3], 20, axis=0)
    np.testing.assert_allclose(colour_of_mouths(skin, np.full((40, 3), 70.0)), skin, atol=0.5)


@given(
    st.tuples(st.integers(-20, 60), st.integers(-20, 60), st.integers(2, 400), st.integers(2, 400)),
    st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(0.1, 2)),
)
def test_the_window_holds_the_mask_and_is_never_empty(corner_and_size, moved):
    x, y, width, height = corner_and_size
    box = (x, y, x + width, y + height)
    lines = usual_outline(box)
    lines = (
        (lines - lines.mean(axis=0)) * moved[2] + lines.mean(axis=0) + np.multiply(moved[:2], (width, height))
    )
    window = reached_by(np.array([box, box]), np.array([usual_outline(box), lines], np.float32))
    for (start, stop), first in zip(window, (48, 0), strict=True):
        assert first <= start < stop <= 96 and stop - start >= 16
    view = (lines - box[:2]) * 96 / (width, height)
    inside = ((view >= (0, 48)) & (view <= 96)).all(axis=1)
    low, high = np.array([window.columns[0], window.rows[0]]), np.array([window.columns[1], window.rows[1]])
    assert ((view[inside] >= low) & (view[inside] <= high)).all()


def test_without_a_face_the_window_is_small():
    window = reached_by(np.zeros((0, 4), np.int32), np.zeros((0, 27, 2), np.float32))
    assert (window.rows[1] - window.rows[0]) * (window.columns[1] - window.columns[0]) < 48 * 64


# --- devices ---------------------------------------------------------------------------------------


def test_a_device_that_is_not_there_is_refused_with_a_hint():
    assert runtime.choose_device("cpu") == "cpu"
    with pytest.raises(BadInput, match="tpu"):
        runtime.choose_device("tpu")
    with pytest.raises(EngineUnavailable, match="--device auto"):
        runtime.choose_device("mps" if runtime.choose_device() != "mps" else "cuda")


def test_openvino_tells_nobody_that_it_runs():
    pytest.importorskip("openvino")
    code = """if True:
        import os, sys, time
        os.register_at_fork(before=lambda: os._exit(3))
        from avatalk.models import runtime
        ov = runtime.require("openvino")
        assert "openvino.tools.ovc" not in sys.modules  # it would take as long as all the rest
        try:
            ov.convert_model("nothing.onnx")
        except Exception as error:
            assert "nothing.onnx" in str(error), error
        else:
            raise AssertionError("there is no such file")
        assert "openvino.tools.ovc" in sys.modules
        time.sleep(0.3)
        sys.exit("openvino_telemetry.main" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_package_is_answered_with_the_command_that_installs_it():
    with pytest.raises(EngineUnavailable) as caught:
        runtime.require("a_package_nobody_has")
    assert caught.value.hint == "pip install 'avatalk[neural]'"


@pytest.mark.parametrize("fits", [3, 1, 0])
def test_a_batch_too_large_for_a_device_is_run_in_halves(fits):
    torch = pytest.importorskip("torch")

    class Sum(torch.nn.Module):
        def forward(self, x, y):
            if len(x) > fits:
                raise torch.OutOfMemoryError
            return x + y

    x, y = np.arange(10, dtype=np.float32).reshape(5, 2), np.ones((1, 2), np.float32)
    run = runtime.torch_network(Sum(), "cpu")
    if fits:
        np.testing.assert_array_equal(run(x, y)[0], x + 1)
    else:
        with pytest.raises(CannotRun, match="does not suffice"):
            run(x, y)


# --- network -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch = pytest.importorskip("torch")
    pytest.importorskip("openvino")
    path = tmp_path_factory.mktemp("weights") / "wav2lip.pth"
    torch.save({"state_dict": {f"module.{name}": one for name, one in state_dict("wav2lip").items()}}, path)
    return path


@pytest.fixture
def run(checkpoint, monkeypatch):
    """Run the golden example, two frames, in both parts as the engine does."""
    monkeypatch.setenv("AVATALK_CACHE", str(checkpoint.parent / "cache"))
    from avatalk.lipsync.wav2lip_networks import BATCH, Networks
    from avatalk.lipsync.wav2lip_parts import WHOLE

    numbers = golden("wav2lip_forward")

    def both(precision, order=(0, 1), window=WHOLE):
        networks = Networks.start(checkpoint, "cpu", precision, window, BATCH)
        seats = np.resize(order, BATCH)
        maps = networks.face(numbers["face_uint8"][seats].astype(np.float32) / 255)
        (out,) = networks.lips(numbers["mel"][seats], *maps)
        return out, numbers["out"][seats][:, :, slice(*window.rows), slice(*window.columns)]

    return both


@pytest.mark.parametrize("window", [((0, 96), (0, 96)), ((48, 96), (16, 80)), ((51, 94), (3, 60))])
@pytest.mark.parametrize(("precision", "most", "mean"), [("f32", 1e-4, 1e-5), ("bf16", 1e-2, 2e-3)])
def test_openvino_gives_the_originals_faces(run, precision, most, mean, window):
    if precision == "bf16" and runtime.fastest_precision("cpu") != "bf16":
        pytest.skip("this processor has no bfloat16")
    out, expected = run(precision, window=Window(*window))
    error = np.abs(out - expected)
    assert error.max() <= most
    assert error.mean() <= mean
    if precision == "bf16":
        assert error.max() > 1e-4  # or it did not run in bfloat16 at all


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_a_frame_has_the_same_bits_in_any_company(run, precision):
    if precision == "bf16" and runtime.fastest_precision("cpu") != "bf16":
        pytest.skip("this processor has no bfloat16")
    out, _ = run(precision)
    turned, _ = run(precision, (1, 0, 0))
    np.testing.assert_array_equal(out[0], turned[1])
    np.testing.assert_array_equal(out[1], turned[0])
    assert not np.array_equal(out[0], out[1])


# --- engine ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def audio(make_wav):
    """Noise, then silence, 0.7 s."""
    rng = np.random.Generator(np.random.PCG64(5))
    sound = rng.uniform(-0.3, 0.3, 11200).astype(np.float32)
    sound[6400:] = 0
    return open_audio(make_wav(sound, 16000))


@pytest.fixture
def animate(checkpoint, audio, monkeypatch):
    monkeypatch.setenv("AVATALK_CACHE", str(checkpoint.parent / "cache"))
    from avatalk.lipsync.base import Shot
    from avatalk.lipsync.wav2lip import Wav2Lip

    visemes = np.zeros((FRAMES, 6), np.float32)
    visemes[:10, 0] = 0.5

    def prepare(clip=None, boxes=(BOX,), source=None, **options):
        shot = Shot(
            Avatar("test", picture=coloured_noise(1) if clip is None else None),
            None,
            VisemeCurve(visemes, float(FPS)),
            MotionCurve(np.zeros((FRAMES, 8), np.float32), float(FPS)),
            WIDTH,
            HEIGHT,
            audio=audio,
            fps=FPS,
            pictures=clip and (lambda start, stop: (clip[source[k]].copy() for k in range(start, stop))),
            source=source,
            boxes=boxes,
        )
        return Wav2Lip(checkpoint, "cpu", **options).prepare(shot)

    return prepare


@pytest.fixture(scope="module")
def clip():
    """Seven frames that go to and fro; the third and fourth have no face."""
    pictures = [coloured_noise(seed) for seed in range(7)]
    boxes = tuple(None if k in (2, 3) else (38 + k, 20, 108 + k, 104 + k % 2) for k in range(7))
    source = np.array([k % 12 if k % 12 < 7 else 12 - k % 12 for k in range(FRAMES)])
    return {"clip": pictures, "boxes": boxes, "source": source}


@pytest.mark.parametrize("kind", ["still", "clip"])
def test_any_range_of_frames_is_the_same_bits(animate, clip, kind):
    animation = animate(**({} if kind == "still" else clip))
    whole = list(animation.frames(0, FRAMES))
    assert len(whole) == FRAMES
    for start, stop in [(0, 1), (5, 14), (20, 21), (7, 9), (3, 3)]:
        part = list(animation.frames(start, stop))
        assert len(part) == stop - start
        for ours, theirs in zip(part, whole[start:stop], strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_faces_of_a_clip_that_comes_again_are_computed_once(animate, clip, monkeypatch):
    from avatalk.lipsync import wav2lip_networks

    def count(animation):
        run, seen = animation._faces._network, []
        animation._faces._network = lambda faces: seen.append(len(faces)) or run(faces)
        return list(animation.frames(0, FRAMES)), len(seen)

    kept, few = count(animate(**clip))
    monkeypatch.setattr(wav2lip_networks, "KEPT_BYTES", 0)
    fresh, many = count(animate(**clip))
    assert few < many == 6
    for ours, theirs in zip(kept, fresh, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_only_the_mouth_of_a_still_moves_and_rests_in_silence(animate):
    animation = animate()
    frames = np.array(list(animation.frames(0, FRAMES))).astype(int)
    changed = np.abs(frames - coloured_noise(1)).max(axis=(0, 3)) > 0
    assert changed.any()
    middle = (BOX[1] + BOX[3]) // 2
    outside = changed.copy()
    outside[middle : BOX[3] + 10, BOX[0] : BOX[2]] = False
    assert not outside.any()
    assert (frames[2] != frames[6]).any()
    np.testing.assert_array_equal(frames[15], frames[19])


def test_the_colours_of_a_still_do_not_flicker(animate, monkeypatch):
    animation = animate()
    calm = list(animation.frames(0, FRAMES))
    patch, tint = animation._still.patch, animation._still.look.tint
    answers = animation.networks.answers

    def flickering(mel, maps):
        return answers(mel, maps) + np.float32(0.05)

    monkeypatch.setattr(type(animation.networks), "answers", staticmethod(flickering))
    brighter = np.array(list(animation.frames(0, 1)))[0].astype(int) - calm[0]
    assert brighter.max() > 8  # it is not matched away frame by frame
    own = face_input(coloured_noise(1), animation._place(0).box)[3:]
    window = animation.networks.window
    own = own[:, slice(*window.rows), slice(*window.columns)]
    np.testing.assert_allclose(patch.look(own).tint, 0, atol=1e-3)
    np.testing.assert_allclose(patch.look(own - np.float32(0.1)).tint, 25.5, atol=0.1)
    assert tint.shape == (3,)


def test_the_colours_of_a_clip_do_not_flicker(animate):
    rng = np.random.Generator(np.random.PCG64(8))
    pictures = [
        (coloured_noise(1) * 0.9 + shift).clip(0, 255).astype(np.uint8) for shift in rng.normal(12, 1.5, 21)
    ]
    options = {"clip": pictures, "boxes": (BOX,) * FRAMES, "source": np.arange(FRAMES)}
    mouth = slice(78, 86), slice(70, 80)

    def mouths(**more):
        return np.array([f[mouth].mean(axis=(0, 1)) for f in animate(**options, **more).frames(0, FRAMES)])

    assert trembling(mouths()[10:]) < 0.6 * trembling(mouths(smooth=False)[10:])


def test_frames_without_a_face_pass_unchanged_and_are_listed(animate, clip):
    animation = animate(**clip)
    for index, frame in enumerate(animation.frames(0, FRAMES)):
        before = clip["clip"][clip["source"][index]]
        assert np.array_equal(frame, before) == (clip["source"][index] in (2, 3))
    expected = np.array([(2, 4), (9, 11), (14, 16)]) / float(FPS)
    np.testing.assert_allclose(animation.faceless, expected)


@pytest.mark.parametrize("kind", ["still", "clip"])
def test_original_paste_is_what_the_golden_pieces_give_together(animate, clip, audio, checkpoint, kind):
    import torch

    from avatalk.lipsync.wav2lip_net import Wav2LipNet

    options = {} if kind == "still" else clip
    animation = animate(**options, original=True, precision="f32")
    net = Wav2LipNet().eval()
    net.load_state_dict(state_dict("wav2lip"))
    mel = hearing.mel_spectrogram(audio.blocks(16000))
    starts = hearing.window_starts(mel.shape[1], FPS, FRAMES)
    source = options.get("source", np.zeros(FRAMES, int))
    boxes = [
        box and (box[0], box[1], box[2], min(HEIGHT, box[3] + 10)) for box in options.get("boxes", (BOX,))
    ]
    if kind == "clip":
        for first, stop in ((0, 2), (4, 7)):
            boxes[first:stop] = [tuple(row) for row in smooth_boxes(np.array(boxes[first:stop])).tolist()]
    for index, frame in enumerate(animation.frames(0, FRAMES)):
        box = boxes[source[index]]
        picture = coloured_noise(1) if kind == "still" else clip["clip"][source[index]]
        if box is None:
            np.testing.assert_array_equal(frame, picture)
        elif index % 6 == 0:
            face = torch.from_numpy(face_input(picture, box)[None])
            heard = torch.from_numpy(hearing.windows(mel, starts[index : index + 1]))
            with torch.inference_mode():
                expected = paste_rectangle(picture, box, net(heard, face)[0].numpy())
            np.testing.assert_allclose(frame.astype(int), expected, atol=1)
            assert (frame != picture).any()


def test_the_second_start_reads_the_conversion_and_not_the_checkpoint(animate, checkpoint, monkeypatch):
    first = next(animate().frames(0, 1))
    from avatalk.models import checkpoints

    monkeypatch.setattr(checkpoints, "load_weights", None)
    np.testing.assert_array_equal(next(animate().frames(0, 1)), first)


def test_converted_weights_that_cannot_be_stored_are_told(checkpoint, tmp_path, monkeypatch):
    from avatalk.lipsync.wav2lip_networks import convert

    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ModelUnavailable, match="cannot be stored") as caught:
        convert(checkpoint, Monitor())
    assert "AVATALK_CACHE" in caught.value.hint


def test_it_says_what_it_runs_on(checkpoint):
    from avatalk.lipsync.wav2lip import Wav2Lip

    assert Wav2Lip(checkpoint, "cpu", "f32").runs_on == "cpu, f32, OpenVINO"
    assert Wav2Lip(checkpoint, "cpu").runs_on == f"cpu, {runtime.fastest_precision('cpu')}, OpenVINO"
