"""The generator contract: a cheap description that opens a row of images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bench.dataset import Dataset
from bench.datasets.features import FeatureFile
from bench.datasets.given_moments import GivenMoments
from bench.images import ImageSource
from models.quantise import Quantise
from models.samplers import Sampler


@dataclass(frozen=True)
class Surroundings:
    """What a job tells a generator when it opens it.

    Attributes:
        dataset: the real side; controls are made from it.
        reference: the rows of the reference split that the protocol has drawn.
        sampler: where a live generator's latents come from.
        quantise: how a live generator's floats become uint8.
        config: the generator's own yaml node, resolved.
        seed: the run's seed; image k is drawn from (seed, k).
        device: where networks run.
        manifests: folder in which fingerprints of files on disk are remembered.
    """

    dataset: Dataset
    reference: ImageSource | FeatureFile | GivenMoments
    sampler: Sampler
    quantise: Quantise
    config: Mapping[str, Any]
    seed: int
    device: str
    manifests: Path


class GeneratorSpec(Protocol):
    """A frozen dataclass whose fields are the yaml's keys; making one touches no file.

    Attributes:
        name: what records and leaderboards call it; None for a folder or file that is named
            after its content.
        trained_on: name of the dataset it was trained on; None fits every dataset.
    """

    name: str | None
    trained_on: str | None

    def open(self, surroundings: Surroundings) -> ImageSource:
        """Make the images readable.

        Raises:
            bench.errors.CheckpointError, bench.errors.DatasetError: if it cannot be read.
        """
