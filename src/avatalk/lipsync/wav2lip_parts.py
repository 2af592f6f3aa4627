"""Wav2Lip's network in two parts: what depends on the face alone, and what depends on the sound.

Every level of the decoder starts with a convolution over two things side by side: what the decoder made so
far, and the face's features. A convolution is linear, so it is the sum of one over each, and the second does
not know the sound: `FaceMaps` gives it, once for a still. `Lips` does the rest.

Both compute only what a window of the answer depends on. Each level begins with as many rows and columns
beyond it as the convolutions after it reach, and each convolution leaves out those that no later one needs.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from avatalk.lipsync.wav2lip_net import DECODER_LEVELS, FACE_LEVELS, Block, Wav2LipNet

SIZES = (1, 3, 6, 12, 24, 48, 96)
"""Height and width of the decoder's levels."""
Span = tuple[int, int]


class Window(NamedTuple):
    """A part of the network's 96 x 96 answer: first row or column and the one after the last."""

    rows: Span
    columns: Span


WHOLE = Window((0, 96), (0, 96))
MOUTH = Window((48, 96), (16, 80))
"""Mouth and chin; the upper half is given to the network and only repeated by it."""


class FaceMaps(nn.Module):
    """What a face adds to each level of the decoder, biases included."""

    def __init__(self, net: Wav2LipNet, window: Window) -> None:
        super().__init__()
        self.encoder = net.face_encoder_blocks
        self.rows, self.columns = _levels(window.rows), _levels(window.columns)
        self.joins = nn.ModuleList(_joins(net, window, of_face=True))

    def forward(self, face: Tensor) -> tuple[Tensor, ...]:
        """Return the seven maps of faces (batch, 6, 96, 96), as `Wav2LipNet` takes them, coarsest first."""
        levels = []
        for encode in self.encoder:
            face = encode(face)
            levels.append(face)
        return tuple(
            join(level[:, :, slice(*rows.last), slice(*columns.last)])
            for join, level, rows, columns in zip(
                self.joins, reversed(levels), self.rows, self.columns, strict=True
            )
        )


class Lips(nn.Module):
    """The window of the answer, from the sound and the face's maps."""

    def __init__(self, net: Wav2LipNet, window: Window) -> None:
        super().__init__()
        first, *later = cast("list[nn.Sequential]", list(net.face_decoder_blocks))
        self.audio = nn.Sequential(net.audio_encoder, first)
        self.joins = nn.ModuleList(_joins(net, window, of_face=False))
        levels = zip(later, _levels(window.rows)[1:], _levels(window.columns)[1:], strict=True)
        self.rest = nn.ModuleList(
            nn.Sequential(*(_Residual(cast(Block, block), rows, columns) for block in list(level)[1:]))
            for level, rows, columns in levels
        )
        self.rest.append(net.output_block[1:])
        self.crop = [
            slice(wanted[0] - level.answered, wanted[1] - level.answered)
            for wanted, level in (
                (window.rows, _levels(window.rows)[-1]),
                (window.columns, _levels(window.columns)[-1]),
            )
        ]

    def forward(self, mel: Tensor, *maps: Tensor) -> Tensor:
        """Return the window, (batch, 3, rows, columns) float, 0..1, BGR.

        Args:
            mel: (batch, 1, 80, 16), as `Wav2LipNet` takes it.
            maps: of `FaceMaps` for the same window; a batch, or one face for the whole batch.
        """
        x: Tensor = self.audio(mel)
        for join, rest, face in zip(self.joins, self.rest, maps, strict=True):
            x = rest(torch.relu(join(x) + face))
        return x[:, :, self.crop[0], self.crop[1]]


class _Level(NamedTuple):
    """Rows (or columns) of a level that are computed: after its first convolution, and after its last."""

    first: Span
    last: Span
    size: int

    @property
    def borders(self) -> tuple[int, int]:
        """Zeros to put before and after: 1 at an end of the level itself, none where it was cut."""
        return int(self.first[0] == 0), int(self.first[1] == self.size)

    @property
    def answered(self) -> int:
        """The first row that a 3 x 3 convolution over this level gives."""
        return self.last[0] + 1 - self.borders[0]


