"""Unbiased squared MMD of many random subsets of two sides, by the shorter of two roads.

Subsets overlap: 100 of 1000 out of 5000 rows meet the same pair of rows several times. One road
makes the kernel of all pairs once and adds up what each subset takes of it, the other makes each
subset's own kernel. Both sum the same numbers; the choice moves rounding only.
"""

import torch
from torch import Tensor

from metrics.kernel_sums import TILE, square_tiles, sums_of_sides
from metrics.polynomial_kernel import PolynomialKernel, Side


def subset_mmds(
    kernel: PolynomialKernel, *, real: Side, fake: Side, real_rows: Tensor, fake_rows: Tensor
) -> Tensor:
    """Squared MMD of each subset.

    Args:
        kernel: whose sides these are.
        real: N rows.
        fake: M rows.
        real_rows: (S, n) int64 rows of each subset, n >= 2, none twice.
        fake_rows: (S, n) int64 likewise.

    Returns:
        (S,) float64.
    """
    all_pairs = (len(real) + len(fake)) ** 2
    own_pairs = 4 * real_rows.numel() * real_rows.shape[1]
    road = from_all_pairs if all_pairs <= own_pairs else one_by_one
    return road(kernel, real=real, fake=fake, real_rows=real_rows, fake_rows=fake_rows)


def one_by_one(
    kernel: PolynomialKernel, *, real: Side, fake: Side, real_rows: Tensor, fake_rows: Tensor
) -> Tensor:
    """`subset_mmds` from a kernel for each subset."""
    room = real.scaled.new_empty(min(TILE, real_rows.shape[1] ** 2))
    values = [
        sums_of_sides(kernel, real.take(i), fake.take(j), room).squared_mmd()
        for i, j in zip(real_rows, fake_rows, strict=True)
    ]
    return torch.tensor(values, dtype=torch.float64)


def from_all_pairs(
    kernel: PolynomialKernel, *, real: Side, fake: Side, real_rows: Tensor, fake_rows: Tensor
) -> Tensor:
    """`subset_mmds` from one kernel of all pairs."""
    size = real_rows.shape[1]
    room = real.scaled.new_empty(min(TILE, max(len(real), len(fake)) ** 2))
    reals, fakes = _marks(real, real_rows), _marks(fake, fake_rows)
    within = _within(kernel, real, reals, room) + _within(kernel, fake, fakes, room)
    between = _between(kernel, real, fake, reals, fakes, room)
    return (within / (size * (size - 1)) - 2 * between / size**2).cpu()


def _marks(side: Side, rows: Tensor) -> Tensor:
    """(rows of the side, S) 1 where a subset holds the row, in the kernel's dtype."""
    marks = side.scaled.new_zeros(len(side), len(rows))
    return marks.scatter_(0, rows.T.to(marks.device), 1)


def _within(kernel: PolynomialKernel, side: Side, marks: Tensor, room: Tensor) -> Tensor:
    """(S,) float64 sums over each subset's pairs of one side, without a row and itself."""
    total = torch.zeros(marks.shape[1], dtype=torch.float64, device=room.device)
    for i, j in square_tiles(len(side), len(side), len(room)):
        if i.start > j.start:
            continue
        for rows, values in kernel.strips(side[i], side[j], room):
            if i == j:
                values.diagonal(offset=rows.start).zero_()
            sums = _taken(values, marks[i][rows], marks[j])
            total += sums if i == j else 2 * sums
    return total


def _between(
    kernel: PolynomialKernel, x: Side, y: Side, of_x: Tensor, of_y: Tensor, room: Tensor
) -> Tensor:
    """(S,) float64 sums over each subset's pairs of one side with the other."""
    total = torch.zeros(of_x.shape[1], dtype=torch.float64, device=room.device)
    for i, j in square_tiles(len(x), len(y), len(room)):
        for rows, values in kernel.strips(x[i], y[j], room):
            total += _taken(values, of_x[i][rows], of_y[j])
    return total


def _taken(values: Tensor, of_rows: Tensor, of_columns: Tensor) -> Tensor:
    """(S,) float64 sums of the (n, m) values whose row and column a subset holds."""
    return ((values @ of_columns).double() * of_rows).sum(dim=0)
