"""Encloses the squared distances of a tile of pairs by one low-precision matrix product.

The rows come rounded (`metrics.rounded`). With e how far rounding moved a row, |x - y| lies within
e_x + e_y of the distance of the rounded rows, by the triangle inequality. The product carries the
squared norms as extra columns and gives |x|^2 + |y|^2 - 2 x.y at once; a sum of K products errs by
at most (K + 2) u of its absolute terms in any order (N. Higham, "Accuracy and Stability of
Numerical Algorithms", 2002, section 3.1), where u is float32's unit for the two short types.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from metrics.rounded import Rounded, Side, rounded

SIDE = 2048  # rows and columns of a tile: 4 million pairs
UNDERFLOW = 1e-30  # of scaled squares: short types flush what is much smaller to 0
CROWDED = 1 / 8  # share of undecided pairs from which a float64 product beats direct sums
PIECES = {torch.bfloat16: 3, torch.float32: 1, torch.float64: 1}  # columns that hold one norm
SUM_UNIT = {torch.bfloat16: 2.0**-24, torch.float32: 2.0**-24, torch.float64: 2.0**-53}
RESULT_UNIT = {torch.bfloat16: 2.0**-8, torch.float32: 2.0**-24, torch.float64: 2.0**-53}


def screening_dtype(rows: int, columns: int, device: torch.device) -> torch.dtype:
    """The fastest type whose products sum in float32; it cannot change a score.

    float64 for small work, where it costs nothing and leaves the fewest pairs undecided.
    """
    if min(rows, columns) < SIDE:
        return torch.float64
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32 if device.type in ("cpu", "cuda") else torch.float64


def _cpu_multiplies_bfloat16() -> bool:
    asks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, ask, bool)() for ask in asks)


class Tile:
    """The pairs of some rows of `a` and some of `b`.

    Args:
        a, b: sides in one frame; the same object for the distances within a set.
        i, j: which rows of each.
        dtype: of the product; None takes the sides' own.
    """

    def __init__(
        self, a: Side, b: Side, i: slice, j: slice, dtype: torch.dtype | None = None
    ) -> None:
        self.a, self.b, self.i, self.j = a, b, i, j
        self.scale = a.frame.scale
        self.left, self.right = self._part(a, i, dtype), self._part(b, j, dtype)
        kind = self.left.values.dtype
        self.result_unit = RESULT_UNIT[kind]
        terms = self.left.values.shape[1] + 2 * PIECES[kind]
        self.sum_error = 2.02 * (terms + 3) * SUM_UNIT[kind]  # of |x|^2 + |y|^2
        self.squares = _product(self.left, self.right)  # (m, n), scaled
        if a is b and i == j:
            self.squares.fill_diagonal_(torch.inf)  # a row is not its own neighbour, a copy is

    def _part(self, side: Side, chosen: slice, dtype: torch.dtype | None) -> Rounded:
        if dtype is None:
            return side.rounded[chosen]
        return rounded(side.rows.values[chosen], side.frame, dtype)

    def near(self, *limits: Tensor) -> "Pairs":
        """Pairs whose squared distance may be at most one of the limits (see `within`)."""
        mask = self._within_any(limits)
        if self.left.values.dtype is torch.float64 or mask.sum() <= CROWDED * mask.numel():
            return self.pairs(mask)
        finer = Tile(self.a, self.b, self.i, self.j, torch.float64)
        return finer.pairs(finer._within_any(limits))

    def _within_any(self, limits: tuple[Tensor, ...]) -> Tensor:
        masks = [self.within(limit) for limit in limits]
        return reduce(torch.logical_or, masks)

    def within(self, limit: Tensor) -> Tensor:
        """(m, n) bool: true wherever the squared distance may be at most the limit.

        Args:
            limit: float64, (m, 1), (1, n) or (m, n); nothing lies within a negative one.
        """
        e_i, e_j = self._worst(self.left.error, self.right.error, limit)
        n_i, n_j = self._worst(self.left.squared_norms, self.right.squared_norms, limit)
        reach = (limit.clamp(min=0).sqrt() * self.scale + (e_i + e_j)).square()
        reach = (reach + self.sum_error * (n_i + n_j)) / (1 - self.result_unit)
        reach = (reach * (1 + 2.0**-20) + UNDERFLOW).masked_fill(limit < 0, -torch.inf)
        return self.squares <= reach.to(self.squares.dtype)

    def within_product(self, row: Tensor, column: Tensor) -> Tensor:
        """`within` for the limit (row_i column_j)^2, with (m,) and (n,) non-negative factors."""
        limit = torch.outer(row * self.scale, column).to(self.squares.dtype).mul_(1 + 2.0**-20)
        slack = float(self.left.error.max() + self.right.error.max())
        norms = float(self.left.squared_norms.max() + self.right.squared_norms.max())
        limit.add_(slack * (1 + 2.0**-20)).square_().add_(self.sum_error * norms + UNDERFLOW)
        return self.squares * (1 - self.result_unit - 2.0**-20) <= limit

    def _worst(self, rows: Tensor, columns: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
        """The larger value for all where single ones would make another (m, n) matrix."""
        own_rows, own_columns = limit.shape[1] == 1, limit.shape[0] == 1
        return (
            rows[:, None] if own_rows else rows.max(),
            columns[None, :] if own_columns and not own_rows else columns.max(),
        )

    def reach(self, k: int, dim: int) -> Tensor:
        """Upper bound of the k-th smallest squared distance along a dimension, inf if k is more."""
        if self.squares.shape[dim] < k:
            return self.left.error.new_full((self.squares.shape[1 - dim],), torch.inf)
        along = self.squares if dim == 1 else self.squares.T.contiguous()  # a strided topk is slow
        kth = along.topk(k, dim=1, largest=False).values[:, k - 1].double()
        own, other = (self.left, self.right) if dim == 1 else (self.right, self.left)
        norms = own.squared_norms + other.squared_norms.max()
        return self._high(kth, norms, own.error + other.error.max())

    def pairs(self, mask: Tensor) -> "Pairs":
        """The chosen pairs, enclosed one by one."""
        row, column = mask.nonzero(as_tuple=True)
        return self.enclosed(row, column)

    def enclosed(self, row: Tensor, column: Tensor) -> "Pairs":
        """Bounds for pairs by their row and column in the tile."""
        squares = self.squares[row, column].double()
        norms = self.left.squared_norms[row] + self.right.squared_norms[column]
        error = self.left.error[row] + self.right.error[column]
        low = self._low(squares, norms, error)
        high = self._high(squares, norms, error)
        return Pairs(row + self.i.start, column + self.j.start, low, high)

    def _low(self, squares: Tensor, norms: Tensor, error: Tensor) -> Tensor:
        least = (squares - self.sum_error * norms - UNDERFLOW) / (1 + self.result_unit)
        nearest = (least.clamp(min=0).sqrt() * (1 - 1e-15) - error).clamp(min=0)
        return (nearest / self.scale).square() * (1 - self._direct_error)

    def _high(self, squares: Tensor, norms: Tensor, error: Tensor) -> Tensor:
        most = (squares + self.sum_error * norms) / (1 - self.result_unit) + UNDERFLOW
        farthest = most.clamp(min=0).sqrt() * (1 + 1e-15) + error
        return (farthest / self.scale).square() * (1 + self._direct_error)

    @property
    def _direct_error(self) -> float:
        """Relative error of a direct sum, which the bounds must hold too."""
        return (self.left.values.shape[1] + 8) * 2.0**-52


@dataclass(frozen=True)
class Pairs:
    """Some pairs, with bounds of their squared distances.

    Attributes:
        i, j: (P,) rows of either side.
        low, high: (P,) float64, low <= directly summed squared distance <= high.
    """

    i: Tensor
    j: Tensor
    low: Tensor
    high: Tensor

    def __len__(self) -> int:
        return len(self.i)

    def __getitem__(self, chosen: Tensor) -> "Pairs":
        return Pairs(self.i[chosen], self.j[chosen], self.low[chosen], self.high[chosen])

    def swapped(self) -> "Pairs":
        """The same pairs seen from the other side."""
        return Pairs(self.j, self.i, self.low, self.high)


def _product(left: Rounded, right: Rounded) -> Tensor:
    """|x - y|^2 of the rounded rows, (m, n) in float32, or float64 for float64 rows."""
    x = torch.cat([-2 * left.values, *_norm_columns(left, first=True)], dim=1)
    y = torch.cat([right.values, *_norm_columns(right, first=False)], dim=1)
    product = x @ y.T
    return product.float() if product.dtype is torch.bfloat16 else product


def _norm_columns(rows: Rounded, *, first: bool) -> Iterator[Tensor]:
    """Columns that add a row's own squared norm, and those that fetch the other's."""
    norms = _pieces(rows.squared_norms, rows.values.dtype)
    ones = torch.ones_like(norms)
    yield from (norms, ones) if first else (ones, norms)


def _pieces(norms: Tensor, dtype: torch.dtype) -> Tensor:
    """(n, pieces) in a short type that sum to the norms within 2^-24 of them."""
    pieces, rest = [], norms
    for _ in range(PIECES[dtype]):
        pieces.append(rest.to(dtype))
        rest = rest - pieces[-1].double()
    return torch.stack(pieces, dim=1)


def tiles(a: Side, b: Side) -> Iterator[Tile]:
    """Tiles that cover all pairs; within a set, its diagonal first and then one triangle."""
    if a is not b:
        yield from (Tile(a, b, i, j) for i in _cuts(a) for j in _cuts(b))
        return
    yield from (Tile(a, a, i, i) for i in _cuts(a))
    yield from (Tile(a, a, i, j) for i in _cuts(a) for j in _cuts(a) if i.start < j.start)


def _cuts(side: Side) -> Iterator[slice]:
    return (slice(start, min(start + SIDE, len(side))) for start in range(0, len(side), SIDE))
