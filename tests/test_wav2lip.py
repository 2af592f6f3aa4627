"""Wav2Lip against numbers that the original code gave, with weights filled from the names of its tensors."""

from fractions import Fraction

import numpy as np
import pytest

from avatalk.lipsync import wav2lip_audio as audio
from avatalk.lipsync import wav2lip_crop as crop
from filled import golden, keys, state_dict

# --- sound -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound():
    numbers = golden("wav2lip_audio")
    return numbers["pcm16"].astype(np.float32) / 32768, numbers


def test_mel_is_the_originals(sound):
    samples, numbers = sound
    mel = audio.mel_spectrogram([samples])
    assert mel.shape == numbers["mel"].shape
    np.testing.assert_allclose(mel, numbers["mel"], atol=1e-3)


@pytest.mark.parametrize("block", [160, 7001, 40000])
def test_mel_does_not_depend_on_how_the_sound_is_cut(sound, block):
    samples, numbers = sound
    blocks = [samples[start : start + block, None] for start in range(0, len(samples), block)]
    np.testing.assert_allclose(audio.mel_spectrogram(blocks), numbers["mel"], atol=1e-3)


@pytest.mark.parametrize("fps", ["25", "30", "29.97", "24", "50"])
def test_windows_start_where_the_originals_do(sound, fps):
    starts = sound[1][f"starts_{fps}"]
    columns = sound[1]["mel"].shape[1]
    assert audio.window_starts(columns, float(fps), len(starts)).tolist() == starts.tolist()


def test_windows_do_not_drift_in_two_hours_of_ntsc():
    fps = Fraction(30000, 1001)
    last = int(7200 * fps)
    starts = audio.window_starts(7201 * 80, fps, last + 1)
    assert starts[last] == 575999 == int(last / fps * 80)


def test_sound_shorter_than_a_window_is_followed_by_silence():
    mel = audio.mel_spectrogram([np.full(1600, 0.1, np.float32)])
    assert mel.shape == (80, 16)
    assert (mel[:, -3:] == audio.SILENCE).all()
    assert audio.windows(mel, audio.window_starts(16, 25, 5)).shape == (5, 1, 80, 16)


def test_windows_are_cut_from_the_spectrogram(sound):
    mel = sound[1]["mel"]
    cut = audio.windows(mel, np.array([0, 187]))
    np.testing.assert_array_equal(cut[0, 0], mel[:, :16])
    np.testing.assert_array_equal(cut[1, 0], mel[:, 187:])


# --- faces -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def frames():
    numbers = golden("wav2lip_frames")
    y0, y1, x0, x1 = map(int, numbers["box_y1y2x1x2"])
    return np.ascontiguousarray(numbers["frame"][..., ::-1]), (x0, y0, x1, y1), numbers


def test_boxes_are_smoothed_as_the_original_does(frames):
    before = frames[2]["boxes_in"].copy()
    np.testing.assert_array_equal(crop.smooth_boxes(before), frames[2]["boxes_smoothed"])
    np.testing.assert_array_equal(before, frames[2]["boxes_in"])


def test_fewer_boxes_than_the_window_are_smoothed():
    assert crop.smooth_boxes(np.array([[0, 0, 10, 10], [2, 4, 12, 20]])).tolist() == [
        [1, 2, 11, 15],
        [1, 3, 11, 17],
    ]


def test_box_is_padded_and_cut_to_the_picture():
    assert crop.pad_box((5, 6, 50, 60), (10, 10, 3, 70), 100, 64) == (2, 0, 100, 64)


def test_the_network_sees_what_the_originals_sees(frames):
    picture, box, numbers = frames
    np.testing.assert_allclose(crop.face_input(picture, box), numbers["network_input"][0], atol=1e-6)


def test_the_rectangle_is_pasted_as_the_original_does(frames):
    picture, box, numbers = frames
    before = picture.copy()
    pasted = crop.paste_rectangle(picture, box, numbers["prediction"].transpose(2, 0, 1))
    np.testing.assert_array_equal(pasted[..., ::-1], numbers["pasted"])
    np.testing.assert_array_equal(picture, before)


# --- network ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("torch")
    from avatalk.lipsync.wav2lip_net import Wav2LipNet

    net = Wav2LipNet().eval()
    net.load_state_dict(state_dict("wav2lip"), strict=True)
    return net


@pytest.fixture(scope="module")
def example():
    numbers = golden("wav2lip_forward")
    return numbers["mel"], numbers["face_uint8"].astype(np.float32) / 255, numbers["out"]


def test_the_network_has_the_checkpoints_tensors(network):
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == keys("wav2lip")


def test_the_network_gives_the_originals_faces(network, example):
    import torch

    mel, face, expected = example
    with torch.inference_mode():
        out = network(torch.from_numpy(mel), torch.from_numpy(face)).numpy()
    np.testing.assert_allclose(out, expected, atol=1e-4)


@pytest.mark.parametrize(
    "window",
    [((0, 96), (0, 96)), ((48, 96), (16, 80)), ((10, 51), (31, 78)), ((1, 94), (2, 60))],
    ids=["whole", "mouth", "uneven", "close to the edge"],
)
def test_the_network_in_parts_gives_the_same_window(network, example, window):
    import torch

    from avatalk.lipsync import wav2lip_parts as parts
    from avatalk.lipsync.wav2lip_net import kernels
    from avatalk.models import graphs

    mel, face, expected = example
    window = parts.Window(*window)
    ops = graphs.TorchOps(kernels(network))
    with torch.inference_mode():
        maps = parts.face_maps(ops, torch.from_numpy(face), window)
        out = parts.lips(ops, torch.from_numpy(mel), *maps, window=window).numpy()
    np.testing.assert_allclose(out, expected[:, :, slice(*window.rows), slice(*window.columns)], atol=1e-4)
