"""One random stream per image: image k of run seed s is drawn from the pair (s, k) alone."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class ImageSeed:
    """Names one image of one run; batch, shard and worker count cannot change what it draws."""

    run: int
    index: int

    def stream(self, purpose: str = "latent") -> np.random.Generator:
        """A fresh stream; different purposes (latent, noise, label) never share numbers.

        Philox with 128 bits of seed: PyTorch's CPU generator keeps 32 of its seed, so that among
        50,000 images two would likely be the same.
        """
        entropy = np.random.SeedSequence([self.run, self.index, *purpose.encode()])
        return np.random.Generator(np.random.Philox(entropy))

    def normal(self, *shape: int, purpose: str = "latent") -> Tensor:
        """Standard normal numbers of this image, float32, on the CPU."""
        return torch.from_numpy(self.stream(purpose).standard_normal(shape, np.float32))

    def uniform(self, *shape: int, purpose: str = "latent") -> Tensor:
        """Numbers of this image from [0, 1), float64, on the CPU."""
        return torch.from_numpy(self.stream(purpose).random(shape))
