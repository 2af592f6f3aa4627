"""The layers of Wav2Lip's network as numbers, for the definition that trains and the one that runs fast."""

from __future__ import annotations

from typing import NamedTuple


class Layer(NamedTuple):
    """Shape of a convolution with its batch norm; `residual` adds the input to the output."""

    inputs: int
    outputs: int
    kernel: int = 3
    stride: int | tuple[int, int] = 1
    padding: int = 1
    residual: bool = False


def _level(first: Layer, residuals: int) -> list[Layer]:
    """`first`, then `residuals` layers that keep its size."""
    return [first, *[Layer(first.outputs, first.outputs, residual=True)] * residuals]


FACE_LEVELS = [
    [Layer(6, 16, kernel=7, padding=3)],  # 96 x 96
    _level(Layer(16, 32, stride=2), 2),  # 48
    _level(Layer(32, 64, stride=2), 3),  # 24
    _level(Layer(64, 128, stride=2), 2),  # 12
    _level(Layer(128, 256, stride=2), 2),  # 6
    _level(Layer(256, 512, stride=2), 1),  # 3
    [Layer(512, 512, padding=0), Layer(512, 512, kernel=1, padding=0)],  # 1
]
AUDIO_LAYERS = [
    *_level(Layer(1, 32), 2),  # 80 x 16
    *_level(Layer(32, 64, stride=(3, 1)), 2),  # 27 x 16
    *_level(Layer(64, 128, stride=3), 2),  # 9 x 6
    *_level(Layer(128, 256, stride=(3, 2)), 1),  # 3 x 3
    Layer(256, 512, padding=0),  # 1 x 1
    Layer(512, 512, kernel=1, padding=0),
]
# Each level's first layer sees the level before it and the face's features of that level's size; from the
# third on it doubles the size by a transposed convolution.
DECODER_LEVELS = [
    [Layer(512, 512, kernel=1, padding=0)],  # 1
    _level(Layer(1024, 512, padding=0), 1),  # 3
    _level(Layer(1024, 512, stride=2), 2),  # 6
    _level(Layer(768, 384, stride=2), 2),  # 12
    _level(Layer(512, 256, stride=2), 2),  # 24
    _level(Layer(320, 128, stride=2), 2),  # 48
    _level(Layer(160, 64, stride=2), 2),  # 96
]
SIZES = (1, 3, 6, 12, 24, 48, 96)
"""Height and width of the decoder's levels."""
OUTPUT_LAYER = Layer(80, 32)
"""Sees the last level and the face's finest features."""
