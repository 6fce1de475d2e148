"""`salon train`: a small GAN from one recipe, its averaged weights as safetensors.

Non-saturating loss, Adam, exponential moving average of the weights (Karras et al. 2018).
Everything that is drawn comes from generators seeded by the recipe, so one machine and thread
count repeat it.
"""

import copy
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import softplus

from bench.errors import ConfigError
from bench.progress import Progress
from models.generators.dcgan import Dcgan

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights.

    Attributes:
        name: file name of the result, without the suffix.
        steps: updates of each network.
        batch_size: images per update.
        learning_rate: Adam's, for both networks.
        ema: decay of the averaged weights per step.
        snapshots: steps after which the averaged weights are stored too, as <name>-<step>.
        seed: of weights, batches and latents.
    """

    name: str = "dcgan"
    steps: int = 4000
    batch_size: int = 64
    learning_rate: float = 2e-4
    ema: float = 0.995
    snapshots: list[int] = field(default_factory=list)
    seed: int = 0


def train(
    images: Tensor, labels: Tensor | None, *, plan: Dcgan, recipe: Recipe, folder: Path, device: str
) -> list[Path]:
    """Train on the images and store the averaged generator.

    Args:
        images: uint8 (N, 3, H, W), all in memory.
        labels: (N,) int64, needed where the plan has classes.
        plan: the architecture.
        recipe: how to train.
        folder: where the .safetensors files go.
        device: where to train.

    Returns:
        The files written, snapshots first.
    """
    _check(images, labels, plan, recipe)
    trainer = _Trainer(plan, recipe, device)
    written = []
    batches = _batches(images, labels, recipe, device)
    for step in Progress("train", recipe.steps, unit="steps").over(range(1, recipe.steps + 1)):
        trainer.step(*next(batches))
        if step in recipe.snapshots:
            written.append(_store(trainer.averaged, folder / f"{recipe.name}-{step}.safetensors"))
    return [*written, _store(trainer.averaged, folder / f"{recipe.name}.safetensors")]


def _check(images: Tensor, labels: Tensor | None, plan: Dcgan, recipe: Recipe) -> None:
    height, width = images.shape[-2:]
    if (height, width) != (plan.resolution, plan.resolution):
        raise ConfigError(
            f"model.resolution is {plan.resolution}, the dataset has {height} x {width} px."
        )
    if not 1 <= recipe.batch_size <= len(images):
        raise ConfigError(
            f"recipe.batch_size: found {recipe.batch_size}, expected 1 to {len(images)}."
        )
    if labels is not None and int(labels.max()) >= plan.num_classes:
        raise ConfigError(
            f"model.num_classes is {plan.num_classes}, the dataset has {int(labels.max()) + 1}."
        )


class _Trainer:
    """Both networks, their optimisers, and the averaged generator."""

    def __init__(self, plan: Dcgan, recipe: Recipe, device: str) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)  # PyTorch's initialisers know no other generator
            self.generator = plan.network().to(device)
            self.discriminator = plan.discriminator().to(device)
        self.averaged = copy.deepcopy(self.generator).eval()
        self.plan, self.recipe, self.device = plan, recipe, device
        self.draws = torch.Generator().manual_seed(recipe.seed + 1)
        self.optimisers = [
            torch.optim.Adam(net.parameters(), recipe.learning_rate, betas=(0.5, 0.99))
            for net in (self.generator, self.discriminator)
        ]

    def step(self, real: Tensor, labels: Tensor | None) -> None:
        """One update of the discriminator, then one of the generator."""
        fake = self.generator(self._latents(), labels)
        loss = softplus(-self.discriminator(real, labels)).mean()
        loss = loss + softplus(self.discriminator(fake.detach(), labels)).mean()
        self._update(1, loss)
        self._update(0, softplus(-self.discriminator(fake, labels)).mean())
        self._average()

    def _latents(self) -> Tensor:
        shape = (self.recipe.batch_size, self.plan.latent_dim)
        return torch.randn(shape, generator=self.draws).to(self.device)

    def _update(self, which: int, loss: Tensor) -> None:
        self.optimisers[which].zero_grad(set_to_none=True)
        loss.backward()
        self.optimisers[which].step()

    @torch.no_grad()
    def _average(self) -> None:
        current = self.generator.state_dict()
        for name, tensor in self.averaged.state_dict().items():
            if tensor.is_floating_point():
                tensor.lerp_(current[name], 1 - self.recipe.ema)


def _batches(
    images: Tensor, labels: Tensor | None, recipe: Recipe, device: str
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Endless batches in [-1, 1]; every image once per pass, in a fresh order."""
    draws = torch.Generator().manual_seed(recipe.seed + 2)
    while True:
        order = torch.randperm(len(images), generator=draws)
        for start in range(0, len(images) - recipe.batch_size + 1, recipe.batch_size):
            rows = order[start : start + recipe.batch_size]
            batch = images[rows].to(device).float() / 127.5 - 1
            yield batch, None if labels is None else labels[rows].to(device)


def _store(network: nn.Module, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        name: tensor.cpu().contiguous()
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()  # BatchNorm's batch counters play no part in evaluation
    }
    save_file(state, path)
    log.info("wrote %s (%.2f MB)", path, path.stat().st_size / 1e6)
    return path
