"""What each image adds to a Frechet distance, and the error and bias that follow."""

from dataclasses import dataclass

import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.gaussian import Gaussian, KnownGaussian
from metrics.intervals import normal_interval, standard_error
from metrics.metric import Estimate
from metrics.moments import check_divisor
from metrics.overlap import CholeskyPair, cholesky_pair

ROWS_PER_FEATURE = 2  # no standard error up to this ratio; `fid_influence` says why


@dataclass(frozen=True)
class FidInfluence:
    """First-order influences on a Frechet distance, and its bias.

    Attributes:
        real: (N,) float64, mean 0: adding a share e of copies of image i to its side moves the
            distance by about e times its entry.
        fake: (M,) float64, likewise.
        bias: expected distance at these N and M minus the distance of the whole distributions,
            to first order in 1 / N and 1 / M.
    """

    real: Tensor
    fake: Tensor
    bias: float

    def estimate(self, value: float) -> Estimate:
        """The distance with a 95 % interval for its expectation at these N and M."""
        method = "of both sides' influences; keeps the bias of this N and M"
        return _estimate(value, standard_error(self.real, self.fake), self.bias, method)

    def per_image(self, column: str) -> dict[str, dict[str, Tensor]]:
        """Both sides under one column name, as `Outcome.per_image` wants them."""
        return {"real": {column: self.real}, "fake": {column: self.fake}}


@dataclass(frozen=True)
class FakeInfluence:
    """The fake side's part of `FidInfluence`, for a reference whose moments count as exact.

    Attributes:
        fake: (M,) float64, mean 0.
        bias: expected distance at this M minus that of the whole fake distribution, to first order
            in 1 / M.
    """

    fake: Tensor
    bias: float

    def estimate(self, value: float) -> Estimate:
        """The distance with a 95 % interval for its expectation at this M."""
        method = "of the fakes' influences, reference given; keeps the bias of this M"
        return _estimate(value, standard_error(self.fake), self.bias, method)

    def per_image(self, column: str) -> dict[str, dict[str, Tensor]]:
        """The fakes under a column name, as `Outcome.per_image` wants them."""
        return {"fake": {column: self.fake}}


def _estimate(value: float, error: float, bias: float, method: str) -> Estimate:
    low, high = normal_interval(value, error)
    return Estimate(
        value,
        standard_error=error,
        interval=(max(0.0, low), high),
        interval_method=f"value +- 1.96 standard errors {method}",
        bias=bias,
    )


def fid_influence(*, real: Tensor, fake: Tensor, ddof: int = 1) -> FidInfluence | None:
    """Influence of every image on `frechet_distance`, in its unit, and the distance's bias.

    With T the optimal map from the fake to the real Gaussian's covariance, T S_f T = S_r, a fake x
    has the influence 2 (mu_f - mu_r).(x - mu_f) + (x - mu_f)^T (I - T) (x - mu_f) minus the mean of
    it; a real image the same with the sides exchanged and T^-1. The bias is the second-order term
    of the distance in the moments' errors: with s_i the singular values whose sum is
    tr (S_r S_f)^(1/2) and w_ij = s_i s_j / (2 (s_i + s_j)), the fake side's is
    (tr S_f + kappa_f (sum_ij w_ij + 2 sum_i w_ii) - sum_i s_i / 4) / M, and likewise the real's.
    kappa_f = E|x - mu_f|^4 / (tr(S_f)^2 + 2 tr(S_f^2)), 1 for Gaussians, stands for the fourth
    moments: exact for elliptical distributions, an approximation for others.

    Simulated (tests/benchmarks/fid_coverage.py; D = 64, 160 draws a case; N, M from 130 to 5000):

    - The standard error is right for sides that clearly differ (N = M = 2000: 0.0238, spread of
      the distance 0.0227) and up to 1.5 times too large for equal ones, where the distance is of
      second order. The 95 % interval held the expected distance in 93 to 100 % of draws of Gaussian
      features. With very heavy tails (a random radius, kurtosis 23): 95 to 99 % at N = M,
      91 to 93 % at N = 5000, M = 130; where M is 1.25 D that falls to 83 %.
    - The bias is caught to 97 to 98 % at N = M = 30 D, 87 % at 3 D and 80 % at 2 D of Gaussian
      features; with the heavy tails to 104, 88 and 79 %.

    So there is no answer where a side has at most 2 D images.

    Args:
        real: (N, D) features of reference images.
        fake: (M, D) features of generated images, from the same backbone.
        ddof: as for `frechet_distance`.

    Returns:
        None where min(N, M) <= 2 D or a covariance has no full rank.

    Raises:
        ValueError: as `frechet_distance` does.
    """
    check_divisor(ddof, real=real, fake=fake)
    sides = Gaussian(real, ddof), Gaussian(fake, ddof)
    pair = full_rank_pair(*sides)
    return None if pair is None else influence_of_pair(*sides, pair)


