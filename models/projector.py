"""The random projector of Projected GANs: four scales of a network, mixed by fixed random layers.

Source: A. Sauer et al., "Projected GANs Converge Faster", 2021, section 3, and the authors'
pg_modules/projector.py: 1x1 convolutions mix the channels of each stage, then each scale, doubled
in size, is added to the next finer one and mixed again.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbone import Embedding

STAGES = ((0, 2), (2, 3), (3, 5), (5, 7))  # blocks of EfficientNet-Lite0, the stem before them
STAGE_WIDTHS = (24, 40, 112, 320)
CHANNEL_MIXED = (64, 128, 256, 512)
SCALE_MIXED = (64, 64, 128, 256)
FEATURES = sum(SCALE_MIXED)
STRIDE = 32  # of the coarsest stage: other sides would not double onto the next finer map


class Mixing(nn.Module):
    """The fixed random layers, two 1x1 convolutions with bias for each of the four scales."""

    def __init__(self) -> None:
        super().__init__()
        self.channels, self.scales = (
            nn.ModuleList(nn.Conv2d(*widths, kernel_size=1) for widths in zip(*pair, strict=True))
            for pair in ((STAGE_WIDTHS, CHANNEL_MIXED), (CHANNEL_MIXED, SCALE_MIXED))
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Maps of STAGE_WIDTHS channels, finest first -> coarsest first, of twice the side."""
        mixed = [mix(x) for mix, x in zip(self.channels, maps, strict=True)]
        outputs: list[Tensor] = []
        for level in reversed(range(len(mixed))):
            x = outputs[-1] + mixed[level] if outputs else mixed[level]
            doubled = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
            outputs.append(self.scales[level](doubled))
        return outputs


class Projector(nn.Module):
    """Scaled images (n, 3, S, S), S a multiple of 32 -> (n, 512): the mean of each mixed map.

    Args:
        network: timm's EfficientNet-Lite0.
        mixing: the random layers.
    """

    def __init__(self, network: nn.Module, mixing: Mixing) -> None:
        super().__init__()
        blocks = list(network.blocks)  # type: ignore[arg-type]
        stem: list[Any] = [network.conv_stem, network.bn1]
        self.stages = nn.ModuleList(
            nn.Sequential(*(stem if first == 0 else []), *blocks[first:last])
            for first, last in STAGES
        )
        self.mixing = mixing

    def forward(self, x: Tensor) -> Embedding:
        """Finest scale first; no logits."""
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        means = [mixed.float().mean((2, 3)) for mixed in reversed(self.mixing(maps))]
        return Embedding(torch.cat(means, 1), None)
