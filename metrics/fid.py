"""Frechet distance between two Gaussians fitted to features (FID, FD-DINOv2, ...)."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from metrics.fid_influence import (
    FakeInfluence,
    FidInfluence,
    full_rank_pair,
    influence_given_moments,
    influence_of_pair,
)
from metrics.gaussian import Gaussian, KnownGaussian
from metrics.metric import Better, Estimate, Outcome
from metrics.moments import Moments, check_divisor, check_moments
from metrics.overlap import CholeskyPair, nuclear_norm
from metrics.parameters import divisor


def frechet_distance(*, real: Tensor, fake: Tensor, ddof: int = 1) -> float:
    """Frechet distance of the Gaussians that share mean and covariance with the features.

    d = |mu_r - mu_f|^2 + tr(S_r + S_f - 2 (S_r S_f)^(1/2)), in squared feature units. With factors
    A^T A = S_r and B^T B = S_f the last trace is the nuclear norm of A B^T, so no matrix root is
    taken. At full rank A and B are Cholesky factors; else they come from the rows, exact for every
    N, D and rank. Zero means equal means and covariances. Biased upwards at finite N and M. Lower
    is better.

    Args:
        real: (N, D) features of reference images, N > ddof.
        fake: (M, D) features of generated images, M > ddof, from the same backbone.
        ddof: the covariances are divided by N - ddof and M - ddof.

    Returns:
        The distance, computed in float64; negatives within rounding
        (4 (D + 8) eps (tr S_r + tr S_f)) are returned as 0.

    Raises:
        ValueError: if a side has too few rows or holds NaN or infinity, or the widths differ.

    Source: M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
    Nash Equilibrium", 2017, eq. 6; D. Dowson, B. Landau, 1982.
    Differs: the paper's code takes the square root of S_r S_f by Schur form. Its eigenvalues hold
    half the digits only; singular values of A B^T hold all.
    """
    check_divisor(ddof, real=real, fake=fake)
    return distance_between(Gaussian(real, ddof), Gaussian(fake, ddof))


def frechet_distance_from_moments(*, real: Moments, fake: Moments) -> float:
    """The same distance where only means and covariances are known.

    Covariances hold half the digits of features: directions whose variance is below 1e-16 of the
    largest are noise, and the distance is good to about 1e-8 of the traces.

    Args:
        real: moments of the reference features.
        fake: moments of the generated features, of the same width.

    Raises:
        ValueError: if the shapes do not match, or a covariance is not symmetric, finite and
            positive semi-definite.
    """
    check_moments(real=real, fake=fake)
    _check_widths(real=real.mean, fake=fake.mean)
    return distance_between(*(KnownGaussian(_in_float64(side)) for side in (real, fake)))


def distance_between(real: Gaussian | KnownGaussian, fake: Gaussian | KnownGaussian) -> float:
    """`frechet_distance` of sides whose parts may be there already."""
    return _distance_of_pair(real, fake, full_rank_pair(real, fake))


def measure(*, real: Tensor, fake: Tensor, ddof: int, score: str) -> Outcome:
    """The distance under a name, with its error, bias and influences where they are known.

    Args:
        real: (N, D) checked features.
        fake: (M, D) checked features.
        ddof: as for `frechet_distance`.
        score: name of the score; the influences' column is `<score>_influence`.
    """
    sides = Gaussian(real, ddof), Gaussian(fake, ddof)
    pair = full_rank_pair(*sides)
    found = None if pair is None else influence_of_pair(*sides, pair)
    return _outcome(_distance_of_pair(*sides, pair), pair, found, score)


def measure_given_moments(*, real: Moments, fake: Tensor, ddof: int, score: str) -> Outcome:
    """`measure` where the reference is known by its moments alone.

    The reference counts as exact: the error, the bias and the influences are those of the fakes.

    Args:
        real: checked moments; their covariance is brought to the divisor N - ddof.
        fake: (M, D) checked features, of the moments' width.
        ddof: as for `frechet_distance`.
        score: as for `measure`.

    Raises:
        ValueError: if the widths differ, or the divisor cannot be changed.
    """
    _check_widths(real=real.mean, fake=fake[0])
    sides = KnownGaussian(_in_float64(real.with_ddof(ddof))), Gaussian(fake, ddof)
    pair = full_rank_pair(*sides)
    found = None if pair is None else influence_given_moments(*sides, pair)
    return _outcome(_distance_of_pair(*sides, pair), pair, found, score)


def _outcome(
    value: float,
    pair: CholeskyPair | None,
    found: FidInfluence | FakeInfluence | None,
    score: str,
) -> Outcome:
    if found is None:
        why = "rank_deficient" if pair is None else "too_few_images_for_an_error"
        return Outcome(scores={score: Estimate(value)}, flags={why: 1})
    scores = {score: found.estimate(value)}
    return Outcome(scores=scores, per_image=found.per_image(f"{score}_influence"))


def _distance_of_pair(
    real: Gaussian | KnownGaussian, fake: Gaussian | KnownGaussian, pair: CholeskyPair | None
) -> float:
    if pair is not None:
        overlap = float(pair.singular.sum())
    else:
        overlap = nuclear_norm(real.factor @ fake.factor.T)
    return _distance(real.mean - fake.mean, real.trace + fake.trace, overlap)


def _distance(gap: Tensor, traces: float, overlap: float) -> float:
    distance = float(gap @ gap) + traces - 2 * overlap
    rounding = 4 * (len(gap) + 8) * torch.finfo(torch.float64).eps * traces
    return 0.0 if -rounding <= distance < 0 else distance


def _in_float64(moments: Moments) -> Moments:
    return replace(moments, mean=moments.mean.double(), covariance=moments.covariance.double())


def _check_widths(**rows: Tensor) -> None:
    widths = {side: len(row) for side, row in rows.items()}
    if len(set(widths.values())) > 1:
        raise ValueError(f"widths differ: {widths}; both must come from one backbone.")


@dataclass(frozen=True)
class Fid:
    """Protocol: all rows of both sides; flags a covariance without full rank.

    Attributes:
        ddof: covariance divisor N - ddof.
    """

    ddof: int = 1

    scores: ClassVar[dict[str, Better]] = {"fid": Better.LOWER}

    def __post_init__(self) -> None:
        divisor(self.ddof)

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """One distance over all rows, its error and bias, and what each image adds to it."""
        check_divisor(self.ddof, real=real, fake=fake)
        return measure(real=real, fake=fake, ddof=self.ddof, score="fid")

    def compute_given_moments(self, *, real_moments: Moments, fake: Tensor) -> Outcome:
        """The same against a mean and covariance; the error is that of the fakes alone."""
        check_divisor(self.ddof, fake=fake)
        return measure_given_moments(real=real_moments, fake=fake, ddof=self.ddof, score="fid")