def full_rank_pair(
    real: Gaussian | KnownGaussian, fake: Gaussian | KnownGaussian
) -> CholeskyPair | None:
    """Cholesky factors, or None where a covariance has no full rank."""
    if not (real.may_have_full_rank and fake.may_have_full_rank):
        return None
    return cholesky_pair(real=real.moments.covariance, fake=fake.moments.covariance)


def influence_of_pair(real: Gaussian, fake: Gaussian, pair: CholeskyPair) -> FidInfluence | None:
    """`fid_influence` where the factors are there already."""
    if min(len(real.rows), len(fake.rows)) <= ROWS_PER_FEATURE * real.rows.shape[1]:
        return None
    real_map, fake_map = pair.maps()
    gap = fake.mean - real.mean
    real_influence, real_bias = _side(real, _curvature(real_map, pair, len(gap)), -gap, pair)
    fake_influence, fake_bias = _side(fake, _curvature(fake_map, pair, len(gap)), gap, pair)
    return FidInfluence(real=real_influence, fake=fake_influence, bias=real_bias + fake_bias)


def influence_given_moments(
    real: KnownGaussian, fake: Gaussian, pair: CholeskyPair
) -> FakeInfluence | None:
    """`influence_of_pair` of the fakes alone."""
    if len(fake.rows) <= ROWS_PER_FEATURE * fake.rows.shape[1]:
        return None
    _, fake_map = pair.maps()
    gap = fake.mean - real.mean
    influence, bias = _side(fake, _curvature(fake_map, pair, len(gap)), gap, pair)
    return FakeInfluence(fake=influence, bias=bias)


def _curvature(optimal_map: Tensor, pair: CholeskyPair, width: int) -> Tensor:
    """(D, D) I - T, where a column that was left out moves nothing."""
    curvature = torch.eye(width, dtype=torch.float64, device=optimal_map.device)
    curvature[pair.columns[:, None], pair.columns] -= optimal_map
    return curvature


def _side(
    side: Gaussian, curvature: Tensor, gap: Tensor, pair: CholeskyPair
) -> tuple[Tensor, float]:
    """Influences and bias of one side; `gap` points from the other side's mean to its own."""
    influence = torch.empty(len(side.rows), dtype=torch.float64, device=gap.device)
    lengths = torch.empty_like(influence)
    # float32 is good to 1e-6 of the largest entry; a collapsed side makes that too large
    single = curvature.float() if curvature.abs().max() < 100 else curvature
    for block in blocks(len(side.rows), width=side.rows.shape[1], entries=2**20):
        centred = side.rows[block].double() - side.mean
        unit = (centred / side.trace**0.5).to(single.dtype)  # so that squares cannot overflow
        quadratic = (unit @ single).mul_(unit).sum(dim=1).double() * side.trace
        influence[block] = centred @ (2 * gap) + quadratic
        lengths[block] = centred.square().sum(dim=1)
    return influence - influence.mean(), _bias(side, lengths, pair.singular)


def _bias(side: Gaussian, lengths: Tensor, singular: Tensor) -> float:
    """Second-order term of one side; `lengths` are its squared distances to the mean."""
    overlap = float(singular.sum())
    weights = singular[:, None] * singular / (2 * (singular[:, None] + singular))
    weights.nan_to_num_()  # 0 / 0 where nothing varies
    normal = side.trace**2 + 2 * float(side.moments.covariance.square().sum())
    kurtosis = float(lengths.square().mean()) / normal
    spread = kurtosis * float(weights.sum() + 2 * weights.trace()) - overlap / 4
    divisor = (side.ddof - 1) * (side.trace - overlap)  # ddof 0: covariances are too small
    return (side.trace + spread + divisor) / len(side.rows)
