"""Precision-recall curve of two distributions (PRD), from one clustering of both."""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.parameters import at_least
from metrics.rounded import frame, rounded

ENDS = 1e-10  # angles 0 and pi/2 themselves would give slopes 0 and infinity


def prd_from_histograms(*, real: Tensor, fake: Tensor, angles: int = 1001) -> tuple[Tensor, Tensor]:
    """Precision and recall of one discrete distribution against another, over a range of slopes.

    For slopes l = tan(angle), angles evenly spaced from 0 to pi/2:
    precision(l) = sum_i min(l real_i, fake_i), recall(l) = sum_i min(real_i, fake_i / l).
    At l = 1 both are 1 - the total variation distance.

    Args:
        real: (..., K) shares of each cluster, sums 1.
        fake: (..., K) likewise.
        angles: points of the curve, >= 3; an odd number holds l = 1.

    Returns:
        precision, recall: (..., angles) float64 in [0, 1].

    Raises:
        ValueError: if the shapes differ, a share is negative, sums are not 1, or angles < 3.

    Source: M. Sajjadi et al., "Assessing Generative Models via Precision and Recall", 2018,
    theorem 2 and algorithm 1, and the authors' code (1001 angles, 1e-10 from the ends).
    """
    _check_histograms(real, fake, angles)
    slopes = _slopes(angles, real.device)
    real, fake = real.double(), fake.double()
    precision = torch.zeros(*real.shape[:-1], angles, dtype=torch.float64, device=real.device)
    for cluster in range(real.shape[-1]):  # one pass each: no (..., angles, K) array is made
        scaled = real[..., cluster, None] * slopes
        precision += torch.minimum(scaled, fake[..., cluster, None])
    return precision.clamp(0, 1), (precision / slopes).clamp(0, 1)


def f_beta(precision: Tensor, recall: Tensor, *, beta: float) -> Tensor:
    """(1 + beta^2) p r / (beta^2 p + r + 1e-10), per point; beta > 1 weighs recall more."""
    weight = beta**2
    return (1 + weight) * precision * recall / (weight * precision + recall + 1e-10)


def max_f_beta(precision: Tensor, recall: Tensor, *, beta: float) -> Tensor:
    """The largest F_beta on each curve, (..., angles) -> (...), in [0, 1]."""
    return f_beta(precision, recall, beta=beta).amax(dim=-1)


def prd_curve(
    *,
    real: Tensor,
    fake: Tensor,
    rng: torch.Generator,
    clusters: int = 20,
    runs: int = 10,
    angles: int = 1001,
    balance: bool = False,
) -> tuple[Tensor, Tensor]:
    """Mean PRD curve over several clusterings of the union of both sides.

    Args:
        real: (N, D) features of reference images.
        fake: (M, D) features of generated images, from the same backbone.
        rng: seeds every clustering.
        clusters: cells that the union is cut into, <= N + M.
        runs: clusterings, of which the curves are averaged point by point.
        angles: points of the curve.
        balance: refuse N != M; the larger side would pull the clusters its way.

    Returns:
        precision, recall: (angles,) float64 in [0, 1], from slope 0 (precision 0) upwards.

    Raises:
        ValueError: if a side is not usable, a parameter is out of range, or N != M under balance.

    Source: as `prd_from_histograms`; clusters by MiniBatchKMeans(n_init=10) on the stacked rows.
    Differs: seeded; clustered in float32 after centring and scaling, which moves no cluster (the
    authors cast to float64).
    """
    _check_angles(angles)
    found = _shares(real, fake, rng, clusters=clusters, runs=runs, balance=balance)
    precision, recall = prd_from_histograms(real=found[0], fake=found[1], angles=angles)
    return precision.mean(0), recall.mean(0)


def _shares(
    real: Tensor, fake: Tensor, rng: torch.Generator, *, clusters: int, runs: int, balance: bool
) -> tuple[Tensor, Tensor]:
    """(runs, clusters) shares of each side in the clusters of each run."""
    _check_clusterings(clusters, runs)
    _check(real, fake, clusters=clusters, balance=balance)
    rows = _comparable(real, fake).cpu().numpy()
    counts = np.stack([_counts(rows, len(fake), clusters, _seed(rng)) for _ in range(runs)])
    fake_shares, real_shares = torch.from_numpy(counts).double().to(real.device).unbind(1)
    return real_shares / len(real), fake_shares / len(fake)


