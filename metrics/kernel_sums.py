"""Unbiased squared MMD and its sampling variance, from row sums of three kernel matrices."""

from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor

from metrics.blocks import ENTRIES, blocks
from metrics.polynomial_kernel import PolynomialKernel, Side


@dataclass(frozen=True)
class KernelSums:
    """Row sums and sums of squares of the three kernel matrices, without self-pairs.

    Attributes:
        real_real: (N,) sums over the other reals.
        fake_fake: (M,) sums over the other fakes.
        real_fake: (N,) sums over the fakes.
        fake_real: (M,) sums over the reals.
        real_real_squares: sum of k(x_i, x_j)^2, i != j.
        fake_fake_squares: sum of k(y_i, y_j)^2, i != j.
        real_fake_squares: sum of k(x_i, y_j)^2.
    """

    real_real: Tensor
    fake_fake: Tensor
    real_fake: Tensor
    fake_real: Tensor
    real_real_squares: float
    fake_fake_squares: float
    real_fake_squares: float

    def squared_mmd(self) -> float:
        """Mean within reals + mean within fakes - 2 mean between."""
        n, m = len(self.real_real), len(self.fake_fake)
        within = self.real_real.sum() / (n * (n - 1)) + self.fake_fake.sum() / (m * (m - 1))
        return float(within - 2 * self.real_fake.sum() / (n * m))

    def variance(self) -> float:
        """Sampling variance of `squared_mmd`, nearly unbiased, for N, M >= 4.

        Hoeffding's decomposition of the two-sample U-statistic: 4/N var(a) + 4/M var(b) +
        2 G_xx / (N (N - 1)) + 2 G_yy / (M (M - 1)) + 4 G_xy / (N M), where a(x) is the mean of
        k(x, .) over reals less that over fakes, b likewise, and G = E g^2 of the doubly centred
        kernels g. The first two terms vanish when both sides have one distribution; the last
        three rule there. Observed row means carry noise of about G/N, which is subtracted.
        """
        n, m = len(self.real_real), len(self.fake_fake)
        xx = _centred_square(self.real_real, self.real_real_squares)
        yy = _centred_square(self.fake_fake, self.fake_fake_squares)
        xy = self._cross_centred_square()
        a = self.real_real / (n - 1) - self.real_fake / m
        b = self.fake_fake / (m - 1) - self.fake_real / n
        first = 4 / n * (float(a.var()) - xx * (n - 2) / (n - 1) ** 2 - xy / m)
        first += 4 / m * (float(b.var()) - yy * (m - 2) / (m - 1) ** 2 - xy / n)
        second = 2 * xx / (n * (n - 1)) + 2 * yy / (m * (m - 1)) + 4 * xy / (n * m)
        return max(first, 0.0) + second

    def _cross_centred_square(self) -> float:
        """Unbiased E g_xy^2: the interaction variance of a two-way table."""
        n, m = len(self.real_fake), len(self.fake_real)
        total = self.real_fake.sum() ** 2 / (n * m)
        rows, columns = self.real_fake.square().sum() / m, self.fake_real.square().sum() / n
        squares = self.real_fake_squares - float(rows + columns - total)
        return max(squares, 0.0) / ((n - 1) * (m - 1))


def _centred_square(sums: Tensor, squares: float) -> float:
    """Unbiased E g^2 within one side, by U-centring (G. Szekely, M. Rizzo, 2014)."""
    n = len(sums)
    total = sums.sum() ** 2 / ((n - 1) * (n - 2))
    centred = squares - float(2 * sums.square().sum() / (n - 2) - total)
    return max(centred, 0.0) / (n * (n - 3))


def kernel_sums(
    kernel: PolynomialKernel, *, real: Tensor, fake: Tensor, entries: int = ENTRIES
) -> KernelSums:
    """Sum the three kernel matrices in blocks of rows.

    Args:
        kernel: kernel of two sides.
        real: (N, D) features.
        fake: (M, D) features.
        entries: kernel values held at a time.

    Raises:
        ValueError: if the kernel overflows.
    """
    x, y = kernel.side(real), kernel.side(fake)
    real_real, real_squares = _within(kernel, x, entries)
    fake_fake, fake_squares = _within(kernel, y, entries)
    real_fake, fake_real, squares = _between(kernel, x, y, entries)
    _check_range(real_squares, fake_squares, squares)
    return KernelSums(
        real_real, fake_fake, real_fake, fake_real, real_squares, fake_squares, squares
    )


def _within(kernel: PolynomialKernel, side: Side, entries: int) -> tuple[Tensor, float]:
    """(N,) row sums and the sum of squares without the diagonal; each pair is computed once."""
    sums = torch.zeros_like(side.along)
    squares = 0.0
    for block in blocks(len(side), width=len(side), entries=entries):
        values = kernel(side[block], side[block.start :]).fill_diagonal_(0)
        mirrored = values[:, block.stop - block.start :]
        sums[block] += values.sum(dim=1)
        sums[block.stop :] += mirrored.sum(dim=0)
        squares += float(values.square().sum() + mirrored.square().sum())
    return sums, squares


def _between(
    kernel: PolynomialKernel, real: Side, fake: Side, entries: int
) -> tuple[Tensor, Tensor, float]:
    """(N,) and (M,) sums over the other side, and the sum of squares."""
    real_sums, fake_sums = torch.zeros_like(real.along), torch.zeros_like(fake.along)
    squares = 0.0
    for block in blocks(len(real), width=len(fake), entries=entries):
        values = kernel(real[block], fake)
        real_sums[block] = values.sum(dim=1)
        fake_sums += values.sum(dim=0)
        squares += float(values.square().sum())
    return real_sums, fake_sums, squares


def _check_range(*squares: float) -> None:
    if not all(map(isfinite, squares)):
        raise ValueError(
            "squared kernel values exceed float64: the features are too large for this degree. "
            "Divide both sides by one constant, or lower gamma."
        )
