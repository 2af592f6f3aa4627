"""S3FD against numbers that the original code gave, with weights filled from the names of its tensors."""

import numpy as np
import pytest

from avatalk.faces.s3fd_decode import decode
from filled import golden, keys, state_dict


@pytest.mark.parametrize("image", [0, 1])
def test_maps_are_decoded_as_the_original_does(image):
    numbers = golden("s3fd_decode")
    boxes = decode([numbers[f"head_{index}"][image] for index in range(12)])
    np.testing.assert_allclose(boxes, numbers[f"boxes_{image}"], atol=1e-2)


def test_no_face_is_no_box():
    maps = [np.zeros((channels, 4, 4), np.float32) for channels in (2, 4) * 6]
    for scores in maps[::2]:
        scores[0] = 5.0
    assert decode(maps).shape == (0, 5)


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("torch")
    from avatalk.faces.s3fd_net import S3fdNet

    net = S3fdNet().eval()
    net.load_state_dict(state_dict("s3fd"), strict=True)
    return net


def test_the_network_has_the_checkpoints_tensors(network):
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == keys("s3fd")


@pytest.fixture(scope="module")
def example():
    numbers = golden("s3fd_forward")
    pictures = numbers["images_uint8"].astype(np.float32) - np.array([104, 117, 123], np.float32)
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)), [numbers[f"out_{k}"] for k in range(12)]


def test_the_network_gives_the_originals_maps(network, example):
    import torch

    with torch.inference_mode():
        maps = network(torch.from_numpy(example[0]))
    for ours, theirs in zip(maps, example[1], strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-3)


@pytest.fixture(scope="module")
def checkpoint(network, tmp_path_factory):
    torch = pytest.importorskip("torch")
    path = tmp_path_factory.mktemp("weights") / "s3fd.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def finder(checkpoint, tmp_path_factory, monkeypatch):
    pytest.importorskip("openvino")
    from avatalk.faces.s3fd import S3fd

    monkeypatch.setenv("AVATALK_CACHE", str(checkpoint.parent / "cache"))
    return lambda precision="f32": S3fd(checkpoint, "cpu", precision)


@pytest.mark.parametrize(("precision", "most"), [("f32", 1e-3), ("bf16", 1e-2)])
def test_openvino_gives_the_originals_maps(finder, example, checkpoint, precision, most):
    from avatalk.models import runtime

    if precision == "bf16" and runtime.fastest_precision("cpu") != "bf16":
        pytest.skip("this processor has no bfloat16")
    finder()
    pictures, expected = example
    run = runtime.openvino_network(runtime.converted(checkpoint, "s3fd.xml"), [pictures.shape], precision)
    for ours, theirs in zip(run(pictures), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=most, rtol=0)


def noise(height, width):
    """A coarse random picture, which the filled network takes for faces in places."""
    rng = np.random.Generator(np.random.PCG64(3))
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_boxes_are_those_of_the_maps(finder, network):
    import torch

    picture = noise(96, 128)
    image = torch.from_numpy((picture - np.array([104, 117, 123], np.float32)).transpose(2, 0, 1)[None])
    with torch.inference_mode():
        expected = decode([one[0].numpy() for one in network(image)])
    assert len(expected) > 0
    np.testing.assert_allclose(finder().find_boxes(picture), expected, atol=0.05)


def test_boxes_of_a_shrunk_copy_are_in_pixels_of_the_picture(finder):
    small = noise(96, 128)
    large = np.repeat(np.repeat(small, 3, axis=0), 3, axis=1)
    boxes = finder().find_boxes(large, side=128)
    expected = finder().find_boxes(small)
    np.testing.assert_allclose(boxes[:, :4], 3 * expected[:, :4], atol=0.2)


def test_the_best_box_is_cut_at_the_edge_and_whole(finder):
    found = finder()
    picture = noise(96, 128)
    box = found.best_box(picture)
    assert box is not None
    best = found.find_boxes(picture)[0]
    assert box == tuple(int(max(0.0, edge)) for edge in best[:4])
    assert all(type(edge) is int for edge in box)


def test_wrong_weights_are_refused_by_name(checkpoint, tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    torch = pytest.importorskip("torch")
    from avatalk.errors import UnreadableFile
    from avatalk.faces.s3fd import S3fd

    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path))
    torch.save({"face_decoder_blocks.0.0.conv_block.0.weight": torch.zeros(1)}, tmp_path / "s3fd.pth")
    with pytest.raises(UnreadableFile, match="holds Wav2Lip, not S3FD"):
        S3fd(tmp_path / "s3fd.pth", "cpu")
    with pytest.raises(UnreadableFile, match="does not exist"):
        S3fd(tmp_path / "gone.pth", "cpu")