class _Residual(nn.Module):
    """A residual block of a level, which leaves out the rows and columns that its neighbours' lack spoils."""

    def __init__(self, block: Block, rows: _Level, columns: _Level) -> None:
        super().__init__()
        self.convolution, self.norm = cast("tuple[nn.Conv2d, nn.BatchNorm2d]", tuple(block.conv_block))
        self.zeros = (*columns.borders, *rows.borders)
        self.kept = [
            slice(1 - before, None if after else -1) for before, after in (rows.borders, columns.borders)
        ]

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv2d(F.pad(x, self.zeros), self.convolution.weight, self.convolution.bias)
        return torch.relu(self.norm(y) + x[:, :, self.kept[0], self.kept[1]])


class _Join(nn.Module):
    """The half of a joining convolution that sees the face, or the half that sees the decoder.

    The batch norm is folded in. Rows and columns of the answer outside of `rows` and `columns` are cut off.
    """

    def __init__(
        self,
        block: Block,
        of_face: bool,
        face_channels: int,
        rows: slice,
        columns: slice,
        zeros: tuple[int, ...],
    ) -> None:
        super().__init__()
        layer, norm = cast("tuple[nn.Conv2d | nn.ConvTranspose2d, nn.BatchNorm2d]", tuple(block.conv_block))
        self.transposed = isinstance(layer, nn.ConvTranspose2d)
        weight, bias = fuse_conv_bn_weights(
            layer.weight,
            layer.bias,
            cast(Tensor, norm.running_mean),
            cast(Tensor, norm.running_var),
            norm.eps,
            norm.weight,
            norm.bias,
            transpose=self.transposed,
        )
        half = slice(-face_channels, None) if of_face else slice(-face_channels)
        self.weight = nn.Parameter(weight[half] if self.transposed else weight[:, half])
        self.bias = bias if of_face else None
        self.stride, self.padding = layer.stride[0], cast(int, layer.padding[0])
        self.rows, self.columns, self.zeros = rows, columns, zeros

    def forward(self, x: Tensor) -> Tensor:
        if self.transposed:
            more = int(self.stride == 2)
            y = F.conv_transpose2d(x, self.weight, self.bias, self.stride, self.padding, more)
            return y[:, :, self.rows, self.columns]
        return F.conv2d(F.pad(x, self.zeros), self.weight, self.bias)


def _joins(net: Wav2LipNet, window: Window, of_face: bool) -> list[_Join]:
    """One half of every convolution that joins decoder and face, coarsest first."""
    blocks = cast("list[nn.Sequential]", [*list(net.face_decoder_blocks)[1:], net.output_block])
    rows, columns = _levels(window.rows), _levels(window.columns)
    zeros = (*columns[-1].borders, *rows[-1].borders)
    cuts = zip(_cuts(rows), _cuts(columns), strict=True)
    return [
        _Join(cast(Block, level[0]), of_face, face[-1].outputs, *cut, zeros)
        for level, face, cut in zip(blocks, reversed(FACE_LEVELS), cuts, strict=True)
    ]


def _levels(wanted: Span) -> list[_Level]:
    """What to compute at each of `SIZES` for the answer to be right in `wanted`."""
    levels: list[_Level] = []
    start, stop = wanted[0] - 1, wanted[1] + 1  # the last convolution reaches 1 further
    for size, layers in zip(reversed(SIZES), reversed(DECODER_LEVELS), strict=True):
        reach = len(layers) - 1
        first = max(start - reach, 0), min(stop + reach, size)
        last = start if first[0] else 0, stop if first[1] < size else size
        levels.append(_Level(first, last, size))
        # A transposed convolution puts row k at row 2 k, and reaches the rows before and after it.
        start, stop = first[0] // 2, first[1] // 2 + 1
    return levels[::-1]


def _cuts(levels: list[_Level]) -> list[slice]:
    """For each joining convolution: which rows (or columns) of its answer the next level begins with."""
    doubled = [
        slice(after.first[0] - 2 * before.last[0], after.first[1] - 2 * before.last[0])
        for before, after in pairwise(levels[1:])
    ]
    everything = slice(None)
    return [everything, *doubled, everything]
