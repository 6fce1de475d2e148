"""A live generator as a row of images: image k is drawn from (seed, k), whatever the batch."""

import copy
import hashlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import torch
from torch import Tensor

from bench.errors import CheckpointError, SalonError
from bench.generator import Surroundings
from bench.identity import NEUTRAL, describe
from bench.images import ImageSource
from models.generator import Generator
from models.precision import float32_products
from models.seeds import ImageSeed

PROBE_IMAGES = 1024


class LiveSource(ImageSource):
    """Samples on demand.

    The network is always called with full batches of `sampling_batch` (the last one is padded):
    a network's output moves in its last bit with the batch size.

    Args:
        make: builds the generator; called once, when the first image is read.
        num_classes: 0 for a generator that takes no labels.
        identity: what the images depend on beside seed and labels; goes into cache keys.
        seed: the run's seed.
        sampling_batch: images per call, part of the identity.
    """

    live = True

    def __init__(
        self,
        make: Callable[[], Generator],
        *,
        num_classes: int,
        identity: dict[str, object],
        seed: int,
        sampling_batch: int,
    ) -> None:
        if sampling_batch < 1:
            raise CheckpointError(f"generator.sampling_batch: found {sampling_batch}, expected 1+.")
        self.make = make
        self.seed = seed
        self.sampling_batch = sampling_batch
        self.num_classes = num_classes or None
        self.identity = identity
        self.lock = threading.Lock()

    @cached_property
    def generator(self) -> Generator:
        """The generator, built when first asked for."""
        with _generator_errors():
            return self.make()

    def ready(self) -> None:
        """Build the generator and look at its first images."""
        self.read(range(self.sampling_batch))

    def __len__(self) -> int:
        """A generator never runs out."""
        return sys.maxsize

    def read(self, indices: Sequence[int]) -> Tensor:
        """Images of these indices, drawn in padded batches of the fixed size."""
        size = self.sampling_batch
        batches = [indices[start : start + size] for start in range(0, len(indices), size)]
        with self.lock:
            return torch.cat([self._batch(batch) for batch in batches])

    def labels_of(self, indices: Sequence[int]) -> Tensor | None:
        """Balanced labels: image k has class k mod C."""
        if self.num_classes is None:
            return None
        return torch.tensor([index % self.num_classes for index in indices])

    def content(self) -> dict[str, object]:
        """Checkpoint, settings and seed."""
        labels = f"k mod {self.num_classes}" if self.num_classes else None
        return {**self.identity, "seed": self.seed, "labels": labels}

    def _batch(self, indices: Sequence[int]) -> Tensor:
        padded = [*indices, *[indices[-1]] * (self.sampling_batch - len(indices))]
        seeds = [ImageSeed(self.seed, index) for index in padded]
        labels = self.labels_of(padded)
        with _generator_errors(), float32_products():
            images = self.generator.sample(seeds, labels)
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[:2] != (len(padded), 3):
            raise CheckpointError(
                f"the generator made {images.dtype} {tuple(images.shape)}, "
                f"expected uint8 ({len(padded)}, 3, H, W)."
            )
        if indices[0] == 0:
            _refuse_constant(images)
        return images[: len(indices)]


def live_identity(spec: object, surroundings: Surroundings) -> dict[str, object]:
    """What a live generator's images depend on beside its weights, its seed and its labels.

    Args:
        spec: the yaml's dataclass.
        surroundings: sampler, quantise rule and device type count.
    """
    return {
        **describe(spec, NEUTRAL.keys()),
        "sampler": describe(surroundings.sampler),
        "quantise": surroundings.quantise.name,
        "device_type": surroundings.device.split(":")[0],
    }


class ProbedSource(LiveSource):
    """A live source whose code and weights no file hash can see: its first images identify it."""

    @cached_property
    def probe(self) -> str:
        """sha256 of the first images of run seed 0: 16, or one per class up to 1,024."""
        count = min(max(16, self.num_classes or 0), PROBE_IMAGES)
        images = ProbedSource.read(self._of_seed_0(), range(count))
        return hashlib.sha256(images.numpy().tobytes()).hexdigest()

    def _of_seed_0(self) -> "ProbedSource":
        twin = copy.copy(self)
        twin.seed = 0
        return twin

    def content(self) -> dict[str, object]:
        """As of any live source, and the probe."""
        return {**super().content(), "probe": self.probe}


@contextmanager
def _generator_errors() -> Iterator[None]:
    """Whatever a generator's code raises is the checkpoint's trouble, told in one line."""
    try:
        yield
    except SalonError:
        raise
    except (Exception, SystemExit) as error:
        lines = str(error).strip().splitlines() or [""]
        raise CheckpointError(
            f"the generator failed: {type(error).__name__}: {lines[0]}"
        ) from error


def _refuse_constant(images: Tensor) -> None:
    if len(images) > 1 and (images == images.flatten()[0]).all():
        raise CheckpointError(
            f"the generator's first {len(images)} images hold one single value; "
            "its weights are broken."
        )
