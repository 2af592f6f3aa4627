"""Running TensorFlow Lite networks, or a part of one, with LiteRT.

LiteRT refuses a file with operators that it does not know. `cut` leaves only the operators between
some tensors, so that the parts around the unknown ones run. It edits the FlatBuffer in place, which
takes milliseconds; layout of tables and vectors: the FlatBuffers internals document, and TensorFlow
Lite's schema.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import number_types
from flatbuffers.table import Table

from avatalk.media import Float32Array

# Slots of fields in the vtables. LiteRT's own reader of them takes longer to import than a face to find.
_SUBGRAPHS = 8  # of a Model
_INPUTS, _OUTPUTS, _OPERATORS = 6, 8, 10  # of a SubGraph; an Operator has the first two in the same slots
_CUSTOM_OPTIONS = 14  # of an Operator
_THREADS = 1  # the networks take a millisecond or two, and the count must not depend on the machine


class Network:
    """A network with fixed shapes. One instance may be used from one thread at a time.

    Args:
        model: a TensorFlow Lite file.

    Raises:
        ValueError: the file is damaged or has operators that LiteRT does not know.
        RuntimeError: likewise.
    """

    def __init__(self, model: bytes) -> None:
        with _quiet_start():
            self._interpreter = Interpreter(model_content=model, num_threads=_THREADS)
            self._interpreter.allocate_tensors()
        # Order of the file's own lists, which the interpreter keeps.
        self._inputs = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def __call__(self, *inputs: Float32Array) -> list[Float32Array]:
        """Run once; shapes and the order of inputs and outputs are those of the file (or of `cut`)."""
        for index, value in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, np.ascontiguousarray(value, np.float32))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def cut(model: bytes, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
    """Return the part of a network that computes some of its tensors from others.

    Args:
        model: a TensorFlow Lite file with one subgraph.
        inputs: numbers of the tensors that are given.
        outputs: numbers of the tensors that are wanted.
    """
    edited = bytearray(model)
    table = _graph(edited)
    given, needed, kept = set(inputs), set(outputs), []
    for operator in reversed(_tables(table, _OPERATORS)):  # they are stored in the order in which they run
        if needed.intersection(_numbers(operator, _OUTPUTS)) - given:
            needed.update(_numbers(operator, _INPUTS))
            kept.append(operator.Pos)
    kept.reverse()

    # A vector of tables holds the distances from its own elements: shorten it where it is.
    start = table.Vector(table.Offset(_OPERATORS))
    places = start + 4 * np.arange(len(kept))
    edited[start - 4 : start] = _words([len(kept)])
    edited[start : start + 4 * len(kept)] = _words(np.subtract(kept, places))
    # The vectors of inputs and outputs may grow: append new ones, which distances (always forward) can reach.
    edited.extend(bytes(-len(edited) % 4))
    for slot, tensors in ((_INPUTS, inputs), (_OUTPUTS, outputs)):
        field = table.Pos + table.Offset(slot)
        edited[field : field + 4] = _words([len(edited) - field])
        edited.extend(_words([len(tensors), *tensors]))
    return bytes(edited)


def custom_options(model: bytes, operator: int) -> bytes:
    """Return what the file says to an operator that LiteRT does not know, by its number: FlexBuffers."""
    table = _tables(_graph(model), _OPERATORS)[operator]
    return bytes(table.GetVectorAsNumpy(number_types.Uint8Flags, table.Offset(_CUSTOM_OPTIONS)))


def _graph(model: bytes | bytearray) -> Table:
    """The table of the one subgraph."""
    return _tables(Table(model, Table(model, 0).Indirect(0)), _SUBGRAPHS)[0]


def _tables(table: Table, slot: int) -> list[Table]:
    field = table.Offset(slot)
    start = table.Vector(field)
    places = range(start, start + 4 * table.VectorLen(field), 4)
    return [Table(table.Bytes, table.Indirect(place)) for place in places]


def _numbers(operator: Table, slot: int) -> list[int]:
    """The tensors that an operator takes or gives."""
    numbers: list[int] = operator.GetVectorAsNumpy(number_types.Int32Flags, operator.Offset(slot)).tolist()
    return numbers


def _words(values: Sequence[int] | np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> bytes:
    return np.asarray(values).astype("<u4").tobytes()


_started = threading.Event()


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Drop the line that LiteRT prints to file descriptor 2 at the first network; it has no switch for it.

    Whatever else arrives there meanwhile is passed on.
    """
    if _started.is_set():
        yield
        return
    _started.set()
    try:
        sys.stderr.flush()
        stderr = os.dup(2)
    except (OSError, AttributeError):  # no standard error at all
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            caught.seek(0)
            for line in caught:
                if not line.startswith(b"INFO: Created TensorFlow Lite"):
                    os.write(2, line)
