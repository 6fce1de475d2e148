"""Squared Euclidean distances twice: fast with a proven bound, and exact for chosen pairs.

A matrix product gives all distances of a block at once, with rounding that grows with the norms.
Summing (a - b)^2 directly gives a distance whose rounding is relative to itself, is the same for
(a, b) and (b, a), and is 0 exactly for copies, at many times the cost. So the fast form screens:
it encloses the direct value in [low, high], and only pairs that the interval leaves undecided are
summed directly. Every decision is then the one that direct sums alone would have made.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from metrics.blocks import blocks

MANY = 2**16  # undecided pairs of one block from which looking for copies pays


@dataclass(frozen=True)
class Points:
    """Features made ready for distances.

    Attributes:
        rows: (N, D) features as given.
        centred: (N, D) float64, rows minus a centre that both sides of a block share.
        squared_norms: (N,) float64, of the centred rows.
    """

    rows: Tensor
    centred: Tensor
    squared_norms: Tensor

    @cached_property
    def twins(self) -> Tensor:
        """(N,) index of a row equal to this one, the same index for all copies."""
        _, group = torch.unique(self.rows, dim=0, return_inverse=True)
        return _representatives(group)[group]


def place(rows: Tensor, *, centre: Tensor) -> Points:
    """Centre the rows.

    Raises:
        ValueError: if squared norms leave the range of float64.
    """
    centred = rows.double() - centre
    squared_norms = centred.square().sum(dim=1)
    if not torch.isfinite(squared_norms).all():
        raise ValueError(
            f"features reach {float(rows.abs().max()):.3g}: their squared distances exceed "
            "float64. Divide both sides by one constant."
        )
    return Points(rows, centred, squared_norms)


def squared_distance_bounds(a: Points, b: Points, block: slice) -> tuple[Tensor, Tensor]:
    """Enclose the direct squared distances of some rows of `a` to all rows of `b`.

    |x|^2 + |y|^2 - 2 x.y differs from the directly summed value by at most
    (2 D + 16) eps (|x|^2 + |y|^2): each of the three D-term sums errs by at most D eps/2 of its
    absolute terms, in any order of summation, the direct sum by (D + 2) eps/2 of its value, which
    is at most twice the norms, and centring and the last additions by a few eps.

    Args:
        a: N points.
        b: M points, centred alike.
        block: the m rows of `a` wanted.

    Returns:
        low, high: (m, M) float64 with low <= squared_distances <= high.
    """
    slack = (2 * a.rows.shape[1] + 16) * torch.finfo(torch.float64).eps
    norms = a.squared_norms[block, None]
    low = (-2 * a.centred[block]) @ b.centred.T  # (m, M)
    low.add_((1 - slack) * norms).add_((1 - slack) * b.squared_norms)
    high = (low + 2 * slack * norms).add_(2 * slack * b.squared_norms)
    return low, high


def squared_distances(a: Points, b: Points, i: Tensor, j: Tensor) -> Tensor:
    """Directly summed squared distances of chosen pairs.

    Args:
        a: N points.
        b: M points.
        i: (P,) row indices into `a`.
        j: (P,) row indices into `b`.

    Returns:
        (P,) float64; bit-equal for (x, y) and (y, x), whatever else is asked at the same time.
    """
    if len(i) < MANY:
        return _sum_pairs(a.rows, b.rows, i, j)
    pairs = a.twins[i] * len(b.rows) + b.twins[j]
    distinct, group = torch.unique(pairs, return_inverse=True)
    return _sum_pairs(a.rows, b.rows, distinct // len(b.rows), distinct % len(b.rows))[group]


def _sum_pairs(a: Tensor, b: Tensor, i: Tensor, j: Tensor) -> Tensor:
    sums = torch.empty(len(i), dtype=torch.float64, device=a.device)
    for block in blocks(len(i), width=a.shape[1], entries=2**18):
        gaps = a[i[block]].double() - b[j[block]].double()
        if len(gaps) == 1:  # torch shares one long sum among threads, in another order
            gaps = gaps.expand(2, -1)
        sums[block] = gaps.square().sum(dim=1)[: len(i[block])]
    return sums


def _representatives(group: Tensor) -> Tensor:
    """(groups,) index of one member of each group."""
    members = torch.arange(len(group), device=group.device)
    return members.new_empty(int(group.max()) + 1).scatter_(0, group, members)