def _comparable(real: Tensor, fake: Tensor) -> Tensor:
    """(M + N, D) float32, the fakes first; centred and scaled first, so that no digit is lost."""
    shared = frame(real, fake)
    return torch.cat([rounded(side, shared, torch.float32).values for side in (fake, real)])


def _counts(rows: np.ndarray, fakes: int, clusters: int, seed: int) -> np.ndarray:
    """(2, clusters) rows of each cluster among the first `fakes` rows and the others."""
    from sklearn.cluster import MiniBatchKMeans  # a second, which a reused cell does not need

    labels = MiniBatchKMeans(clusters, n_init=10, random_state=seed).fit(rows).labels_
    sides = (labels[:fakes], labels[fakes:])
    return np.stack([np.bincount(side, minlength=clusters) for side in sides])


def _seed(rng: torch.Generator) -> int:
    return int(torch.randint(2**31 - 1, (), generator=rng, device=rng.device))


def _slopes(angles: int, device: torch.device) -> Tensor:
    ends = (ENDS, pi / 2 - ENDS)
    return torch.linspace(*ends, angles, dtype=torch.float64, device=device).tan()


def _check_clusterings(clusters: int, runs: int) -> None:
    at_least(1, "the authors' code takes 20", clusters=clusters)
    at_least(1, "the authors' code takes 10", runs=runs)


def _check_angles(angles: int) -> None:
    at_least(3, "the authors' code takes 1001", angles=angles)


def _check(real: Tensor, fake: Tensor, *, clusters: int, balance: bool) -> None:
    check_features(real=real, fake=fake)
    if clusters > len(real) + len(fake):
        raise ValueError(
            f"clusters is {clusters}, expected 1 to {len(real) + len(fake)}, all rows together."
        )
    if balance and len(real) != len(fake):
        raise ValueError(
            f"real has {len(real)} rows and fake {len(fake)}; balance=true wants equal counts. "
            "Take as many of each, or set balance=false."
        )


def _check_histograms(real: Tensor, fake: Tensor, angles: int) -> None:
    _check_angles(angles)
    if real.shape != fake.shape:
        raise ValueError(
            f"real has shape {tuple(real.shape)} and fake {tuple(fake.shape)}, expected the same."
        )
    for side, shares in (("real", real), ("fake", fake)):
        sums = shares.double().sum(-1)
        if (shares < 0).any() or not torch.allclose(sums, torch.ones_like(sums), atol=1e-6):
            raise ValueError(
                f"{side}: found shares from {float(shares.min()):.3g} with sum "
                f"{float(sums.flatten()[0]):.6g}, expected none negative and sum 1."
            )


@dataclass(frozen=True)
class Prd:
    """Protocol: all rows of both sides, curves averaged over seeded clusterings.

    Attributes:
        clusters: cells that the union of both sides is cut into.
        runs: clusterings.
        angles: points of the curve.
        balance: refuse sides of unequal counts, as the authors' code does unless told otherwise.
    """

    clusters: int = 20
    runs: int = 10
    angles: int = 1001
    balance: bool = False

    scores: ClassVar[dict[str, Better]] = {"f8": Better.HIGHER, "f1_8": Better.HIGHER}

    def __post_init__(self) -> None:
        _check_clusterings(self.clusters, self.runs)
        _check_angles(self.angles)

    def compute(self, *, real: Tensor, fake: Tensor, rng: torch.Generator) -> Outcome:
        """F_8 (recall) and F_1/8 (precision) of the mean curve, and the curve."""
        precision, recall = prd_curve(
            real=real,
            fake=fake,
            rng=rng,
            clusters=self.clusters,
            runs=self.runs,
            angles=self.angles,
            balance=self.balance,
        )
        return Outcome(
            scores={
                "f8": Estimate(float(max_f_beta(precision, recall, beta=8))),
                "f1_8": Estimate(float(max_f_beta(precision, recall, beta=1 / 8))),
            },
            curves={"prd": {"precision": precision, "recall": recall}},
        )
