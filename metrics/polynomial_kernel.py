"""The polynomial kernel without its one-sided parts, which no MMD can see.

MMD does not change when functions of one argument are taken from a kernel,
k'(x, y) = k(x, y) - f(x) - f(y), nor do doubly centred kernels. Taking out all such terms of the
expansion about a centre leaves numbers of the size of the spread instead of the size of the offset,
so features far from the origin keep their digits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import comb, sqrt

import numpy as np
import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.parameters import within

STRIP = 2**20  # entries that one step of the polynomial works on


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

    def take(self, rows: Tensor) -> "Side":
        """Rows by their indices, copied."""
        return Side(self.scaled.index_select(0, rows), self.along.index_select(0, rows))


def check_polynomial(*, degree: int, gamma: float | None) -> None:
    """Refuse a degree or a factor under which the kernel is none.

    Raises:
        ValueError: if degree is not 1 to 20, or gamma is 0: the features would not matter.
    """
    within(1, 20, "the paper's is 3", degree=degree)
    if gamma == 0:
        raise ValueError("gamma is 0, expected another factor, or null for 1 / feature width.")


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
        for block in blocks(len(rows), width=rows.shape[1], entries=2**20):
            wide = rows[block].double() - self.centre
            along[block] = self.gamma * (wide @ self.centre)
            scaled[block] = wide.mul_(sqrt(abs(self.gamma)))
        return Side(scaled, along)

    def strips(self, x: Side, y: Side, room: Tensor) -> Iterator[tuple[slice, Tensor]]:
        """Kernel values of n and m rows, made in `room` in place of their inner products."""
        values = _products(x.scaled, y.scaled, out=room[: len(x) * len(y)].view(len(x), len(y)))
        if self.gamma < 0:
            values.neg_()
        scratch = values.new_empty(3, max(1, STRIP // max(1, len(y))), len(y))
        left, right = self._two_sided(x.along, y.along)
        for strip in blocks(len(x), width=1, entries=scratch.shape[1]):
            height = strip.stop - strip.start
            self._finish(values[strip], x.along[strip], y.along, scratch[:, :height])
            yield strip, values[strip].addmm_(left[strip], right)

    def _two_sided(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        """Factors (n, degree + 1) and (degree + 1, m) of the terms of p^degree with both a and b.

        They are a sum of a few products a^r b^q, so one matrix product of that rank adds them.
        """
        exponents = torch.arange(self.degree + 1, device=a.device)
        left, right = a[:, None] ** exponents @ self._weights, b[:, None] ** exponents
        return left.to(self.dtype), right.T.to(self.dtype)

    def _finish(self, s: Tensor, a: Tensor, b: Tensor, scratch: Tensor) -> None:
        """Overwrite inner products by (p + s)^degree - p^degree."""
        p, power, total = scratch
        torch.add((a + self._offset).to(s.dtype)[:, None], b.to(s.dtype), out=p)
        s.mul_(_horner(s, p, degree=self.degree, power=power, total=total))

    @cached_property
    def _offset(self) -> float:
        """A of the class."""
        return float(self.gamma * (self.centre @ self.centre) + self.coef0)

    @cached_property
    def _weights(self) -> Tensor:
        """(degree + 1, degree + 1) coefficients of a^r b^q, r and q > 0, in (A + a + b)^degree."""
        k = self.degree
        offset = torch.tensor(self._offset, dtype=torch.float64)  # its powers may reach infinity
        table = torch.zeros(k + 1, k + 1, dtype=torch.float64)
        for r in range(1, k + 1):
            for q in range(1, k - r + 1):
                table[r, q] = comb(k, r) * comb(k - r, q) * offset ** (k - r - q)
        return table.to(self.centre.device)


def _horner(s: Tensor, p: Tensor, *, degree: int, power: Tensor, total: Tensor) -> Tensor:
    """((p + s)^degree - p^degree) / s by Horner's rule in s, in `total`; `power` is scratch."""
    if degree == 1:
        return total.fill_(1)
    torch.add(s, p, alpha=degree, out=total)
    last = p
    for exponent in range(2, degree):
        total.mul_(s).addcmul_(last, p, value=comb(degree, exponent))  # p^exponent
        if exponent + 1 < degree:
            last = torch.mul(last, p, out=power)
    return total


def _products(x: Tensor, y: Tensor, *, out: Tensor) -> Tensor:
    """(n, m) inner products; on a CPU by numpy, whose library is faster on some processors.

    numpy also sees x with itself and computes one half only.
    """
    if x.device.type != "cpu":
        return torch.mm(x, y.T, out=out)
    np.matmul(x.numpy(), y.numpy().T, out=out.numpy())
    return out
