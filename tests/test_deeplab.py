"""The engine `deeplab`, through a small frozen graph with the interface and the steps of the real one.

`data/deeplab.pb` was written by `scripts/make_deeplab_graph.py`, which says what it computes: a pixel is a
person with the probability 1 / (1 + exp(-4 red)), red being -1..1.
"""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from avatalk import models
from avatalk.errors import UnreadableFile

pytest.importorskip("openvino")

from avatalk.compose.deeplab import DeepLab, check, squared
from avatalk.models import frozen

GRAPH = Path(__file__).parent / "data" / "deeplab.pb"


@pytest.fixture(scope="module")
def engine():
    return DeepLab(GRAPH)


def chance(red):
    """What the graph says of a pixel, worked out by hand."""
    return 1 / (1 + math.exp(-4 * (red * 2 / 255 - 1)))


def test_a_wide_picture_is_scaled_and_padded():
    picture = np.full((100, 200, 3), (255, 0, 51), np.uint8)
    square, shown = squared(picture)
    assert square.shape == (1, 513, 513, 3) and shown == (256, 513)  # 513 / 200 · 100 = 256.5
    assert square[0, :256].reshape(-1, 3) == pytest.approx(np.tile([[1, -1, -0.6]], (256 * 513, 1)), abs=1e-6)
    assert square[0, 256:] == pytest.approx(0.0, abs=1e-6)  # 127.5 in the graph's own padding


def test_a_tall_picture_is_scaled_down_without_moire():
    picture = np.zeros((2052, 1026, 3), np.uint8)
    picture[::2] = 255  # lines one pixel high
    square, shown = squared(picture)
    assert shown == (513, 256)
    # 1026 / 256 is a hair above 4, so the lines even out to about grey.
    assert np.abs(square[0, :, :256]).max() < 0.02
    assert np.abs(square[0, :, 256:]).max() < 1e-6


def test_class_15_is_the_person(engine):
    picture = np.zeros((300, 600, 3), np.uint8)
    picture[..., 1:] = 255
    picture[:, :200, 0], picture[:, 200:400, 0], picture[:, 400:, 0] = 255, 140, 0
    seen = engine.look(picture)
    assert seen.shape == (256, 513)
    for column, red in ((80, 255), (256, 140), (430, 0)):
        assert seen[::50, column] == pytest.approx(chance(red), abs=0.01)


def test_padding_is_no_person(engine):
    """In the padding red is 0 in -1..1, which would be half a person."""
    picture = np.full((100, 400, 3), 20, np.uint8)
    seen = engine.look(picture)
    assert seen.shape == (128, 513)
    assert seen[:-1].max() < 0.05  # the last row is between the picture and the padding


def test_the_graph_itself_agrees():
    """The cut network says a person where the whole graph, run as it was published, says class 15."""
    import cv2
    import openvino

    rng = np.random.Generator(np.random.PCG64(3))
    small = rng.integers(0, 256, (12, 16, 3), np.uint8)
    picture = cv2.resize(small, (513, 385), interpolation=cv2.INTER_CUBIC)
    model = openvino.Core().read_model(GRAPH)
    model.reshape([1, *picture.shape])
    (classes,) = openvino.Core().compile_model(model, "CPU")(picture[None]).values()
    assert set(np.unique(classes)) == {0, 15}
    agrees = (classes[0] == 15) == (DeepLab(GRAPH).look(picture) > 0.5)
    assert agrees.mean() > 0.99


def test_a_person_is_cut_out(engine):
    """A red disc before a green ground, in a picture of another shape."""
    import cv2

    picture = np.full((240, 420, 3), (10, 200, 10), np.uint8)
    cv2.circle(picture, (200, 120), 80, (250, 20, 20), -1, cv2.LINE_AA)
    cut = engine.cut(picture)
    disc = np.zeros((240, 420), np.uint8)
    cv2.circle(disc, (200, 120), 80, 255, -1, cv2.LINE_AA)
    assert np.abs(cut[..., 3].astype(int) - disc).mean() < 1.5
    edge = (cut[..., 3] > 60) & (cut[..., 3] < 250)
    own = cut[edge].astype(float)
    green = own[:, 1] / own[:, 3] * 255
    assert np.median(green) < 60  # of the person, not of the ground


def test_a_graph_is_imported_by_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    brought = tmp_path / "frozen_inference_graph.pb"
    shutil.copy(GRAPH, brought)
    found = models.import_file(brought)
    assert found.model == "deeplab" and not found.missing and not found.published
    assert "checksum" in found.what
    assert models.installed("deeplab") and not models.verify("deeplab")
    monkeypatch.setenv("AVATALK_OFFLINE", "1")
    from avatalk.events import Monitor

    assert DeepLab.configured("auto", Monitor()).name == "deeplab"
    with (models.folder("deeplab") / "xception_pascalvoc.pb").open("r+b") as file:
        file.seek(3000)
        file.write(b"????")
    assert models.verify("deeplab") == ["xception_pascalvoc.pb"]


def other_graph():
    """A frozen graph of one placeholder: a node with a name and an operator."""
    node = b"\x0a\x01x" + b"\x12\x0bPlaceholder"
    return b"\x0a" + bytes([len(node)]) + node


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "DeepLab"),
        (b"<!doctype html><html>sign in</html>", "not a frozen TensorFlow graph"),
        (GRAPH.read_bytes()[:5000], "cut short"),
        (other_graph(), "DeepLab"),
    ],
)
def test_other_files_are_refused(tmp_path, monkeypatch, content, says):
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "xception_pascalvoc.pb"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=says):
        models.import_file(path)
    assert not models.installed("deeplab")
    with pytest.raises(UnreadableFile):
        check(tmp_path)


def test_nodes_are_read():
    nodes = frozen.read_nodes(GRAPH)
    assert nodes["ImageTensor"] == frozen.Node("Placeholder", ())
    assert nodes["Conv2D"].inputs == ("Pad_1", "Conv2D/filter")
    before = frozen.upstream(nodes, "Conv2D")
    assert "ImageTensor" in before and "ArgMax" not in before
