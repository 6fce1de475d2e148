"""A network that turns latents into images, made into a generator that turns seeds into images."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.quantise import Quantise, to_uint8
from models.samplers import Sampler
from models.seeds import ImageSeed


class LatentGenerator:
    """Draws latents from the seeds, runs the network in evaluation mode, quantises.

    Args:
        network: (z, labels or None) -> (n, 3, H, W) in [-1, 1]; labels are passed only where
            `num_classes` is not 0.
        sampler: where latents come from.
        latent_dim: width of z.
        resolution: side of the images.
        num_classes: 0 for an unconditional network.
        quantise: how floats become uint8.
        device: where the network runs.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        sampler: Sampler,
        latent_dim: int,
        resolution: int,
        num_classes: int,
        quantise: Quantise,
        device: str,
    ) -> None:
        self.network = network.eval().to(device)
        self.sampler = sampler
        self.latent_dim = latent_dim
        self.resolution = resolution
        self.num_classes = num_classes
        self.quantise = quantise
        self.device = device

    @torch.inference_mode()
    def sample(
        self,
        seeds: Sequence[ImageSeed],
        labels: Tensor | None = None,
        condition: object | None = None,
        pose: object | None = None,
    ) -> Tensor:
        """See `models.generator.Generator.sample`; conditions and poses are not taken."""
        latents = self.sampler.latents(seeds, self.latent_dim).to(self.device)
        inputs = [latents]
        if self.num_classes:
            inputs.append(self._checked(labels).to(self.device))
        images = to_uint8(self.network(*inputs), self.quantise).cpu()
        expected = (len(seeds), 3, self.resolution, self.resolution)
        if tuple(images.shape) != expected:
            raise ValueError(f"the generator made {tuple(images.shape)}, expected {expected}.")
        return images

    def _checked(self, labels: Tensor | None) -> Tensor:
        if labels is None:
            raise ValueError("this generator is class-conditional: labels are needed.")
        if labels.min() < 0 or labels.max() >= self.num_classes:
            raise ValueError(
                f"labels: found {int(labels.min())} to {int(labels.max())}, "
                f"expected 0 to {self.num_classes - 1}."
            )
        return labels
