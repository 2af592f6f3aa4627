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


def test_openvino_gives_the_originals_maps(network, example, tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("openvino")
    from avatalk.models import runtime

    pictures, expected = example
    runtime.convert(network, (torch.from_numpy(pictures),), tmp_path / "s3fd.xml")
    for ours, theirs in zip(
        runtime.openvino_network(tmp_path / "s3fd.xml", [pictures.shape], "f32")(pictures),
        expected,
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)
