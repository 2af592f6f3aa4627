"""Wav2Lip's network in two parts: what depends on the face alone, and what depends on the sound.

Every level of the decoder starts with a convolution over two things side by side: what the decoder made so
far, and the face's features. A convolution is linear, so it is the sum of one over each, and the second does
not know the sound: `face_maps` gives it, once for a still. `lips` does the rest.

Both compute only what a window of the answer depends on: each convolution just the rows and columns that the
ones after it reach.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, TypeVar

from avatalk.lipsync.wav2lip_layers import AUDIO_LAYERS, DECODER_LEVELS, FACE_LEVELS, SIZES, Layer
from avatalk.models.graphs import Edges, Ops

T = TypeVar("T")
Span = tuple[int, int]


class Window(NamedTuple):
    """A part of the network's 96 x 96 answer: first row or column and the one after the last."""

    rows: Span
    columns: Span


WHOLE = Window((0, 96), (0, 96))


def face_maps(ops: Ops[T], face: T, window: Window) -> list[T]:
    """Return what a face adds to each level of the decoder, biases included, coarsest first.

    Args:
        ops: with the kernels of `avatalk.lipsync.wav2lip_net.kernels`.
        face: (batch, 6, 96, 96), as `Wav2LipNet` takes it.
        window: that is wanted.
    """
    levels = []
    for number, layers in enumerate(FACE_LEVELS):
        face = _sequence(ops, f"face_encoder_blocks.{number}", layers, face)
        levels.append(face)
    return [
        join.run(ops, ops.cut(level, _WHOLE[join.level].edges_beyond(join.seen)), "face")
        for join, level in zip(_joins(window), reversed(levels), strict=True)
    ]


def lips(ops: Ops[T], mel: T, *maps: T, window: Window) -> T:
    """Return the window of the answer, (batch, 3, rows, columns), 0..1, BGR.

    Args:
        ops: with the kernels of `avatalk.lipsync.wav2lip_net.kernels`.
        mel: (batch, 1, 80, 16), as `Wav2LipNet` takes it.
        maps: of `face_maps` for the same window; a batch, or one face for the whole batch.
        window: that is wanted.
    """
    x = _sequence(ops, "audio_encoder", AUDIO_LAYERS, mel)
    x = _sequence(ops, "face_decoder_blocks.0", DECODER_LEVELS[0], x)
    for join, areas, face in zip(_joins(window), [*_areas(window)[1:], []], maps, strict=True):
        x = ops.relu(ops.add(join.run(ops, x, "sound"), face))
        for number, (before, after) in enumerate(pairwise(areas), 1):
            y = ops.convolution(x, f"face_decoder_blocks.{join.level + 1}.{number}", (1, 1), after.zeros)
            x = ops.relu(ops.add(y, ops.cut(x, before.edges_beyond(after))))
    return ops.sigmoid(ops.convolution(x, "output_block.1", (1, 1), Edges()))


def _sequence(ops: Ops[T], name: str, layers: list[Layer], x: T) -> T:
    """Run whole layers one after the other."""
    for number, layer in enumerate(layers):
        stride = (layer.stride, layer.stride) if isinstance(layer.stride, int) else layer.stride
        y = ops.convolution(x, f"{name}.{number}", stride, Edges(*[layer.padding] * 4))
        x = ops.relu(ops.add(y, x) if layer.residual else y)
    return x


class _Area(NamedTuple):
    """Rows and columns of a level that are computed, out of `size` of each."""

    rows: Span
    columns: Span
    size: int

    @property
    def around(self) -> _Area:
        """What a 3 x 3 convolution needs for this."""
        rows, columns = (
            (max(start - 1, 0), min(stop + 1, self.size)) for start, stop in (self.rows, self.columns)
        )
        return _Area(rows, columns, self.size)

    @property
    def zeros(self) -> Edges:
        """What it sees beyond the level itself."""
        (top, bottom), (left, right) = (
            (int(start == 0), int(stop == self.size)) for start, stop in (self.rows, self.columns)
        )
        return Edges(top, bottom, left, right)

    def halved(self, size: int) -> _Area:
        """What a transposed convolution of stride 2 needs for this: row k becomes row 2 k, and reaches 1."""
        rows, columns = ((start // 2, min(stop // 2 + 1, size)) for start, stop in (self.rows, self.columns))
        return _Area(rows, columns, size)

    def edges_beyond(self, inner: _Area) -> Edges:
        """How much more this is than `inner`."""
        top, bottom = inner.rows[0] - self.rows[0], self.rows[1] - inner.rows[1]
        return Edges(top, bottom, inner.columns[0] - self.columns[0], self.columns[1] - inner.columns[1])


_WHOLE = [_Area((0, size), (0, size), size) for size in SIZES]


def _areas(window: Window) -> list[list[_Area]]:
    """For each level of the decoder, coarsest first: what each of its layers computes."""
    wanted = _Area(*window, SIZES[-1]).around
    levels = []
    for layers, smaller in zip(reversed(DECODER_LEVELS), (*SIZES[-2::-1], 1), strict=True):
        areas = [wanted]
        for _ in layers[1:]:
            areas.append(areas[-1].around)
        levels.append(areas[::-1])
        wanted = areas[-1].halved(smaller)
    return levels[::-1]


class _Join(NamedTuple):
    """A convolution that joins decoder and face: the first of the level after `level`.

    Its kernel is in two halves; it sees `seen` and gives `made`.
    """

    level: int
    seen: _Area
    made: _Area

    def run(self, ops: Ops[T], x: T, half: str) -> T:
        if self.level + 1 == len(SIZES):
            return ops.convolution(x, f"output_block.0.{half}", (1, 1), self.made.zeros)
        name = f"face_decoder_blocks.{self.level + 1}.0.{half}"
        if self.seen.size == 1:
            return ops.widening(x, name, 1, Edges())
        (top, bottom), (left, right) = (
            (2 * start, 2 * stop) for start, stop in (self.seen.rows, self.seen.columns)
        )
        doubled = _Area((top, bottom), (left, right), self.made.size)
        return ops.widening(x, name, 2, doubled.edges_beyond(self.made))


def _joins(window: Window) -> list[_Join]:
    """Every convolution that joins decoder and face, coarsest first."""
    areas = _areas(window)
    made = [*(level[0] for level in areas[1:]), _Area(*window, SIZES[-1])]
    return [_Join(level, areas[level][-1], made[level]) for level in range(len(SIZES))]
