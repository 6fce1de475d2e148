"""A checkpoint of a known architecture: safetensors into a network of models.generators."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.errors import CheckpointError
from bench.generator import Surroundings
from bench.generators.live import LiveSource, live_identity
from models.fill import fill
from models.generators.latent import LatentGenerator
from models.weights import WeightsError, check_file, file_sha256, load_state


@dataclass(frozen=True)
class WeightFile:
    """A file of weights and where it came from.

    Attributes:
        path: the file; relative paths count from where the command was typed.
        sha256: its pinned hash; null marks the record as unpinned.
        url: where it was published, if it was.
        licence: of the weights.
    """

    path: str = "???"
    sha256: str | None = None
    url: str | None = None
    licence: str | None = None

    def __post_init__(self) -> None:
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"sha256: found {self.sha256!r}, expected 64 hex digits or null.")


@dataclass(frozen=True)
class Checkpoint:
    """Network plus weights.

    Attributes:
        name: what records call it.
        trained_on: the dataset's name, or None.
        sampling_batch: images per call of the network, part of the identity.
        model: the architecture, a dataclass with `network()`, `latent_dim`, `resolution` and
            `num_classes`.
        weights: the file.
        note: a line for the reader of the leaderboard.
    """

    name: str
    model: Any
    weights: WeightFile = field(default_factory=WeightFile)
    trained_on: str | None = None
    sampling_batch: int = 64
    note: str | None = None

    def open(self, surroundings: Surroundings) -> LiveSource:
        """Check the file against its hash; it is loaded when the first image is asked for."""
        path = Path(self.weights.path)
        with self._checkpoint_errors():
            check_file(path, self.weights.sha256, option="generator.weights.path")
        found = file_sha256(path)
        return LiveSource(
            partial(self._load, surroundings, found),
            num_classes=self.model.num_classes,
            identity={
                **live_identity(self, surroundings),
                "checkpoint_sha256": found,
            },
            seed=surroundings.seed,
            sampling_batch=self.sampling_batch,
        )

    def _load(self, surroundings: Surroundings, sha256: str) -> LatentGenerator:
        path = Path(self.weights.path)
        network = self.model.network()
        with self._checkpoint_errors():
            state = load_state(path, self.weights.sha256, option="generator.weights.path")
            fill(network, state, path.name)
        refuse_changed(self.name, path, sha256)
        return LatentGenerator(
            network,
            sampler=surroundings.sampler,
            latent_dim=self.model.latent_dim,
            resolution=self.model.resolution,
            num_classes=self.model.num_classes,
            quantise=surroundings.quantise,
            device=surroundings.device,
        )

    @contextmanager
    def _checkpoint_errors(self) -> Iterator[None]:
        try:
            yield
        except WeightsError as error:
            raise CheckpointError(f"generator {self.name}: {error}") from error


def refuse_changed(generator: str, path: Path, sha256: str) -> None:
    """Called once a file has been loaded, which may have been overwritten since it was hashed.

    Raises:
        CheckpointError: if it has.
    """
    if file_sha256(path) != sha256:
        raise CheckpointError(
            f"generator {generator}: {path.name} has changed since the job began, as where a "
            "training overwrites it; name a copy that nothing writes to, and run the command again."
        )
