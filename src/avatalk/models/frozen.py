"""Frozen TensorFlow graphs: what is in them, and the part of one between two tensors, without TensorFlow.

Only the names of a graph's nodes, their operators and their inputs are read here; form: TensorFlow's
``graph.proto`` and ``node_def.proto`` in the encoding of Protocol Buffers. OpenVINO reads the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatalk.errors import UnreadableFile
from avatalk.models.runtime import require

_NODE, _NAME, _OPERATOR, _INPUT = 1, 1, 2, 3  # numbers of fields


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a graph.

    Attributes:
        operator: as TensorFlow calls it.
        inputs: names of the nodes that it takes data from.
    """

    operator: str
    inputs: tuple[str, ...]


def read_nodes(path: Path) -> dict[str, Node]:
    """Return the nodes of a graph by name.

    Raises:
        UnreadableFile: it is no frozen graph, or is cut short.
    """
    nodes = {}
    try:
        for number, node in _fields(memoryview(path.read_bytes())):
            if number != _NODE or isinstance(node, int):
                continue
            texts = [
                (at, bytes(text).decode())
                for at, text in _fields(node)
                if not isinstance(text, int) and at <= _INPUT
            ]
            name, operator = (next(text for at, text in texts if at == kind) for kind in (_NAME, _OPERATOR))
            # ^name waits for a node without taking anything from it.
            inputs = [
                text.partition(":")[0] for at, text in texts if at == _INPUT and not text.startswith("^")
            ]
            nodes[name] = Node(operator, tuple(inputs))
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise UnreadableFile(f"{path} cannot be read: {reason}.", hint="Check the file.") from error
    except (IndexError, ValueError, StopIteration) as error:
        raise UnreadableFile(
            f"{path.name} is not a frozen TensorFlow graph, or is cut short.",
            hint="Copy or download it again.",
        ) from error
    return nodes


def upstream(nodes: Mapping[str, Node], name: str) -> set[str]:
    """Return the names of all nodes that `name` is computed from."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for source in nodes[waiting.pop()].inputs:
            if source in nodes and source not in found:
                found.add(source)
                waiting.append(source)
    return found


def part(path: Path, given: str, wanted: str, shape: Sequence[int]) -> Any:
    """Return the ``openvino.Model`` that computes one tensor of a graph from another.

    Args:
        path: of the graph.
        given: name of the node whose result is the model's argument.
        wanted: likewise of the result.
        shape: of the argument.

    Raises:
        UnreadableFile: OpenVINO cannot read it.
        EngineUnavailable: OpenVINO is not installed.
    """
    ov = require("openvino")
    frontend = require("openvino.frontend")
    reader = frontend.FrontEndManager().load_by_framework("tf")
    try:
        graph = reader.load(str(path))
        graph.extract_subgraph(*([graph.get_place_by_tensor_name(f"{name}:0")] for name in (given, wanted)))
        (argument,) = graph.get_inputs()
        graph.set_partial_shape(argument, ov.PartialShape(list(shape)))
        graph.set_element_type(argument, ov.Type.f32)
        return reader.convert(graph)
    except (
        RuntimeError,
        frontend.GeneralFailure,
        frontend.InitializationFailure,
        frontend.NotImplementedFailure,
        frontend.OpConversionFailure,
        frontend.OpValidationFailure,
    ) as error:
        raise UnreadableFile(
            f"{path.name} has parts that OpenVINO cannot read: {str(error).strip().splitlines()[-1]}",
            hint="Give the published graph.",
        ) from error


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield the fields of a message, each its number and what it holds."""
    at = 0
    while at < len(message):
        key, at = _number(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _number(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _number(message, at)
        else:
            size = {1: 8, 5: 4}.get(kind, -1)
        if size < 0 or at + size > len(message):
            raise ValueError("not a message")
        yield key >> 3, message[at : at + size]
        at += size


def _number(message: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("not a number")
