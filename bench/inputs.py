"""What a metric may ask for, by the keyword names of its `compute`; each is made once."""

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.errors import ConfigError, DatasetError, UndefinedError
from bench.features import FeatureSet
from bench.similar import did_you_mean

Side = Callable[[], FeatureSet]


class Inputs:
    """The values of one cell.

    Args:
        sides: "real", "fake" and, where the dataset has one, "holdout" -> a call that gives the
            side's features.
        seed: the run's seed.
    """

    def __init__(self, sides: Mapping[str, Side], seed: int) -> None:
        self.sides = sides
        self.seed = seed

    def gather(self, metric: str, compute: Callable[..., Any]) -> dict[str, Any]:
        """Exactly the inputs that a metric names.

        Args:
            metric: the metric's name; its random stream is derived from it and the seed.
            compute: the metric's method.
        """
        return {
            name: self.rng(metric) if name == "rng" else getattr(self, name)
            for name in input_names(compute)
        }

    def rng(self, metric: str) -> torch.Generator:
        """A stream of the metric's own: other metrics in the run cannot change what it draws."""
        state = np.random.SeedSequence([self.seed, *metric.encode()]).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(state[0]))

    @cached_property
    def real(self) -> Tensor:
        """(N, D) features of the reference images."""
        return self.sides["real"]().features

    @cached_property
    def fake(self) -> Tensor:
        """(M, D) features of the generated images."""
        return self.sides["fake"]().features

    @cached_property
    def holdout(self) -> Tensor:
        """(H, D) features of held-out real images."""
        if "holdout" not in self.sides:
            raise DatasetError("a metric needs held-out real images; set dataset.holdout_split.")
        return self.sides["holdout"]().features

    @cached_property
    def real_logits(self) -> Tensor:
        """(N, C) logits of the reference images."""
        return _logits(self.sides["real"](), "real")

    @cached_property
    def fake_logits(self) -> Tensor:
        """(M, C) logits of the generated images."""
        return _logits(self.sides["fake"](), "fake")

    @cached_property
    def real_labels(self) -> Tensor:
        """(N,) classes of the reference images."""
        return _labels(self.sides["real"](), "real")

    @cached_property
    def fake_labels(self) -> Tensor:
        """(M,) classes that the generated images were asked for."""
        return _labels(self.sides["fake"](), "fake")


def input_names(compute: Callable[..., Any]) -> list[str]:
    """The keyword names of a metric's `compute`."""
    return [name for name in inspect.signature(compute).parameters if name != "self"]


def check_input_names(metric: str, compute: Callable[..., Any]) -> None:
    """Refuse a metric that asks for what does not exist, before any work.

    Raises:
        ConfigError: naming the input and the ones there are.
    """
    known = {name for name, value in vars(Inputs).items() if isinstance(value, cached_property)}
    known.add("rng")
    for name in input_names(compute):
        if name not in known:
            raise ConfigError(f"metric {metric} asks for {name!r}: {did_you_mean(name, known)}")


def sides_of(compute: Callable[..., Any]) -> set[str]:
    """Which sides must be extracted for a metric: "real", "fake", "holdout"."""
    return {name.split("_")[0] for name in input_names(compute)} & {"real", "fake", "holdout"}


def _logits(side: FeatureSet, name: str) -> Tensor:
    if side.logits is None:
        raise UndefinedError(
            f"needs logits, and the {name} side has none here; leave the metric out "
            "('metrics=[fid,kid,prdc]'), or take a backbone or feature file that has them."
        )
    return side.logits


def _labels(side: FeatureSet, name: str) -> Tensor:
    if side.labels is None:
        raise UndefinedError(
            f"needs class labels, and the {name} side has none; leave the metric out."
        )
    return side.labels
