"""Unbiased squared MMD and its sampling variance, from row sums of three kernel matrices."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, isqrt
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor

from metrics.blocks import blocks

TILE = 5000**2  # kernel values of one square block; large products run fastest


class Side(Protocol):
    """Features made ready for a kernel."""

    def __len__(self) -> int:
        """Rows."""

    def __getitem__(self, block: slice) -> Self:
        """Some of the rows."""


S = TypeVar("S", bound=Side)


class Kernel(Protocol[S]):
    """A symmetric kernel, up to terms f(x) + f(y), which leave every MMD as it is."""

    @property
    def dtype(self) -> torch.dtype:
        """Of its values."""

    def side(self, rows: Tensor) -> S:
        """Make (N, D) features ready once for many blocks."""

    def strips(self, x: S, y: S, room: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """The (n, m) kernel values of some rows of x after others, so that they stay in a cache.

        Args:
            x: n rows.
            y: m rows.
            room: (n m or more,) of the kernel's dtype, where the values are made. One room for all
                blocks: a fresh 100 MB each costs time.

        Yields:
            Which rows of x, and their values against all of y; the caller may overwrite them.
        """


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

    def influences(self) -> tuple[Tensor, Tensor]:
        """First-order influence of each real and each fake on `squared_mmd`, both of mean 0.

        What leaving the image out takes away, times N - 1 (times M - 1 for fakes), less its mean:
        2 (a(x) - mean a), with a(x) the sum of the kernel of x with the other reals / (N - 2) less
        its mean with the fakes. N - 2, not N - 1, makes it exact and the same for every kernel
        that differs by f(x) + f(y) only. N, M >= 3.
        """
        n, m = len(self.real_real), len(self.fake_fake)
        a = self.real_real / (n - 2) - self.real_fake / m
        b = self.fake_fake / (m - 2) - self.fake_real / n
        return 2 * (a - a.mean()), 2 * (b - b.mean())

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
    kernel: Kernel[S], *, real: Tensor, fake: Tensor, entries: int = TILE
) -> KernelSums:
    """Sum the three kernel matrices in square blocks.

    Args:
        kernel: kernel of two sides.
        real: (N, D) features.
        fake: (M, D) features.
        entries: kernel values held at a time.

    Returns:
        Sums in float64, of kernel values in the kernel's own precision.

    Raises:
        ValueError: if the kernel overflows.
    """
    x, y = kernel.side(real), kernel.side(fake)
    room = real.new_empty(_largest_tile(len(x), len(y), entries), dtype=kernel.dtype)
    return sums_of_sides(kernel, x, y, room)


def sums_of_sides(kernel: Kernel[S], x: S, y: S, room: Tensor) -> KernelSums:
    """`kernel_sums` of rows made ready, with blocks that fill `room`."""
    real_real, real_squares = _within(kernel, x, room)
    fake_fake, fake_squares = _within(kernel, y, room)
    real_fake, fake_real, squares = _between(kernel, x, y, room)
    _check_range(real_squares, fake_squares, squares)
    return KernelSums(
        real_real, fake_fake, real_fake, fake_real, real_squares, fake_squares, squares
    )


def _largest_tile(rows: int, columns: int, entries: int) -> int:
    largest = max(rows, columns) ** 2
    return min(largest, max(1, isqrt(entries)) ** 2)


def _within(kernel: Kernel[S], side: S, room: Tensor) -> tuple[Tensor, float]:
    """(N,) row sums and the sum of squares without the diagonal; each pair is computed once."""
    sums = torch.zeros(len(side), dtype=torch.float64, device=room.device)
    squares = 0.0
    for i, j in square_tiles(len(side), len(side), len(room)):
        if i.start > j.start:
            continue
        for rows, values in kernel.strips(side[i], side[j], room):
            if i == j:
                values.diagonal(offset=rows.start).zero_()
            else:
                sums[j] += values.sum(dim=0)
            sums[i][rows] += values.sum(dim=1)
            squares += _squares(values) * (1 if i == j else 2)
    return sums, squares


def _between(kernel: Kernel[S], real: S, fake: S, room: Tensor) -> tuple[Tensor, Tensor, float]:
    """(N,) and (M,) sums over the other side, and the sum of squares."""
    real_sums = torch.zeros(len(real), dtype=torch.float64, device=room.device)
    fake_sums = torch.zeros(len(fake), dtype=torch.float64, device=room.device)
    squares = 0.0
    for i, j in square_tiles(len(real), len(fake), len(room)):
        for rows, values in kernel.strips(real[i], fake[j], room):
            real_sums[i][rows] += values.sum(dim=1)
            fake_sums[j] += values.sum(dim=0)
            squares += _squares(values)
    return real_sums, fake_sums, squares


def square_tiles(rows: int, columns: int, entries: int) -> Iterator[tuple[slice, slice]]:
    """Square blocks that cover a matrix."""
    edge = max(1, isqrt(entries))
    for i in blocks(rows, width=edge, entries=edge * edge):
        for j in blocks(columns, width=edge, entries=edge * edge):
            yield i, j


def _squares(values: Tensor) -> float:
    """Sum of squares; short float32 sums, one per row, are added in float64."""
    return float(torch.linalg.vector_norm(values, dim=1).double().square().sum())


def _check_range(*squares: float) -> None:
    if not all(map(isfinite, squares)):
        raise ValueError(
            "squared kernel values exceed float64: the features are too large for this degree. "
            "Divide both sides by one constant, or lower gamma."
        )
