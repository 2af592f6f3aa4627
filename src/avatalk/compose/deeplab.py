"""Matting by DeepLabV3+ of any backbone, as its authors and PixelLib export it: frozen TensorFlow graphs.

Such a graph takes `ImageTensor` and gives `SemanticPredictions`, a class of Pascal VOC for every pixel. Its
beginning and its end are done here instead, which takes any picture in one shape and gives soft edges: the
picture is scaled until its longer side is 513, laid at the top left of a grey square and brought to -1..1;
of the scores that `ArgMax` would choose from, softmax makes the probability of class 15, a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from avatalk import models
from avatalk.compose.matting import Matting
from avatalk.compose.segmenter import Segmenter
from avatalk.errors import UnreadableFile
from avatalk.events import Monitor
from avatalk.media import Float32Array, UInt8Array
from avatalk.models import frozen, runtime
from avatalk.models.manifest import DEEPLAB

_SIDE = 513
_GREY = 127.5
_PERSON = 15
_CLASSES = 21
_PASSING = ("Pad", "PadV2", "MirrorPad", "Identity")  # before the first convolution, part of the network
_ENTRY, _EXIT = "ImageTensor", "ArgMax"


class DeepLab(Segmenter):
    """Runs on the processor, by OpenVINO.

    Args:
        path: of the graph.

    Raises:
        UnreadableFile: it is none of DeepLab, or damaged.
        EngineUnavailable: OpenVINO is not installed.
    """

    name: ClassVar[str] = "deeplab"
    rims: ClassVar[tuple[float, ...]] = (0.1,)

    def __init__(self, path: Path) -> None:
        self._network = runtime.compiled(_model(path), runtime.fastest_precision("cpu"), alone=True)

    @classmethod
    def configured(cls, device: str, monitor: Monitor) -> Matting:  # noqa: ARG003 - runs on processors
        """See `Matting.configured`."""
        return cls(models.path("deeplab", DEEPLAB, monitor))

    def look(self, picture: UInt8Array) -> Float32Array:
        """See `Segmenter.look`."""
        square, (rows, columns) = squared(picture)
        (seen,) = self._network(square)
        return np.asarray(seen, np.float32).reshape(_SIDE, _SIDE)[:rows, :columns]


def squared(picture: UInt8Array) -> tuple[Float32Array, tuple[int, int]]:
    """Return what the network is given of a picture, and how much of that is the picture.

    Args:
        picture: (height, width, 3) uint8 RGB.

    Returns:
        (1, 513, 513, 3) float32, -1..1, and the rows and columns at its top left that show the picture.
    """
    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    square = np.full((1, _SIDE, _SIDE, 3), _GREY, np.float32)
    square[0, : size[1], : size[0]] = cv2.resize(picture, size, interpolation=how)
    return np.asarray(square * np.float32(2 / 255) - 1, np.float32), (size[1], size[0])


def check(folder: Path) -> None:
    """Make sure that the graph in a folder is one that this engine can use.

    Raises:
        UnreadableFile: it is not, or is damaged.
        EngineUnavailable: OpenVINO, which reads it, is not installed.
    """
    _model(folder / DEEPLAB)


def _model(path: Path) -> Any:
    """Return the ``openvino.Model`` from the network's picture to the probability of a person."""
    nodes = frozen.read_nodes(path)
    ends = [name for name, node in nodes.items() if node.operator == "ArgMax"]
    # Of several, that of the result; a graph that was cut short by others may call it anything.
    last = next((name for name in ends if name == _EXIT), ends[0] if ends else "")
    if _ENTRY not in nodes or not last:
        raise UnreadableFile(
            f"{path.name} is a TensorFlow graph, but none of DeepLab: it lacks"
            f" {_ENTRY if _ENTRY not in nodes else 'the choice of a class'}.",
            hint="Give xception_pascalvoc.pb, or another graph of DeepLab for Pascal VOC.",
        )
    scores = nodes[last].inputs[0]
    model = frozen.part(path, _entry(path, nodes, scores), scores, (1, _SIDE, _SIDE, 3))
    ops, result = runtime.require("openvino.opset13"), model.outputs[0]
    shape = result.partial_shape
    if not shape.is_static or list(shape.to_shape()) != [1, _SIDE, _SIDE, _CLASSES]:
        raise UnreadableFile(
            f"{path.name} tells other classes than the 21 of Pascal VOC, or at another size: {shape}.",
            hint="Give xception_pascalvoc.pb, or another graph of DeepLab for Pascal VOC.",
        )
    of = result.node.input_value(0)
    chances = of if of.node.get_type_name() == "Softmax" else ops.softmax(of, 3).output(0)
    person = ops.gather(chances, np.int32(_PERSON), np.int32(3))
    return runtime.require("openvino").Model([person], model.get_parameters())


def _entry(path: Path, nodes: Mapping[str, frozen.Node], scores: str) -> str:
    """Return the node that gives the network its picture: what the first convolution sees."""
    convolutions = [name for name in frozen.upstream(nodes, scores) if nodes[name].operator == "Conv2D"]
    for name in convolutions:
        before = frozen.upstream(nodes, name)
        if _ENTRY in before and not before.intersection(convolutions):
            source = nodes[name].inputs[0]
            while nodes[source].operator in _PASSING:
                source = nodes[source].inputs[0]
            return source
    raise UnreadableFile(
        f"{path.name} is a TensorFlow graph without a network in it.", hint="Give the published graph."
    )
