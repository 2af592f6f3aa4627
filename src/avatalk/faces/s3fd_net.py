"""The network of S3FD, which looks for faces of six sizes at once.

Zhang et al., "S³FD: Single Shot Scale-invariant Face Detector", ICCV 2017: the convolutions of VGG-16,
some more, and at six depths two small ones, for the score and the box of a face at each place. The
layers carry the names of the checkpoint ``s3fd-619a316812.pth``.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - its customary name
from torch import Tensor, nn

VGG = {1: (64, 64), 2: (128, 128), 3: (256, 256, 256), 4: (512, 512, 512), 5: (512, 512, 512)}
"""Output channels of the 3x3 convolutions of each level; every level ends in a pooling by 2."""
HEADS = {
    "conv3_3_norm": 256,
    "conv4_3_norm": 512,
    "conv5_3_norm": 512,
    "fc7": 1024,
    "conv6_2": 512,
    "conv7_2": 256,
}
"""What faces are read from, finest first (strides 4, 8, 16, 32, 64, 128), with its channels."""
BACKGROUNDS = 3
"""The finest level scores background thrice and takes the largest ("max-out background label")."""


class Scale(nn.Module):
    """Features brought to length 1 at every place, then scaled per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape."""
        length = x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10
        return x / length * self.weight.view(1, -1, 1, 1)


class S3fdNet(nn.Module):
    """The detector, in the layout of its checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for level, widths in VGG.items():
            for number, width in enumerate(widths, 1):
                self.add_module(f"conv{level}_{number}", nn.Conv2d(channels, width, 3, padding=1))
                channels = width
        self.fc6 = nn.Conv2d(512, 1024, 3, padding=3)
        self.fc7 = nn.Conv2d(1024, 1024, 1)
        self.conv6_1 = nn.Conv2d(1024, 256, 1)
        self.conv6_2 = nn.Conv2d(256, 512, 3, stride=2, padding=1)
        self.conv7_1 = nn.Conv2d(512, 128, 1)
        self.conv7_2 = nn.Conv2d(128, 256, 3, stride=2, padding=1)
        for name, width in HEADS.items():
            if name.endswith("_norm"):
                self.add_module(name, Scale(width))
            scores = 1 + (BACKGROUNDS if name == "conv3_3_norm" else 1)
            self.add_module(f"{name}_mbox_conf", nn.Conv2d(width, scores, 3, padding=1))
            self.add_module(f"{name}_mbox_loc", nn.Conv2d(width, 4, 3, padding=1))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return scores and boxes at six sizes.

        Args:
            x: (batch, 3, height, width) float, red, green, blue in 0..255 less 104, 117, 123.

        Returns:
            Twelve maps, finest first: (batch, 2, h, w) scores of background and face before softmax, and
            (batch, 4, h, w) boxes relative to the prior box of their place.
        """
        seen: dict[str, Tensor] = {}
        for level, widths in VGG.items():
            for number in range(1, len(widths) + 1):
                x = self._layer(f"conv{level}_{number}", x)
            seen[f"conv{level}_{len(widths)}_norm"] = x
            x = F.max_pool2d(x, 2)
        for name in ("fc6", "fc7", "conv6_1", "conv6_2", "conv7_1", "conv7_2"):
            x = seen[name] = self._layer(name, x)
        maps: list[Tensor] = []
        for name in HEADS:
            features = self.get_submodule(name)(seen[name]) if name.endswith("_norm") else seen[name]
            scores = self.get_submodule(f"{name}_mbox_conf")(features)
            background = scores[:, :-1].amax(dim=1, keepdim=True)
            maps += [torch.cat((background, scores[:, -1:]), dim=1)]
            maps += [self.get_submodule(f"{name}_mbox_loc")(features)]
        return tuple(maps)

    def _layer(self, name: str, x: Tensor) -> Tensor:
        return torch.relu(self.get_submodule(name)(x))
