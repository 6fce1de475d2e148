"""The Gaussian that shares mean and covariance with features; each part is made once.

From features (`Gaussian`) it keeps every digit; from moments alone (`KnownGaussian`) it has the
digits that a covariance holds.
"""

from functools import cached_property

import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.moments import Moments, mean, moments_of_checked


class Gaussian:
    """Moments of features, and a factor of the covariance that keeps every digit.

    Args:
        rows: (N, D) checked features, N > ddof; not copied.
        ddof: the covariance is divided by N - ddof.
    """

    def __init__(self, rows: Tensor, ddof: int) -> None:
        self.rows = rows
        self.ddof = ddof

    @property
    def may_have_full_rank(self) -> bool:
        """Whether there are more rows than columns."""
        return len(self.rows) > self.rows.shape[1]

    @cached_property
    def moments(self) -> Moments:
        """Mean and covariance, float64."""
        return moments_of_checked(self.rows, ddof=self.ddof)

    @cached_property
    def mean(self) -> Tensor:
        """(D,) float64."""
        return self.moments.mean if self.may_have_full_rank else mean(self.rows)

    @cached_property
    def trace(self) -> float:
        """Sum of the variances."""
        if self.may_have_full_rank:
            return float(self.moments.covariance.trace())
        return float(self.factor.square().sum())

    @cached_property
    def factor(self) -> Tensor:
        """(min(N, D), D) A with A^T A = covariance, without forming the covariance."""
        return _triangle(self.rows, self.mean) / (len(self.rows) - self.ddof) ** 0.5


class KnownGaussian:
    """Moments that someone else took, of features that are not here.

    Args:
        moments: checked, float64.
    """

    may_have_full_rank = True  # only its covariance tells

    def __init__(self, moments: Moments) -> None:
        self.moments = moments

    @property
    def mean(self) -> Tensor:
        """(D,) float64."""
        return self.moments.mean

    @property
    def trace(self) -> float:
        """Sum of the variances."""
        return float(self.moments.covariance.trace())

    @cached_property
    def factor(self) -> Tensor:
        """(D, D) A with A^T A = covariance; eigenvalues below zero are rounding."""
        values, vectors = torch.linalg.eigh(self.moments.covariance)
        return (vectors * values.clamp(min=0).sqrt()).T


def _triangle(rows: Tensor, centre: Tensor) -> Tensor:
    """(min(N, D), D) A with A^T A = sum (x - centre)(x - centre)^T, block by block."""
    width = len(centre)
    factor = torch.zeros(0, width, dtype=torch.float64, device=rows.device)
    for block in blocks(len(rows), width=width, entries=4 * width * width):
        factor = torch.cat([factor, rows[block].double() - centre])
        if len(factor) > width:
            factor = torch.linalg.qr(factor, mode="r").R
    return factor
