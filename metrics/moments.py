"""Mean and covariance of features, in float64, one block of rows at a time."""

from dataclasses import dataclass

import torch
from torch import Tensor

from metrics.blocks import ENTRIES, blocks
from metrics.metric import check_features, check_range
from metrics.parameters import divisor


@dataclass(frozen=True)
class Moments:
    """The first two moments of a set of features.

    Attributes:
        mean: (D,) float64.
        covariance: (D, D) float64, symmetric.
        count: N, of how many rows they are; None where that is not known.
        ddof: the covariance is divided by N - ddof.
    """

    mean: Tensor
    covariance: Tensor
    count: int | None = None
    ddof: int = 1

    def with_ddof(self, ddof: int) -> "Moments":
        """The same moments, the covariance divided by N - ddof.

        Raises:
            ValueError: if another divisor is asked for, and N is not known or too small.
        """
        if ddof == self.ddof:
            return self
        if self.count is None or self.count <= max(ddof, self.ddof):
            raise ValueError(
                f"the covariance is divided by N - {self.ddof}, and N - {ddof} is asked for; that "
                f"needs the number of rows, found {self.count}."
            )
        scale = (self.count - self.ddof) / (self.count - ddof)
        return Moments(self.mean, self.covariance * scale, self.count, ddof)


def mean(rows: Tensor, *, entries: int = ENTRIES // 4) -> Tensor:
    """Mean row, (D,) float64; no float64 copy of the whole set is made.

    Args:
        rows: (N, D) floating-point features, N >= 1; not modified.
        entries: matrix entries held in float64 at a time.
    """
    total = torch.zeros(rows.shape[1], dtype=torch.float64, device=rows.device)
    for block in blocks(len(rows), width=rows.shape[1], entries=entries):
        total += rows[block].double().sum(dim=0)
    return total / len(rows)


def moments(rows: Tensor, *, ddof: int = 1, entries: int = ENTRIES) -> Moments:
    """Mean and covariance, sum (x - mean)(x - mean)^T / (N - ddof).

    Two passes: the rows are centred before they are multiplied, so a large common offset costs
    no digits.

    Args:
        rows: (N, D) floating-point features, N > ddof; not modified.
        ddof: 1 divides by N - 1, 0 by N.
        entries: matrix entries held in float64 at a time.

    Raises:
        ValueError: if there are too few rows, or they hold NaN or infinity.
    """
    check_divisor(ddof, rows=rows)
    return moments_of_checked(rows, ddof=ddof, entries=entries)


def moments_of_checked(rows: Tensor, *, ddof: int, entries: int = 4 * ENTRIES) -> Moments:
    """`moments` of rows that are known to be usable; tall blocks multiply faster."""
    centre = mean(rows)
    scatter = torch.zeros(len(centre), len(centre), dtype=torch.float64, device=rows.device)
    for block in blocks(len(rows), width=rows.shape[1], entries=entries):
        scatter += gram(rows[block].double() - centre)
    return Moments(centre, scatter / (len(rows) - ddof), count=len(rows), ddof=ddof)


def gram(rows: Tensor) -> Tensor:
    """Products of columns, rows^T rows, (D, D)."""
    if rows.device.type != "cpu":
        return rows.T @ rows
    table = rows.numpy()
    return torch.from_numpy(table.T @ table)  # numpy sees the symmetry: half of torch's work


def check_moments(**sides: Moments) -> None:
    """Refuse what cannot be the mean and covariance of features.

    Raises:
        ValueError: if shapes do not match, or a covariance is not symmetric, finite and positive
            semi-definite within 1e-6 of its largest eigenvalue (float32 covariances reach 1e-7).
    """
    for side, given in sides.items():
        shapes, width = (tuple(given.mean.shape), tuple(given.covariance.shape)), len(given.mean)
        if shapes != ((width,), (width, width)) or not width:
            raise ValueError(f"{side}: found {shapes}, expected mean (D,), covariance (D, D).")
        if not torch.isfinite(given.covariance).all() or not torch.isfinite(given.mean).all():
            raise ValueError(f"{side}: the moments hold NaN or infinity.")
        if not torch.allclose(given.covariance, given.covariance.T, rtol=1e-5):
            raise ValueError(f"{side}: the covariance is not symmetric.")
        _check_positive(side, given.covariance)


def _check_positive(side: str, covariance: Tensor) -> None:
    _, failed = torch.linalg.cholesky_ex(covariance)
    if not failed:  # twenty times faster than eigenvalues, and enough for most
        return
    values = torch.linalg.eigvalsh(covariance)
    if values[0] < -1e-6 * values[-1].abs():
        raise ValueError(
            f"{side}: the covariance has eigenvalue {float(values[0]):.3g} beside "
            f"{float(values[-1]):.3g}, expected none below zero; compute it from features again."
        )


def check_divisor(ddof: int, **sides: Tensor) -> None:
    """Refuse features that leave nothing to divide a covariance by.

    Raises:
        ValueError: if ddof is neither 0 nor 1, or a side has no more than `ddof` rows or is not
            usable.
    """
    divisor(ddof)
    check_features(minimum=ddof + 1, **sides)
    check_range(**sides)
