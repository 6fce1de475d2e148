"""Kernel distance (KID): unbiased squared MMD with a polynomial kernel, over whole sets."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metrics.blocks import ENTRIES
from metrics.kernel_sums import KernelSums, kernel_sums
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.moments import mean
from metrics.polynomial_kernel import PolynomialKernel


def squared_mmd(
    *,
    real: Tensor,
    fake: Tensor,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    entries: int = ENTRIES,
) -> float:
    """Unbiased squared maximum mean discrepancy of all rows.

    mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{i,j} k(x_i, y_j) with
    k(x, y) = (gamma x.y + coef0)^degree. Zero in the mean when both sides have one distribution,
    so small negative values are right. Lower is better.

    Args:
        real: (N, D) features of reference images, N >= 2.
        fake: (M, D) features of generated images, M >= 2, from the same backbone.
        degree: exponent, >= 1.
        gamma: factor of the inner product; None means 1 / D.
        coef0: added to it.
        entries: kernel values held at a time.

    Returns:
        The estimate, computed in float64.

    Raises:
        ValueError: if a side has too few rows or holds NaN or infinity, the widths differ, degree
            is below 1, or the kernel overflows.

    Source: M. Binkowski et al., "Demystifying MMD GANs", 2018, section 4; A. Gretton et al., "A
    Kernel Two-Sample Test", 2012, lemma 6.
    Differs: the paper averages over random subsets of 1000, which adds noise and drops images; one
    subset of size N = M is this number.
    """
    check_features(minimum=2, real=real, fake=fake)
    return _sums(real, fake, degree, gamma, coef0, entries).squared_mmd()


def squared_mmd_with_error(
    *,
    real: Tensor,
    fake: Tensor,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    entries: int = ENTRIES,
) -> tuple[float, float]:
    """`squared_mmd` and one standard error of it, for N, M >= 4.

    `KernelSums.variance` says what the error holds. Simulated with Gaussian and rectified Gaussian
    features (N, M 100 to 400, D 16 and 64, 1000 draws), value +- 1.96 errors covered the truth in
    99 to 100 % of draws where both sides had one distribution: a negative first-order estimate
    counts as 0, so the error is 15 to 35 % too wide there. Under small shifts 91 to 94 % were
    covered, under large ones 94 %, and the mean squared error was within 8 % of the variance.
    """
    check_features(minimum=4, real=real, fake=fake)
    sums = _sums(real, fake, degree, gamma, coef0, entries)
    return sums.squared_mmd(), sums.variance() ** 0.5


def _sums(
    real: Tensor, fake: Tensor, degree: int, gamma: float | None, coef0: float, entries: int
) -> KernelSums:
    if degree < 1:
        raise ValueError(f"degree is {degree}, expected 1 or more; the paper's is 3.")
    gamma = 1 / real.shape[1] if gamma is None else gamma
    kernel = PolynomialKernel((mean(real) + mean(fake)) / 2, degree, gamma, coef0)
    return kernel_sums(kernel, real=real, fake=fake, entries=entries)


@dataclass(frozen=True)
class Kid:
    """Protocol: all rows of both sides, no subsets.

    Attributes:
        degree: exponent of the kernel.
        gamma: factor of the inner product; None means 1 / D.
        coef0: added to it.
    """

    degree: int = 3
    gamma: float | None = None
    coef0: float = 1.0

    scores: ClassVar[dict[str, Better]] = {"kid": Better.LOWER}

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """The estimate with its sampling error over both sides."""
        value, error = squared_mmd_with_error(
            real=real, fake=fake, degree=self.degree, gamma=self.gamma, coef0=self.coef0
        )
        estimate = Estimate(
            value,
            standard_error=error,
            interval=(value - 1.96 * error, value + 1.96 * error),
            interval_method="value +- 1.96 standard errors, U-statistic of first and second order",
        )
        return Outcome(scores={"kid": estimate})
