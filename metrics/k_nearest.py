"""Running k nearest neighbours: bounds of pairs come in tile by tile, exact distances go out."""

import torch
from torch import Tensor

from metrics.distances import Rows, squared_distances
from metrics.screen import Pairs

PENDING = 2**21  # undecided pairs that may wait for a sharper limit


class KNearest:
    """The k nearest of `others` to each of `rows`.

    Pairs wait until all tiles have been seen, so that few must be summed directly; when too many
    wait, they are summed at once and the limits sharpen.

    Args:
        rows: N rows whose neighbours are wanted.
        others: M rows among which they are.
        k: how many.

    Attributes:
        squared_distances: (N, k) float64, ascending, infinity where none was found; exact after
            `settle`.
        indices: (N, k) int64, the smaller index first among equal distances; -1 where none.
        limit: (N,) float64; pairs beyond it cannot be among the k nearest. Negative: nothing can.
    """

    def __init__(self, rows: Rows, others: Rows, k: int) -> None:
        self.rows, self.others, self.k = rows, others, k
        shape, device = (len(rows), k), rows.values.device
        self.squared_distances = torch.full(shape, torch.inf, dtype=torch.float64, device=device)
        self.indices = torch.full(shape, -1, dtype=torch.int64, device=device)
        self.limit = torch.full((len(rows),), torch.inf, dtype=torch.float64, device=device)
        self.waiting: list[Pairs] = []

    def lower(self, chosen: slice, reach: Tensor) -> None:
        """Take note that the k-th distance of some rows is at most `reach`."""
        self.limit[chosen] = torch.minimum(self.limit[chosen], reach)

    def offer(self, pairs: Pairs) -> None:
        """Pairs (row, other) that may be among the nearest; those that cannot are dropped."""
        self.waiting.append(pairs[self._hopeful(pairs)])
        if sum(map(len, self.waiting)) > PENDING:
            self.settle()

    def settle(self) -> None:
        """Sum directly whatever may still be among the nearest, and sharpen the limits."""
        pairs = _joined(self.waiting)
        self.waiting = []
        if pairs is None:
            return
        self._lower_by(pairs)
        pairs = pairs[self._hopeful(pairs)]
        self._merge(pairs, squared_distances(self.rows, self.others, pairs.i, pairs.j))

    def _hopeful(self, pairs: Pairs) -> Tensor:
        """An equal distance found later has a larger index, so it changes nothing."""
        better = pairs.low < self.squared_distances[pairs.i, -1]
        return better & (pairs.low <= self.limit[pairs.i]) & pairs.low.isfinite()

    def _lower_by(self, pairs: Pairs) -> None:
        """No k-th distance exceeds the k-th smallest upper bound."""
        order = _order(pairs.i, pairs.high)
        rank = _ranks(pairs.i[order])
        kth = order[rank == self.k - 1]
        self.limit[pairs.i[kth]] = torch.minimum(self.limit[pairs.i[kth]], pairs.high[kth])

    def _merge(self, pairs: Pairs, exact: Tensor) -> None:
        touched = torch.unique(pairs.i)
        i = torch.cat([pairs.i, touched.repeat_interleave(self.k)])
        j = torch.cat([pairs.j, self.indices[touched].flatten()])
        distances = torch.cat([exact, self.squared_distances[touched].flatten()])
        order = _order(i, distances, j)
        rank = _ranks(i[order])
        kept = order[rank < self.k]
        self.squared_distances[i[kept], rank[rank < self.k]] = distances[kept]
        self.indices[i[kept], rank[rank < self.k]] = j[kept]
        self._close(touched)

    def _close(self, touched: Tensor) -> None:
        """The k-th exact distance is a limit; at 0 nothing can be nearer."""
        kth = self.squared_distances[touched, -1]
        sharper = torch.minimum(self.limit[touched], kth)
        self.limit[touched] = sharper.masked_fill(kth == 0, -1.0)


def _joined(parts: list[Pairs]) -> Pairs | None:
    if not any(map(len, parts)):
        return None
    fields = ("i", "j", "low", "high")
    return Pairs(*(torch.cat([getattr(part, field) for part in parts]) for field in fields))


def _order(i: Tensor, *keys: Tensor) -> Tensor:
    """Positions sorted by i, then by the first key, then by the next."""
    order = torch.arange(len(i), device=i.device)
    for key in (*reversed(keys), i):
        order = order[key[order].argsort(stable=True)]
    return order


def _ranks(groups: Tensor) -> Tensor:
    """Position within its group of each entry of a sorted tensor."""
    position = torch.arange(len(groups), device=groups.device)
    first = torch.ones_like(groups, dtype=torch.bool)
    first[1:] = groups[1:] != groups[:-1]
    return position - position.where(first, 0).cummax(dim=0).values
