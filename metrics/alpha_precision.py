"""Alpha-precision and beta-recall: how much of each side lies in the typical part of the other."""

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.moments import mean
from metrics.neighbourhood import NearestFake, Neighbours, Want
from metrics.one_class import Keep, OneClass, embed, fit_one_class
from metrics.parameters import at_least


class Embedding(Enum):
    """The space in which features are compared."""

    none = "none"  # the features themselves; the centre is their real mean
    one_class = "one_class"  # a network fitted to the real side; the centre is its own


@dataclass(frozen=True)
class Found:
    """Distances that every score and curve is made from, float64.

    Attributes:
        real_to_centre: (N,) distance of each real to the centre.
        fake_to_centre: (M,) distance of each fake to the centre.
        real_to_real: (N,) distance of each real to the nearest other real.
        real_to_fake: (N,) distance of each real to its nearest fake.
        nearest_fake: (N,) int64, index of that fake; the smallest among equally near ones.
        nearest_fake_to_mean: (N,) distance of that fake to the mean of the fakes.
    """

    real_to_centre: Tensor
    fake_to_centre: Tensor
    real_to_real: Tensor
    real_to_fake: Tensor
    nearest_fake: Tensor
    nearest_fake_to_mean: Tensor

    @property
    def covered(self) -> Tensor:
        """(N,) bool: whether a fake is as near as the nearest other real."""
        return self.real_to_fake <= self.real_to_real


def alpha_precision(
    *, real: Tensor, fake: Tensor, centre: Tensor | None = None, levels: int = 30
) -> dict[str, float]:
    """Fidelity, diversity and generalisation over quantile levels.

    At level a, alpha-precision P(a) is the share of fakes no farther from the centre than the
    a-quantile of the reals. Beta-recall R(b) is the share of reals that have a fake as near as
    their nearest real, while that fake lies no farther from the fakes' mean than the b-quantile of
    such nearest fakes. Both are the level itself for equal distributions, up to the share of
    covered reals in R. alpha_precision = 1 - 2 * sum |a - P(a)| * step over equally spaced levels
    from 0 to 1, beta_recall likewise with R; at most 1, and at worst -1 / (levels - 1), since the
    sum counts both ends in full. Higher is better.

    authenticity_published is the share of reals i that lie farther from their nearest fake, j, than
    real number j lies from its nearest other real. It is kept to compare with published numbers: j
    counts fakes, so pairing real j with it means nothing, and the order of the rows decides the
    value.

    Args:
        real: (N, D) features of reference images, N >= 2.
        fake: (M, D) features of generated images, M >= 1, from the same backbone.
        centre: (D,) point around which real features are typical; None means their mean.
        levels: quantile levels, >= 2.

    Returns:
        {"alpha_precision": ..., "beta_recall": ..., "authenticity_published": ...}, the last NaN
        where M > N: there may be no real number j.

    Raises:
        ValueError: if a side has too few rows or is not usable, the widths differ, the centre has
            another width, or there are fewer than two levels.

    Source: A. Alaa et al., "How Faithful is your Synthetic Data? Sample-level Metrics for
    Evaluating and Auditing Generative Models", 2022, section 3, and the authors' code.
    Differs: quantiles fall on exact ranks, in float64; the code's float32 and rounded ranks can
    move a curve by 1 / N at some levels. The code stops with an index error where M > N.
    """
    _check_levels(levels)
    found = _distances(Neighbours(real=real, fake=fake), centre)
    scores = {name: _score(curve) for name, curve in _curves(found, levels).items()}
    return scores | {"authenticity_published": _authenticity_published(found)}


def _check_levels(levels: int) -> None:
    at_least(2, "the authors' code has 30", levels=levels)


def _distances(neighbours: Neighbours, centre: Tensor | None) -> Found:
    real, fake = neighbours.real, neighbours.fake
    check_features(minimum=2, real=real)
    centre = _centre(real, centre)
    closest = neighbours.nearest_fake
    return Found(
        real_to_centre=_distance_to(centre, real),
        fake_to_centre=_distance_to(centre, fake),
        real_to_real=neighbours.squared_radii("real", 1).sqrt(),
        real_to_fake=closest.distances,
        nearest_fake=closest.indices,
        nearest_fake_to_mean=_distance_to(mean(fake), fake)[closest.indices],
    )


def _centre(real: Tensor, centre: Tensor | None) -> Tensor:
    if centre is None:
        return mean(real)
    if centre.shape != real.shape[1:]:
        raise ValueError(
            f"centre: found shape {tuple(centre.shape)}, expected ({real.shape[1]},), the width of "
            "the features."
        )
    return centre.to(real.device).double()


def _distance_to(point: Tensor, rows: Tensor) -> Tensor:
    """(N,) float64 distance of each row to one point."""
    cuts = blocks(len(rows), width=rows.shape[1])
    return torch.cat([torch.linalg.vector_norm(rows[cut].double() - point, dim=1) for cut in cuts])


