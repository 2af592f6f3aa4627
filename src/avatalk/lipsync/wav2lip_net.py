"""The network of Wav2Lip: a face whose lower half is hidden, and 0.2 s of speech, give the face speaking.

Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In the Wild", ACM
Multimedia 2020. The layers carry the names of the published checkpoints. Networks of other weights of
the same shapes (Wav2Lip-GAN) are read likewise.

A face encoder halves the face six times and keeps every level; an audio encoder turns the speech into
one vector; a decoder doubles that vector back to a picture, joining the face's level of the same size
after each step.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from avatalk.lipsync.wav2lip_layers import AUDIO_LAYERS, DECODER_LEVELS, FACE_LEVELS, OUTPUT_LAYER, Layer
from avatalk.media import Float32Array

FACE_SIZE = 96
MEL_BANDS = 80
MEL_COLUMNS = 16


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
        self.output_block = nn.Sequential(Block(OUTPUT_LAYER), nn.Conv2d(32, 3, 1), nn.Sigmoid())

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


def kernels(net: Wav2LipNet) -> dict[str, Float32Array]:
    """Return the convolutions of `avatalk.lipsync.wav2lip_parts`, their batch norms folded in, by name.

    A convolution over decoder and face is given in two: ``.sound`` and ``.face``, which has the bias.
    """
    found: dict[str, Tensor] = {}
    joining = [f"face_decoder_blocks.{level}.0" for level in range(1, len(DECODER_LEVELS))]
    joining.append("output_block.0")
    for name, block in net.named_modules():
        if not isinstance(block, Block):
            continue
        weight, bias = _folded(block)
        if name not in joining:
            found |= {f"{name}.weight": weight, f"{name}.bias": bias}
            continue
        features = FACE_LEVELS[-1 - joining.index(name)][-1].outputs
        axis = 0 if isinstance(block.conv_block[0], nn.ConvTranspose2d) else 1
        own = weight.shape[axis] - features
        found[f"{name}.sound.weight"] = weight.narrow(axis, 0, own)
        found[f"{name}.face.weight"] = weight.narrow(axis, own, features)
        found[f"{name}.face.bias"] = bias
    last = cast(nn.Conv2d, net.output_block[1])
    found |= {"output_block.1.weight": last.weight, "output_block.1.bias": cast(Tensor, last.bias)}
    return {name: np.ascontiguousarray(tensor.detach().numpy()) for name, tensor in found.items()}


def _folded(block: Block) -> tuple[Tensor, Tensor]:
    layer, norm = cast("tuple[nn.Conv2d | nn.ConvTranspose2d, nn.BatchNorm2d]", tuple(block.conv_block))
    return fuse_conv_bn_weights(
        layer.weight,
        layer.bias,
        cast(Tensor, norm.running_mean),
        cast(Tensor, norm.running_var),
        norm.eps,
        norm.weight,
        norm.bias,
        transpose=isinstance(layer, nn.ConvTranspose2d),
    )
