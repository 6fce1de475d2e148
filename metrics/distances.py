"""Squared Euclidean distances of chosen pairs, summed directly: the values that decide scores.

A matrix product gives all distances of a block at once, with rounding that grows with the norms.
Summing (a - b)^2 directly gives a distance whose rounding is relative to itself, is the same for
(a, b) and (b, a), and is 0 exactly for copies, at many times the cost. So products only screen
(`metrics.screen`), and the pairs that they leave undecided are summed here. Every decision is then
the one that direct sums alone would have made.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from metrics.blocks import blocks

MANY = 2**18  # pairs from which looking for copies pays


@dataclass(frozen=True)
class Rows:
    """Features between which distances are summed.

    Attributes:
        values: (N, D) features as given.
    """

    values: Tensor

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def twins(self) -> Tensor:
        """(N,) index of a row equal to this one, the same index for all copies."""
        _, group = torch.unique(self.values, dim=0, return_inverse=True)
        return _representatives(group)[group]


def squared_distances(a: Rows, b: Rows, i: Tensor, j: Tensor) -> Tensor:
    """Directly summed squared distances of chosen pairs.

    Args:
        a: N rows.
        b: M rows.
        i: (P,) row indices into `a`.
        j: (P,) row indices into `b`.

    Returns:
        (P,) float64; bit-equal for (x, y) and (y, x), whatever else is asked at the same time.
    """
    if len(i) < MANY:
        return _sum_pairs(a.values, b.values, i, j)
    pairs = a.twins[i] * len(b) + b.twins[j]
    distinct, group = torch.unique(pairs, return_inverse=True)
    return _sum_pairs(a.values, b.values, distinct // len(b), distinct % len(b))[group]


def _sum_pairs(a: Tensor, b: Tensor, i: Tensor, j: Tensor) -> Tensor:
    sums = torch.empty(len(i), dtype=torch.float64, device=a.device)
    gaps = _Gaps(a, b, rows=min(len(i), max(2, 2**18 // a.shape[1])))
    for block in blocks(len(i), width=1, entries=gaps.rows):
        sums[block] = gaps.squared_lengths(i[block], j[block])
    return sums


class _Gaps:
    """Room for the differences of some pairs, made once: fresh pages cost more than the sums."""

    def __init__(self, a: Tensor, b: Tensor, rows: int) -> None:
        self.a, self.b, self.rows = a, b, max(2, rows)
        shape = (self.rows, a.shape[1])
        self.first, self.second = a.new_empty(shape), b.new_empty(shape)
        self.wide = torch.empty(shape, dtype=torch.float64, device=a.device)

    def squared_lengths(self, i: Tensor, j: Tensor) -> Tensor:
        """(n,) float64 sums over each pair's squared differences."""
        count = len(i)
        torch.index_select(self.a, 0, i, out=self.first[:count])
        torch.index_select(self.b, 0, j, out=self.second[:count])
        wide = self.wide[: max(2, count)]  # torch shares one long sum among threads, in other order
        wide[:count] = self.first[:count]
        wide[:count].sub_(self.second[:count])
        return wide[:count].square_().sum(dim=1) if count > 1 else wide.square().sum(dim=1)[:1]


def _representatives(group: Tensor) -> Tensor:
    """(groups,) index of one member of each group."""
    members = torch.arange(len(group), device=group.device)
    return members.new_empty(int(group.max()) + 1).scatter_(0, group, members)
