"""A small DCGAN: 4x4 seed map, transposed convolutions that double it, tanh.

Source: A. Radford et al., "Unsupervised Representation Learning with DCGANs", 2016.
Differs: width halves per doubling from `width`; grey outputs are repeated to RGB; a class, where
there is one, is embedded and concatenated to z.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Dcgan:
    """The architecture of one checkpoint; `network` builds it with random weights.

    Attributes:
        resolution: side of the images, 4 * 2^n.
        channels: 1 (grey, repeated to RGB) or 3.
        width: channels of the 4x4 map.
        latent_dim: width of z.
        num_classes: 0 for an unconditional generator.
    """

    resolution: int = 32
    channels: int = 3
    width: int = 128
    latent_dim: int = 64
    num_classes: int = 0

    def __post_init__(self) -> None:
        doublings = self.resolution.bit_length() - 3
        if self.resolution < 8 or 4 * 2**doublings != self.resolution:
            raise ValueError(
                f"model.resolution: found {self.resolution}, expected 8, 16, 32, 64, ..."
            )

    def network(self) -> nn.Module:
        """A generator: (z (n, latent_dim), labels (n,) or None) -> (n, 3, H, W) in [-1, 1]."""
        return _Generator(self)

    def discriminator(self) -> nn.Module:
        """The matching discriminator: (images (n, 3, H, W), labels) -> (n,) scores."""
        return _Discriminator(self)


def _widths(plan: Dcgan) -> list[int]:
    doublings = plan.resolution.bit_length() - 3
    return [max(plan.width // 2**level, 16) for level in range(doublings + 1)]


class _Generator(nn.Module):
    def __init__(self, plan: Dcgan) -> None:
        super().__init__()
        widths = _widths(plan)
        self.classes = nn.Embedding(plan.num_classes, 16) if plan.num_classes else None
        inputs = plan.latent_dim + (16 if plan.num_classes else 0)
        self.seed_map = nn.Sequential(
            nn.ConvTranspose2d(inputs, widths[0], 4, bias=False), nn.BatchNorm2d(widths[0])
        )
        self.doublings = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(narrow),
            )
            for wide, narrow in pairwise(widths)
        )
        self.to_image = nn.Conv2d(widths[-1], plan.channels, 3, padding=1)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.classes is not None:
            latents = torch.cat([latents, self.classes(labels)], dim=1)
        maps = torch.relu(self.seed_map(latents[:, :, None, None]))
        for doubling in self.doublings:
            maps = torch.relu(doubling(maps))
        images = torch.tanh(self.to_image(maps))
        return images.expand(-1, 3, -1, -1)


class _Discriminator(nn.Module):
    """Spectrally normalised convolutions; a class enters by projection (Miyato 2018)."""

    def __init__(self, plan: Dcgan) -> None:
        super().__init__()
        widths = _widths(plan)[::-1]
        norm = nn.utils.parametrizations.spectral_norm
        stages = [norm(nn.Conv2d(3, widths[0], 3, padding=1)), nn.LeakyReLU(0.2)]
        for narrow, wide in pairwise(widths):
            stages += [norm(nn.Conv2d(narrow, wide, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)]
        self.stages = nn.Sequential(*stages)
        self.score = norm(nn.Linear(widths[-1] * 16, 1))
        self.classes = (
            norm(nn.Embedding(plan.num_classes, widths[-1] * 16)) if plan.num_classes else None
        )

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        features = self.stages(images).flatten(1)
        scores = self.score(features).squeeze(1)
        if self.classes is not None:
            scores = scores + (self.classes(labels) * features).sum(dim=1)
        return scores