def _curves(found: Found, levels: int) -> dict[str, Tensor]:
    """Score name -> (levels,) curve."""
    typical = _quantiles(found.real_to_centre, levels)
    fake_radii = _quantiles(found.nearest_fake_to_mean, levels)
    recalled = found.nearest_fake_to_mean[found.covered]
    return {
        "alpha_precision": _count_within(found.fake_to_centre, typical) / len(found.fake_to_centre),
        "beta_recall": _count_within(recalled, fake_radii) / len(found.covered),
    }


def _quantiles(values: Tensor, levels: int) -> Tensor:
    """(levels,) linearly interpolated quantiles at k / (levels - 1), on exact ranks."""
    steps = torch.arange(levels, device=values.device) * (len(values) - 1)
    rank, rest = steps // (levels - 1), steps % (levels - 1)
    ordered = values.sort().values
    below, above = ordered[rank], ordered[(rank + 1).clamp(max=len(values) - 1)]
    return below + (above - below) * rest / (levels - 1)


def _count_within(distances: Tensor, limits: Tensor) -> Tensor:
    """(levels,) float64, how many distances are <= each limit."""
    return torch.searchsorted(distances.sort().values, limits, right=True).double()


def _levels(curve: Tensor) -> Tensor:
    return torch.arange(len(curve), dtype=torch.float64, device=curve.device) / (len(curve) - 1)


def _score(curve: Tensor) -> float:
    gaps = (_levels(curve) - curve).abs()
    return 1 - 2 * float(gaps.sum()) / (len(curve) - 1)


def _authenticity_published(found: Found) -> float:
    if len(found.fake_to_centre) > len(found.real_to_real):
        return float("nan")
    farther = found.real_to_real[found.nearest_fake] < found.real_to_fake
    return float(farther.double().mean())


@dataclass(frozen=True)
class AlphaPrecision:
    """Protocol: all rows of both sides.

    Attributes:
        levels: quantile levels from 0 to 1.
        embedding: the space in which features are compared.
        one_class: how that network is made; without effect where embedding is none.
    """

    levels: int = 30
    embedding: Embedding = Embedding.none
    one_class: OneClass = field(default_factory=OneClass)

    version: ClassVar[int] = 2  # 1 ranked authenticity_published
    scores: ClassVar[dict[str, Better]] = {
        "alpha_precision": Better.HIGHER,
        "beta_recall": Better.HIGHER,
        "authenticity_published": Better.NEITHER,  # far noise has 1, the same distribution 0.5
    }

    def __post_init__(self) -> None:
        _check_levels(self.levels)

    def wants(self) -> tuple[Want, ...]:
        """What the shared pass must look for."""
        return (NearestFake(),) if self.embedding is Embedding.none else ()

    def compute(self, *, neighbours: Neighbours, keep: Keep) -> Outcome:
        """The three scores, both curves and the distances they come from.

        Args:
            neighbours: the shared pass; an embedding needs one of its own.
            keep: gives the one-class layers of this real side, fitted once; not called where
                embedding is none.
        """
        found = self._found(neighbours, keep)
        curves = _curves(found, self.levels)
        return Outcome(
            scores={name: Estimate(_score(curve)) for name, curve in curves.items()}
            | {"authenticity_published": _authenticity_estimate(found)},
            per_image=_columns(found),
            curves={
                name: {"level": _levels(curve), "curve": curve} for name, curve in curves.items()
            },
            flags=_flags(found),
        )

    def _found(self, neighbours: Neighbours, keep: Keep) -> Found:
        if self.embedding is Embedding.none:
            return _distances(neighbours, None)
        layers = keep(
            self.one_class.settings(),
            lambda: fit_one_class(real=neighbours.real, parameters=self.one_class),
        )
        embedded = Neighbours(
            real=embed(neighbours.real, layers), fake=embed(neighbours.fake, layers)
        )
        return _distances(embedded, self.one_class.centre_point())


def _authenticity_estimate(found: Found) -> Estimate:
    reals, fakes = len(found.real_to_real), len(found.fake_to_centre)
    if fakes <= reals:
        return Estimate(_authenticity_published(found))
    return Estimate(
        float("nan"),
        undefined=f"the published form pairs fakes with reals by number: {fakes} fakes need as "
        f"many reals, there are {reals}",
    )


def _columns(found: Found) -> dict[str, dict[str, Tensor]]:
    return {
        "fake": {"distance_to_centre": found.fake_to_centre},
        "real": {
            "distance_to_centre": found.real_to_centre,
            "distance_to_nearest_fake": found.real_to_fake,
            "covered": found.covered.double(),
        },
    }


def _flags(found: Found) -> dict[str, int]:
    counts = {
        "zero_radii_real": int((found.real_to_real == 0).sum()),
        "reals_copied": int((found.real_to_fake == 0).sum()),
    }
    return {name: count for name, count in counts.items() if count}
