"""Features made ready for one low-precision product: centred, scaled and rounded, errors measured.

Rows are centred, scaled by a power of two into the unit ball and rounded to bfloat16, float32 or
float64. How far rounding moved a row is measured, not estimated.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.distances import Rows
from metrics.moments import mean


@dataclass(frozen=True)
class Frame:
    """Where the features lie, shared by both sides of a tile.

    Attributes:
        centre: (D,) float64; any point would do, a near one keeps rounding small.
        scale: a power of two that brings every centred row into the unit ball.
    """

    centre: Tensor
    scale: float


def frame(*sides: Tensor) -> Frame:
    """A frame for features of one width.

    Raises:
        ValueError: if squared distances leave the range of float64.
    """
    centre = torch.stack([mean(side) for side in sides]).mean(dim=0)
    reach = max(_longest(side, centre) for side in sides)
    if not reach < 1e150:
        raise ValueError(
            f"features reach {max(float(side.abs().max()) for side in sides):.3g}: their squared "
            "distances exceed float64. Divide both sides by one constant."
        )
    exponent = torch.frexp(torch.tensor(max(reach, 1e-100), dtype=torch.float64)).exponent
    return Frame(centre, 2.0 ** -int(exponent))


def _longest(side: Tensor, centre: Tensor) -> float:
    heights = blocks(len(side), width=side.shape[1], entries=2**20)
    return max(float((side[block].double() - centre).norm(dim=1).max()) for block in heights)


@dataclass(frozen=True)
class Rounded:
    """Some centred, scaled and rounded rows.

    Attributes:
        values: (n, D) in the screen's type.
        error: (n,) float64, how far rounding moved each row at most.
        squared_norms: (n,) float64, of `values`.
    """

    values: Tensor
    error: Tensor
    squared_norms: Tensor

    def __len__(self) -> int:
        return len(self.error)

    def __getitem__(self, chosen: slice) -> "Rounded":
        return Rounded(self.values[chosen], self.error[chosen], self.squared_norms[chosen])


def rounded(rows: Tensor, frame: Frame, dtype: torch.dtype) -> Rounded:
    """Centre, scale and round, a block of rows at a time."""
    values = torch.empty(rows.shape, dtype=dtype, device=rows.device)
    error = torch.empty(len(rows), dtype=torch.float64, device=rows.device)
    squared_norms = torch.empty_like(error)
    for block in blocks(len(rows), width=rows.shape[1], entries=2**20):
        centred = (rows[block].double() - frame.centre).mul_(frame.scale)
        values[block] = centred
        kept = values[block].double()
        squared_norms[block] = kept.square().sum(dim=1)
        lost, length = (centred - kept).norm(dim=1), centred.norm(dim=1)
        error[block] = lost * (1 + 1e-9) + length * 2.0**-52 + 1e-290
    return Rounded(values, error, squared_norms)


@dataclass(frozen=True)
class Side:
    """All rows of one side, rounded once.

    Attributes:
        rows: as given, for direct sums.
        frame: shared with the other side.
        rounded: for products.
    """

    rows: Rows
    frame: Frame
    rounded: Rounded

    def __len__(self) -> int:
        return len(self.rows)


def side(rows: Rows, frame: Frame, dtype: torch.dtype) -> Side:
    """Round the rows of one side."""
    return Side(rows, frame, rounded(rows.values, frame, dtype))
