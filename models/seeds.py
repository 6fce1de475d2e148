"""One random stream per image: image k of run seed s is drawn from the pair (s, k) alone."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class ImageSeed:
    """Names one image of one run; batch, shard and worker count cannot change what it draws."""

    run: int
    index: int

    def generator(self, purpose: str = "latent") -> torch.Generator:
        """A fresh CPU stream; different purposes (latent, noise, label) never share numbers."""
        entropy = [self.run, self.index, *purpose.encode()]
        state = np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state))
