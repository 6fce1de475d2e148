"""The Gaussian kernel less one, which keeps the digits that a wide kernel hides behind its 1."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metrics.parameters import within


@dataclass(frozen=True)
class Side:
    """Features made ready for the kernel.

    Attributes:
        centred: (N, D) float64, rows minus the centre.
        squared_norms: (N,) float64, of the centred rows.
    """

    centred: Tensor
    squared_norms: Tensor

    def __len__(self) -> int:
        return len(self.squared_norms)

    def __getitem__(self, block: slice) -> "Side":
        return Side(self.centred[block], self.squared_norms[block])


def check_bandwidth(sigma: float) -> None:
    """Refuse a bandwidth that is not above 0, or whose square leaves float64.

    Raises:
        ValueError: if it is outside 1e-100 to 1e100.
    """
    within(1e-100, 1e100, "the paper's is 10", sigma=sigma)


@dataclass(frozen=True)
class GaussianKernel:
    """exp(-|x - y|^2 / (2 sigma^2)) - 1, in [-1, 0], and 0 for a row with itself.

    Attributes:
        centre: (D,) float64, any point; near the data is best.
        sigma: bandwidth, > 0, in the unit of the rows.
    """

    centre: Tensor
    sigma: float

    dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        check_bandwidth(self.sigma)

    def side(self, rows: Tensor) -> Side:
        """Centre (N, D) rows once for many blocks."""
        centred = rows.double() - self.centre
        return Side(centred, centred.square().sum(dim=1))

    def strips(self, x: Side, y: Side, room: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Float64 kernel values of n and m rows, all in one strip."""
        scale = -1 / (2 * self.sigma**2)
        norms = room[: len(x) * len(y)].view(len(x), len(y))
        torch.add(x.squared_norms[:, None], y.squared_norms, out=norms)
        exponent = norms.addmm_(x.centred, y.centred.T, alpha=-2).mul_(scale)
        yield slice(0, len(x)), exponent.clamp_(max=0).expm1_()  # rounding may go below distance 0
