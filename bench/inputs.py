"""What a metric may ask for, by the keyword names of its `compute`; each is made once."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bench.errors import ConfigError, DatasetError, UndefinedError
from bench.feature_set import FeatureSet
from bench.images import ImageSource
from bench.similar import did_you_mean
from metrics.moments import Moments
from metrics.neighbourhood import Neighbours, Want

Side = Callable[[], FeatureSet]
Keep = Callable[[Mapping[str, object], Callable[[], dict[str, Tensor]]], dict[str, Tensor]]


class Inputs:
    """The values of one cell.

    Args:
        sides: "real", "fake" and, where the dataset has one, "holdout" -> a call that gives the
            side's features.
        seed: the run's seed.
        wants: what the cell's metrics look for among neighbours; one pass finds it all.
        images: the generated images; None where only features were given.
        fitted: keeps what a metric fits to the real side; None keeps nothing.
        has_spatial: whether the backbone can give spatial features.
        moments: "pooled" and, where known, "spatial" -> those of a reference that is given so;
            "real" is then among the sides only if there are reference images besides.
    """

    def __init__(
        self,
        sides: Mapping[str, Side],
        seed: int,
        *,
        wants: Sequence[Want] = (),
        images: ImageSource | None = None,
        fitted: Keep | None = None,
        has_spatial: bool = True,
        moments: Mapping[str, Moments] | None = None,
    ) -> None:
        self.sides, self.seed, self.wants = sides, seed, wants
        self.images, self.fitted, self.has_spatial = images, fitted, has_spatial
        self.moments = moments or {}

    def gather(self, metric: str, compute: Callable[..., Any]) -> dict[str, Any]:
        """Exactly the inputs that a metric names.

        Args:
            metric: the metric's name; its random stream is derived from it and the seed.
            compute: the metric's method.

        Raises:
            UndefinedError: if it needs rows of a reference that is moments alone; nothing has been
                extracted then.
        """
        if "real" in sides_of(compute) and "real" not in self.sides:
            raise UndefinedError(
                "needs the features of each reference image, and the reference is a mean and a "
                "covariance alone; leave it out (fid and sfid need no more), or give images: "
                "dataset.images=true where the statistics' file holds some, or another dataset."
            )
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
            raise DatasetError(
                "a metric asks for held-out real images, and the dataset has none; type "
                "dataset.holdout_split=SPLIT, for feature files dataset.holdout=FILE, or leave "
                "such metrics (data_copying, fld) out."
            )
        return self.sides["holdout"]().features

    @cached_property
    def neighbours(self) -> Neighbours:
        """Neighbours within and between both sides, made in one pass for all metrics."""
        return Neighbours(real=self.real, fake=self.fake, wants=self.wants)

    @cached_property
    def fake_images(self) -> ImageSource:
        """The generated images themselves: `len` and `read(indices)`, uint8 (n, 3, H, W)."""
        if self.images is None:
            raise UndefinedError("needs images, and only features were given; leave it out.")
        return self.images

    @cached_property
    def keep(self) -> Keep:
        """`keep(settings, fit)`: tensors fitted to the real side, cached."""
        return self.fitted or (lambda settings, fit: fit())

    @cached_property
    def real_spatial(self) -> Tensor:
        """(N, S) spatial features of the reference images."""
        return self._spatial("real")

    @cached_property
    def fake_spatial(self) -> Tensor:
        """(M, S) spatial features of the generated images."""
        return self._spatial("fake")

    def _spatial(self, name: str) -> Tensor:
        """Refused before anything is extracted where the backbone has no such map."""
        found = self.sides[name]().spatial if self.has_spatial else None
        if found is None:
            raise UndefinedError(
                f"needs spatial features, and the {name} side has none here; take "
                "backbone=[inception] or a feature file with an array `spatial`."
            )
        return found

    @cached_property
    def real_moments(self) -> Moments:
        """Mean and covariance of the reference features, given as such."""
        return self._moments("pooled", "a mean and a covariance")

    @cached_property
    def real_spatial_moments(self) -> Moments:
        """Mean and covariance of the reference's spatial features, given as such."""
        return self._moments("spatial", "mu_s and sigma_s of spatial features")

    def _moments(self, kind: str, what: str) -> Moments:
        if kind not in self.moments:
            raise UndefinedError(f"needs {what}, and the reference has none; leave it out.")
        return self.moments[kind]

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


def method_of(metric: Any, *, given_moments: bool) -> Callable[..., Any]:
    """`compute`, or `compute_given_moments` where a metric has it and the reference is moments."""
    compute: Callable[..., Any] = metric.compute
    return getattr(metric, "compute_given_moments", compute) if given_moments else compute


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
    """Which sides' features a metric needs: "real", "fake", "holdout"."""
    return {side for name in input_names(compute) for side in _NEEDS.get(name, ())}


def wants_spatial(compute: Callable[..., Any]) -> bool:
    """Whether a metric needs spatial features."""
    return any(name.endswith("_spatial") for name in input_names(compute))


_NEEDS: dict[str, tuple[str, ...]] = {
    "real": ("real",),
    "fake": ("fake",),
    "holdout": ("holdout",),
    "neighbours": ("real", "fake"),
    "keep": ("real",),
    **{
        f"{side}_{kind}": (side,)
        for side in ("real", "fake")
        for kind in ("logits", "labels", "spatial")
    },
}


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
