"""The network of Wav2Lip: a face whose lower half is hidden, and 0.2 s of speech, give the face speaking.

Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the Wild", ACM
Multimedia 2020. The layers carry the names of the published checkpoints. Networks of other weights of
the same shapes (Wav2Lip-GAN) are read likewise.

A face encoder halves the face six times and keeps every level; an audio encoder turns the speech into
one vector; a decoder doubles that vector back to a picture, joining the face's level of the same size
after each step.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

FACE_SIZE = 96
MEL_BANDS = 80
MEL_COLUMNS = 16


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


class Block(nn.Module):
    """Convolution (or transposed convolution), batch norm, rectifier."""

    def __init__(self, layer: Layer, transposed: bool = False) -> None:
        super().__init__()
        shape = (layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.padding)
        convolution: nn.Module
        if transposed:
            convolution = nn.ConvTranspose2d(*shape, output_padding=int(layer.stride == 2))
        else:
            convolution = nn.Conv2d(*shape)
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(layer.outputs))
        self.residual = layer.residual

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, inputs, height, width) to (batch, outputs, height, width)."""
        y = self.conv_block(x)
        return torch.relu(y + x if self.residual else y)


class Wav2LipNet(nn.Module):
    """The generator of Wav2Lip, in the layout of its checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(_sequence(level) for level in FACE_LEVELS)
        self.audio_encoder = _sequence(AUDIO_LAYERS)
        self.face_decoder_blocks = nn.ModuleList(
            nn.Sequential(Block(first, transposed=index > 0), *map(Block, rest))
            for index, (first, *rest) in enumerate(DECODER_LEVELS)
        )
        self.output_block = nn.Sequential(Block(Layer(80, 32)), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mel: Tensor, face: Tensor) -> Tensor:
        """Return the face saying the sound.

        Args:
            mel: (batch, 1, 80, 16) float, -4..4, 0.2 s of speech (`avatalk.lipsync.wav2lip_audio`).
            face: (batch, 6, 96, 96) float, 0..1: the face in BGR with its lower half black, then a whole
                face of the same person in BGR.

        Returns:
            (batch, 3, 96, 96) float, 0..1, BGR.
        """
        levels = []
        for encode in self.face_encoder_blocks:
            face = encode(face)
            levels.append(face)
        x = self.audio_encoder(mel)
        for decode in self.face_decoder_blocks:
            x = torch.cat((decode(x), levels.pop()), dim=1)
        y: Tensor = self.output_block(x)
        return y


def _sequence(layers: list[Layer]) -> nn.Sequential:
    return nn.Sequential(*map(Block, layers))
