"""The polynomial kernel without its one-sided parts, which no MMD can see.

MMD does not change when functions of one argument are taken from a kernel,
k'(x, y) = k(x, y) - f(x) - f(y), nor do doubly centred kernels. Taking out all such terms of the
expansion about a centre leaves numbers of the size of the spread instead of the size of the offset,
so features far from the origin keep their digits.
"""

from dataclasses import dataclass
from math import factorial

import torch
from torch import Tensor


@dataclass(frozen=True)
class Side:
    """Features made ready for the kernel.

    Attributes:
        centred: (N, D) float64, rows minus the centre.
        along: (N,) float64, gamma centre.u for each centred row u.
    """

    centred: Tensor
    along: Tensor

    def __len__(self) -> int:
        return len(self.along)

    def __getitem__(self, block: slice) -> "Side":
        return Side(self.centred[block], self.along[block])


@dataclass(frozen=True)
class PolynomialKernel:
    """(gamma x.y + coef0)^degree minus f(x) minus f(y), with one f for both arguments.

    With x = centre + u, y = centre + v, A = gamma |centre|^2 + coef0, a = gamma centre.u,
    b = gamma centre.v and s = gamma u.v the kernel is (A + a + b + s)^degree. Kept are the terms
    with s, and those of (A + a + b)^degree that hold both a and b.

    Attributes:
        centre: (D,) float64, any point; near the data is best.
        degree: >= 1.
        gamma: factor of the inner product.
        coef0: added to it.
    """

    centre: Tensor
    degree: int
    gamma: float
    coef0: float

    def side(self, rows: Tensor) -> Side:
        """Centre (N, D) rows once for many blocks."""
        centred = rows.double() - self.centre
        return Side(centred, self.gamma * (centred @ self.centre))

    def __call__(self, x: Side, y: Side) -> Tensor:
        """(n, m) float64 kernel block of n and m rows."""
        s = (self.gamma * x.centred) @ y.centred.T
        p = self._offset() + x.along[:, None] + y.along
        return self._terms_with_s(s, p).addmm_(
            self._powers(x.along) @ self._mixed(), self._powers(y.along).T
        )

    def _offset(self) -> float:
        return self.gamma * float(self.centre @ self.centre) + self.coef0

    def _terms_with_s(self, s: Tensor, p: Tensor) -> Tensor:
        """(p + s)^degree - p^degree = s * sum over m of (p + s)^m p^(degree - 1 - m)."""
        q = p + s
        power, total = torch.ones_like(s), torch.ones_like(s)
        for _ in range(self.degree - 1):
            power.mul_(q)
            total.mul_(p).add_(power)
        return total.mul_(s)

    def _powers(self, a: Tensor) -> Tensor:
        """(n, degree - 1) of a^1 ... a^(degree - 1)."""
        return a[:, None] ** torch.arange(1, self.degree, device=a.device)

    def _mixed(self) -> Tensor:
        """(degree - 1, degree - 1) coefficients of a^r b^q in (A + a + b)^degree, r, q >= 1."""
        table = torch.zeros(self.degree - 1, self.degree - 1, dtype=torch.float64)
        for r in range(1, self.degree):
            for q in range(1, self.degree - r + 1):
                rest = self.degree - r - q
                ways = factorial(self.degree) / (factorial(r) * factorial(q) * factorial(rest))
                table[r - 1, q - 1] = ways * self._offset() ** rest
        return table.to(self.centre.device)
