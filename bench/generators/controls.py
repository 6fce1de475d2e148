"""Controls: fakes made from real images, whose order every honest metric must find.

Each says what it is made from: the reference split itself (copies), or held-out real images.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from bench.datasets.features import FeatureFile
from bench.datasets.given_moments import GivenMoments
from bench.errors import ConfigError, DatasetError
from bench.generator import Surroundings
from bench.images import ImageSource
from bench.rows import RowsOf


@dataclass(frozen=True)
class Control:
    """Base of all controls.

    Attributes:
        name: what records call it.
        control: always true; leaderboards show controls apart.
        trained_on: None, a control fits every dataset.
        note: a line for the reader of the leaderboard.
    """

    name: str
    control: bool = True
    trained_on: str | None = None
    note: str | None = None


def holdout(surroundings: Surroundings, control: str) -> ImageSource:
    """The dataset's held-out real images, or a clear error where it has none."""
    dataset = surroundings.dataset
    if dataset.holdout_split is None:
        raise DatasetError(
            f"generator {control} is made from held-out real images, and the dataset"
            f"{f' {dataset.name}' if dataset.name else ''} has no holdout: set "
            "dataset.holdout_split, or leave this control out."
        )
    return dataset.open(dataset.holdout_split, manifests=surroundings.manifests)


def _reference_images(surroundings: Surroundings, control: str) -> ImageSource:
    if not isinstance(surroundings.reference, ImageSource):
        raise ConfigError(f"generator {control} is made from images; the dataset has none.")
    return surroundings.reference


@dataclass(frozen=True)
class Holdout(Control):
    """Held-out real images: the best that any generator can hope for."""

    def open(self, surroundings: Surroundings) -> ImageSource:
        """The dataset's holdout split."""
        return holdout(surroundings, self.name)


@dataclass(frozen=True)
class Copycat(Control):
    """The reference images themselves: perfect fidelity, nothing learnt."""

    def open(self, surroundings: Surroundings) -> ImageSource | FeatureFile | GivenMoments:
        """The reference rows that the protocol has drawn."""
        return surroundings.reference


@dataclass(frozen=True)
class OnePerClass(Control):
    """Total collapse: the first reference image of each class, again and again."""

    def open(self, surroundings: Surroundings) -> ImageSource:
        """As many rows as the reference has."""
        base = _reference_images(surroundings, self.name)
        labels = _labels(base, self.name)
        first = [int((labels == label).nonzero()[0]) for label in labels.unique()]
        rows = [first[index % len(first)] for index in range(len(base))]
        return RowsOf(base, rows, {"control": "one_per_class"})


@dataclass(frozen=True)
class DropClasses(Control):
    """Held-out real images without the last classes: perfect fidelity, missing modes."""

    fraction: float = 0.3
    minimum_kept: ClassVar[int] = 1

    def open(self, surroundings: Surroundings) -> ImageSource:
        """The holdout's images of the classes that are kept."""
        base = holdout(surroundings, self.name)
        labels = _labels(base, self.name)
        classes = labels.unique()
        kept = max(round(len(classes) * (1 - self.fraction)), self.minimum_kept)
        rows = torch.isin(labels, classes[:kept]).nonzero().flatten().tolist()
        return RowsOf(base, rows, {"control": "drop_classes", "kept_classes": kept})


def _labels(source: ImageSource, control: str) -> Tensor:
    if source.labels is None:
        raise DatasetError(f"generator {control} needs class labels, and this dataset has none.")
    return source.labels
