"""Where latents come from: one vector per image seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from models.seeds import ImageSeed


class Sampler(Protocol):
    """Latents by image seed; part of a generator's identity."""

    def latents(self, seeds: Sequence[ImageSeed], dim: int) -> Tensor:
        """One latent per seed, float32 (n, dim), on the CPU."""


@dataclass(frozen=True)
class Plain:
    """z ~ N(0, I)."""

    def latents(self, seeds: Sequence[ImageSeed], dim: int) -> Tensor:
        """Standard normal vectors."""
        return torch.stack([seed.normal(dim) for seed in seeds])


@dataclass(frozen=True)
class Truncated:
    """z ~ N(0, I) conditioned on every coordinate lying in [-threshold, threshold].

    Source: A. Brock et al., "Large Scale GAN Training", 2019, section 3.1 (truncation trick).
    """

    threshold: float = 1.0

    def __post_init__(self) -> None:
        if not self.threshold > 0:
            raise ValueError(f"sampler.threshold: found {self.threshold}, expected more than 0.")

    def latents(self, seeds: Sequence[ImageSeed], dim: int) -> Tensor:
        """Truncated normal vectors, by inverting the normal CDF on a uniform draw."""
        bound = torch.special.ndtr(torch.tensor(self.threshold, dtype=torch.float64))
        uniform = torch.stack([seed.uniform(dim) for seed in seeds])
        inside = 1 - bound + uniform * (2 * bound - 1)
        return torch.special.ndtri(inside).float()
