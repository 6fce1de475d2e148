"""tr (S_r S_f)^(1/2), the term of a Frechet distance that holds a matrix root."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from metrics.moments import gram


@dataclass(frozen=True)
class CholeskyPair:
    """Cholesky factors of two covariances of full rank, over the columns that vary on both sides.

    Attributes:
        columns: (K,) int64, those columns, the largest variance first.
        real: (K, K) lower triangular L_r with L_r L_r^T = S_r[columns, columns].
        fake: (K, K) lower triangular L_f, likewise.
    """

    columns: Tensor
    real: Tensor
    fake: Tensor

    @cached_property
    def product(self) -> Tensor:
        """(K, K) L_f^T L_r."""
        return self.fake.T @ self.real

    @cached_property
    def singular(self) -> Tensor:
        """(K,) singular values of the product, ascending; they add up to tr (S_r S_f)^(1/2)."""
        values = _symmetric(self._squares, eigvals_only=True)
        return torch.from_numpy(values).clamp(min=0).sqrt().to(self.real.device)

    def maps(self) -> tuple[Tensor, Tensor]:
        """Optimal maps (K, K) between the covariances: T_r S_r T_r = S_f and T_f S_f T_f = S_r."""
        _, left = _symmetric(self._squares, driver="evr")
        left = torch.from_numpy(left).to(self.real.device)
        right = _unit_columns(self.product.T @ left)
        return self._map(self.real, right), self._map(self.fake, left)

    def _map(self, lower: Tensor, vectors: Tensor) -> Tensor:
        root = torch.linalg.solve_triangular(lower.T, vectors * self.singular.sqrt(), upper=True)
        return gram(root.T)

    @cached_property
    def _squares(self) -> Tensor:
        # On the CPU: LAPACK keeps the small eigenvalues' digits of a matrix that falls off towards
        # its end, as this one does because `columns` are sorted; other orders, and drivers that
        # also give vectors, lose half of them.
        return gram(self.product.T).cpu()


def _unit_columns(matrix: Tensor) -> Tensor:
    """Columns of length 1, however short they were."""
    return torch.nn.functional.normalize(matrix, dim=0, eps=torch.finfo(matrix.dtype).tiny)


def cholesky_pair(*, real: Tensor, fake: Tensor) -> CholeskyPair | None:
    """Factor two (D, D) covariances; None if one of them has no full rank within rounding.

    A column without variance on one side adds nothing to the overlap, so it is left out.
    """
    variances = torch.stack([real.diagonal(), fake.diagonal()])
    columns = variances.sum(dim=0).argsort(descending=True)
    columns = columns[(variances > 0).all(dim=0)[columns]]
    factors = [_cholesky(side[columns][:, columns]) for side in (real, fake)]
    if factors[0] is None or factors[1] is None:
        return None
    return CholeskyPair(columns, factors[0], factors[1])


def nuclear_norm(matrix: Tensor) -> float:
    """Sum of singular values; that of A B^T is the overlap of A^T A and B^T B, at any rank."""
    from scipy.linalg import svd  # a second, which a reused cell does not need

    # gesvd: torch's divide-and-conquer was seen to take ten times as long on decaying spectra
    singular = svd(matrix.cpu().numpy(), compute_uv=False, lapack_driver="gesvd")
    return float(singular.sum())


def _symmetric(matrix: Tensor, **options: Any) -> Any:
    """What scipy's `eigh` gives for a finite matrix on the CPU."""
    from scipy.linalg import eigh  # a second, which a reused cell does not need

    return eigh(matrix.numpy(), check_finite=False, **options)


def _cholesky(covariance: Tensor) -> Tensor | None:
    lower, failed = torch.linalg.cholesky_ex(covariance)
    pivots = lower.diagonal().square()
    smallest = len(covariance) * torch.finfo(torch.float64).eps * covariance.diagonal()
    if not len(covariance) or failed or not (pivots > smallest.max()).all():
        return None
    return lower
