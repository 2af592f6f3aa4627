"""A Piper voice with random weights: the network (VITS) in PyTorch, written as Piper's voices are.

The graph has what is special in those of the hub: noise that is drawn inside, a predictor of lengths made of
splines with boolean indexing, lengths rounded up, a path from symbols to frames, and a vocoder. Under the
noise of the random vocoder lies a steady hum, whose pitch can be measured.

VITS: Kim, Kong and Son, https://arxiv.org/abs/2106.06103; sizes of Piper's medium voices by its config files.
"""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

HUM_HZ = 150.0
RATE, HOP = 22050, 256
FRAMES = 6.0  # of a symbol, about


@dataclass(frozen=True)
class Sizes:
    hidden: int = 192
    filter: int = 768
    layers: int = 6
    flow_layers: int = 4
    upsampled: int = 256
    strides: tuple[int, ...] = (8, 8, 4)
    kernels: tuple[int, ...] = (3, 5, 7)
    dilations: tuple[tuple[int, int], ...] = ((1, 2), (2, 6), (3, 12))


MEDIUM = Sizes()
TINY = Sizes(hidden=16, filter=32, layers=1, flow_layers=1, upsampled=16, kernels=(3,), dilations=((1, 2),))


class Layer(nn.Module):
    """Self-attention with two heads and relative positions, then two convolutions."""

    window = 4

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.hidden
        self.qkv, self.out = nn.Conv1d(width, 3 * width, 1), nn.Conv1d(width, width, 1)
        self.near = nn.Parameter(torch.randn(2 * self.window + 1, width // 2) * 0.1)
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.wide = nn.Conv1d(width, sizes.filter, 3, padding=1)
        self.narrow = nn.Conv1d(sizes.filter, width, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, width, length = x.shape
        q, k, v = self.qkv(x).view(batch, 3, 2, width // 2, length).transpose(3, 4).unbind(1)
        apart = torch.arange(length)[None] - torch.arange(length)[:, None]
        near = self.near[apart.clamp(-self.window, self.window) + self.window]
        scores = (q @ k.transpose(2, 3) + torch.einsum("bhld,lmd->bhlm", q, near)) / math.sqrt(width // 2)
        scores = scores.masked_fill(mask[:, None] == 0, -1e4)
        y = (scores.softmax(-1) @ v).transpose(2, 3).reshape(batch, width, length)
        x = self.norms[0]((x + self.out(y)).transpose(1, 2)).transpose(1, 2)
        y = self.narrow(torch.relu(self.wide(x * mask)) * mask)
        return self.norms[1]((x + y * mask).transpose(1, 2)).transpose(1, 2)


class Lengths(nn.Module):
    """Logarithms of the lengths from noise, by inverted rational-quadratic splines (arXiv:1906.04032)."""

    bins, bound = 10, 5.0

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.before = nn.Conv1d(sizes.hidden, sizes.hidden, 1)
        self.flows = nn.ModuleList([self._net(sizes.hidden) for _ in range(3)])

    def _net(self, width: int) -> nn.ModuleList:
        deep = [nn.Conv1d(width, width, 3, padding=3**i, dilation=3**i, groups=width) for i in range(3)]
        return nn.ModuleList([nn.Conv1d(1, width, 1), *deep, nn.Conv1d(width, 3 * self.bins - 1, 1)])

    def forward(self, x: Tensor, mask: Tensor, noise_scale: Tensor) -> Tensor:
        x = self.before(x)
        z = torch.randn(x.size(0), 2, x.size(2)) * noise_scale
        for first, *deep, last in self.flows:
            kept, moved = z.split(1, 1)
            y = first(kept) + x
            for conv in deep:
                y = y + F.gelu(conv(y * mask))
            told = last(y * mask).transpose(1, 2)[:, None]
            z = torch.cat([self._spline(moved, told), kept], 1) * mask
        return z[:, :1] * 0.05

    def _spline(self, y: Tensor, told: Tensor) -> Tensor:
        inside = (y >= -self.bound) & (y <= self.bound)
        out = y.clone()
        out[inside] = self._inverse(y[inside], told[inside])
        return out

    def _inverse(self, y: Tensor, told: Tensor) -> Tensor:
        widths, heights, slopes = told.split([self.bins, self.bins, self.bins - 1], -1)
        slopes = F.pad(F.softplus(slopes), (1, 1), value=1.0) + 1e-3
        xs = F.pad(widths.softmax(-1).cumsum(-1), (1, 0)) * 2 * self.bound - self.bound
        ys = F.pad(heights.softmax(-1).cumsum(-1), (1, 0)) * 2 * self.bound - self.bound
        index = ((y[:, None] >= ys).sum(-1, keepdim=True) - 1).clamp(0, self.bins - 1)
        x0, x1 = xs.gather(-1, index)[:, 0], xs.gather(-1, index + 1)[:, 0]
        y0, y1 = ys.gather(-1, index)[:, 0], ys.gather(-1, index + 1)[:, 0]
        d0, d1 = slopes.gather(-1, index)[:, 0], slopes.gather(-1, index + 1)[:, 0]
        slope, up = (y1 - y0) / (x1 - x0), y - y0
        bend = d0 + d1 - 2 * slope
        a, b, c = up * bend + (y1 - y0) * (slope - d0), (y1 - y0) * d0 - up * bend, -slope * up
        return x0 + (x1 - x0) * 2 * c / (-b - (b * b - 4 * a * c).clamp_min(0).sqrt())


class Flow(nn.Module):
    """One coupling of the inverted flow: a gated network moves half of the channels by the other half."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.hidden
        self.first, self.last = nn.Conv1d(width // 2, width, 1), nn.Conv1d(width, width // 2, 1)
        self.gates = nn.ModuleList(
            [nn.Conv1d(width, 2 * width, 5, padding=2) for _ in range(sizes.flow_layers)]
        )
        self.skips = nn.ModuleList([nn.Conv1d(width, 2 * width, 1) for _ in range(sizes.flow_layers)])

    def forward(self, z: Tensor, mask: Tensor, who: Tensor | float) -> Tensor:
        still, moved = z.flip(1).chunk(2, 1)
        y, told = self.first(still) * mask, torch.zeros_like(z)
        for gate, skip in zip(self.gates, self.skips, strict=True):
            a, b = gate(y).chunk(2, 1)
            on, out = skip(torch.tanh(a + who) * torch.sigmoid(b)).chunk(2, 1)
            y, told = (y + on) * mask, told + out
        return torch.cat([still, (moved - self.last(told)) * mask], 1)


class Vocoder(nn.Module):
    """HiFi-GAN's generator (arXiv:2010.05646) with its second kind of residual blocks."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.upsampled
        self.before = nn.Conv1d(sizes.hidden, width, 7, padding=3)
        self.ups, self.blocks = nn.ModuleList(), nn.ModuleList()
        for stride in sizes.strides:
            up = nn.ConvTranspose1d(width, width // 2, 2 * stride, stride, padding=stride // 2)
            self.ups.append(up)
            width //= 2
            convs = [
                nn.ModuleList([nn.Conv1d(width, width, k, padding=d * (k - 1) // 2, dilation=d) for d in ds])
                for k, ds in zip(sizes.kernels, sizes.dilations, strict=True)
            ]
            self.blocks.append(nn.ModuleList(convs))
        self.after = nn.Conv1d(width, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        for up, blocks in zip(self.ups, self.blocks, strict=True):
            x = up(F.leaky_relu(x, 0.1))
            total = torch.zeros_like(x)
            for convs in blocks:
                y = x
                for conv in convs:
                    y = y + conv(F.leaky_relu(y, 0.1))
                total = total + y
            x = total / len(blocks)
        return torch.tanh(self.after(F.leaky_relu(x)))


class Vits(nn.Module):
    """Takes what a Piper voice takes: symbols, their count, three scales, and a speaker's number."""

    def __init__(self, sizes: Sizes, speakers: int = 1, rounds_up: bool = True) -> None:
        super().__init__()
        self.rounds_up = rounds_up
        self.symbols = nn.Embedding(256, sizes.hidden)
        self.layers = nn.ModuleList([Layer(sizes) for _ in range(sizes.layers)])
        self.prior = nn.Conv1d(sizes.hidden, 2 * sizes.hidden, 1)
        self.lengths = Lengths(sizes)
        self.flows = nn.ModuleList([Flow(sizes) for _ in range(4)])
        self.vocoder = Vocoder(sizes)
        self.speakers = nn.Embedding(speakers, sizes.hidden) if speakers > 1 else None

    def forward(
        self, symbols: Tensor, count: Tensor, scales: Tensor, speaker: Tensor | None = None
    ) -> Tensor:
        mask = (torch.arange(symbols.size(1))[None] < count[:, None])[:, None].float()
        x = self.symbols(symbols).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, mask)
        who = self.speakers(speaker)[:, :, None] if self.speakers is not None and speaker is not None else 0.0
        mean, spread = self.prior(x).chunk(2, 1)
        logs = self.lengths(x + who, mask, scales[2])
        frames = FRAMES * torch.exp(logs) * mask * scales[1]
        frames = torch.ceil(frames) if self.rounds_up else torch.floor(frames) + 1
        ends = frames.cumsum(-1)
        total = ends[:, :, -1].max().long()
        at = torch.arange(total)[None, :, None]
        path = (at < ends.transpose(1, 2)[:, None, :, 0]) & (
            at >= (ends - frames).transpose(1, 2)[:, None, :, 0]
        )
        path = path.float().view(symbols.size(0), total, symbols.size(1)).transpose(1, 2)
        mean, spread = mean @ path, spread @ path
        z = mean + torch.randn_like(mean) * torch.exp(0.1 * spread) * scales[0]
        here = torch.ones_like(z[:, :1])
        for flow in self.flows:
            z = flow(z, here, who)
        sound = self.vocoder((z + who) * here)
        time = torch.arange(sound.size(2))[None, None].float()
        return 0.1 * sound / sound.abs().max() + 0.3 * torch.sin(2 * math.pi * HUM_HZ / RATE * time)


def write_voice(
    folder: Path,
    stem: str,
    sizes: Sizes,
    *,
    espeak: str = "en-us",
    speakers: dict[str, int] | None = None,
    rounds_up: bool = True,
    **more: object,
) -> Path:
    """Write ``STEM.onnx`` and, `more` in it, ``STEM.onnx.json`` into `folder`; return the former."""
    torch.manual_seed(0)
    speakers = speakers or {}
    net = Vits(sizes, max(1, len(speakers)), rounds_up).eval()
    path = folder / f"{stem}.onnx"
    symbols = torch.randint(3, 100, (1, 50))
    inputs = [symbols, torch.tensor([50]), torch.tensor([0.667, 1.0, 0.8])]
    if speakers:
        inputs.append(torch.tensor([0]))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net,
            tuple(inputs),
            str(path),
            opset_version=15,
            input_names=["input", "input_lengths", "scales", "sid"][: len(inputs)],
            output_names=["output"],
            dynamic_axes={"input": {0: "b", 1: "n"}, "input_lengths": {0: "b"}, "output": {0: "b", 2: "t"}},
            dynamo=False,
        )
    letters = "_^$ !'(),-.:;?abcdefhijklmnopqrstuvwxyzæçðøħŋœǀɐɑɒɓɔɕɖɗɘəɚɛɜɞɟɠɡɢɣɤɥɦɧɨɪɫɬɭɮɯɰɱɲɳɴɵɶɸɹɺɻɽɾʀʁʂʃʈʉʊʋʌʍʎʏʐʑʒʔʕˈˌːˑβθχᵻ\u0303\u0329"  # noqa: E501
    config = {
        "audio": {"sample_rate": RATE, "quality": stem.rpartition("-")[2]},
        "espeak": {"voice": espeak},
        "language": {"code": stem.partition("-")[0]},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": {letter: [number] for number, letter in enumerate(letters)},
        "num_symbols": 256,
        "num_speakers": max(1, len(speakers)),
        "speaker_id_map": speakers,
        **more,
    }
    path.with_name(f"{stem}.onnx.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
    return path
