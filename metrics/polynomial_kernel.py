"""The polynomial kernel without its one-sided parts, which no MMD can see.

MMD does not change when functions of one argument are taken from a kernel,
k'(x, y) = k(x, y) - f(x) - f(y), nor do doubly centred kernels. Taking out all such terms of the
expansion about a centre leaves numbers of the size of the spread instead of the size of the offset,
so features far from the origin keep their digits.
"""

from dataclasses import dataclass
from math import comb, sqrt

import numpy as np
import torch
from torch import Tensor

from metrics.blocks import blocks


@dataclass(frozen=True)
class Side:
    """Features made ready for the kernel.

    Attributes:
        scaled: (N, D), rows minus the centre, times sqrt |gamma|, in the kernel's dtype.
        along: (N,) float64, gamma centre.u for each centred row u.
    """

    scaled: Tensor
    along: Tensor

    def __len__(self) -> int:
        return len(self.along)

    def __getitem__(self, block: slice) -> "Side":
        return Side(self.scaled[block], self.along[block])


@dataclass(frozen=True)
class PolynomialKernel:
    """(gamma x.y + coef0)^degree minus f(x) minus f(y), with one f for both arguments.

    With x = centre + u, y = centre + v, A = gamma |centre|^2 + coef0, a = gamma centre.u,
    b = gamma centre.v, s = gamma u.v and p = A + a + b the kernel is (p + s)^degree. Kept are the
    terms with s, and those of p^degree that hold both a and b.

    Attributes:
        centre: (D,) float64, any point; near the data is best.
        degree: >= 1.
        gamma: factor of the inner product.
        coef0: added to it.
        dtype: of the centred rows, their products and the kernel values. Rows are centred in
            float64 either way.
    """

    centre: Tensor
    degree: int
    gamma: float
    coef0: float
    dtype: torch.dtype = torch.float64

    def side(self, rows: Tensor) -> Side:
        """Centre and scale (N, D) rows once for many blocks."""
        scaled = torch.empty(rows.shape, dtype=self.dtype, device=rows.device)
        along = torch.empty(len(rows), dtype=torch.float64, device=rows.device)
        for block in blocks(len(rows), width=rows.shape[1]):
            wide = rows[block].double() - self.centre
            along[block] = self.gamma * (wide @ self.centre)
            scaled[block] = wide.mul_(sqrt(abs(self.gamma)))
        return Side(scaled, along)

    def __call__(self, x: Side, y: Side) -> Tensor:
        """(n, m) kernel block of n and m rows.

        (p + s)^degree - p^degree by Horner's rule in s. A power of p is a sum of a few products
        a^r b^q, so it is added as a matrix product of that rank, in one pass.
        """
        s = _products(x.scaled, y.scaled)
        if self.gamma < 0:
            s.neg_()
        total = s.clone()
        for k in range(1, self.degree):
            weights = comb(self.degree, k) * self._expansion(k)
            total = self._add(weights, total, x, y).mul_(s)
        two_sided = self._expansion(self.degree)
        two_sided[0], two_sided[:, 0] = 0, 0
        return self._add(two_sided, total, x, y)

    def _add(self, weights: Tensor, total: Tensor, x: Side, y: Side) -> Tensor:
        """Add the sum of weights[r, q] a^r b^q to a block, in place."""
        exponents = torch.arange(len(weights), device=total.device)
        left, right = x.along[:, None] ** exponents, y.along[:, None] ** exponents
        return total.addmm_((left @ weights).to(self.dtype), right.T.to(self.dtype))

    def _expansion(self, k: int) -> Tensor:
        """(k + 1, k + 1) coefficients of a^r b^q in p^k = (A + a + b)^k."""
        offset = (self.gamma * (self.centre @ self.centre) + self.coef0).cpu()  # may reach inf
        table = torch.zeros(k + 1, k + 1, dtype=torch.float64)
        for r in range(k + 1):
            for q in range(k - r + 1):
                table[r, q] = comb(k, r) * comb(k - r, q) * offset ** (k - r - q)
        return table.to(self.centre.device)


def _products(x: Tensor, y: Tensor) -> Tensor:
    """(n, m) inner products; on a CPU by numpy, whose library is faster on some processors.

    numpy also sees x with itself and computes one half only.
    """
    if x.device.type != "cpu":
        return x @ y.T
    return torch.from_numpy(np.matmul(x.numpy(), y.numpy().T))
