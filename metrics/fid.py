"""Frechet distance between two Gaussians fitted to features (FID, FD-DINOv2, ...)."""

from dataclasses import dataclass
from typing import ClassVar

import scipy.linalg
import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.metric import Better, Estimate, Outcome
from metrics.moments import Moments, check_divisor, mean


def frechet_distance(*, real: Tensor, fake: Tensor, ddof: int = 1) -> float:
    """Frechet distance of the Gaussians that share mean and covariance with the features.

    d = |mu_r - mu_f|^2 + tr(S_r + S_f - 2 (S_r S_f)^(1/2)), in squared feature units. With factors
    A^T A = S_r and B^T B = S_f the last trace is the nuclear norm of A B^T, so no matrix root is
    taken: exact for every N, D and rank. Zero means equal means and covariances. Biased upwards
    at finite N and M. Lower is better.

    Args:
        real: (N, D) features of reference images, N > ddof.
        fake: (M, D) features of generated images, M > ddof, from the same backbone.
        ddof: the covariances are divided by N - ddof and M - ddof.

    Returns:
        The distance, computed in float64; negatives within rounding
        (4 (D + 8) eps (tr S_r + tr S_f)) are returned as 0.

    Raises:
        ValueError: if a side has too few rows or holds NaN or infinity, or the widths differ.

    Source: M. Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
    Nash Equilibrium", 2017, eq. 6; D. Dowson, B. Landau, 1982.
    Differs: the paper's code takes the square root of S_r S_f by Schur form. Its eigenvalues hold
    half the digits only; singular values of A B^T hold all.
    """
    check_divisor(ddof, real=real, fake=fake)
    real_mean, fake_mean = mean(real), mean(fake)
    return _distance(
        gap=real_mean - fake_mean,
        real_factor=_factor(real, real_mean) / (len(real) - ddof) ** 0.5,
        fake_factor=_factor(fake, fake_mean) / (len(fake) - ddof) ** 0.5,
    )


def frechet_distance_from_moments(*, real: Moments, fake: Moments) -> float:
    """The same distance where only means and covariances are known.

    Covariances hold half the digits of features: directions whose variance is below 1e-16 of the
    largest are noise, and the distance is good to about 1e-8 of the traces.

    Args:
        real: moments of the reference features.
        fake: moments of the generated features, of the same width.

    Raises:
        ValueError: if the shapes do not match, or a covariance is not symmetric, finite and
            positive semi-definite.
    """
    _check_moments(real=real, fake=fake)
    return _distance(
        gap=real.mean.double() - fake.mean.double(),
        real_factor=_root("real", real.covariance.double()),
        fake_factor=_root("fake", fake.covariance.double()),
    )


def _distance(*, gap: Tensor, real_factor: Tensor, fake_factor: Tensor) -> float:
    traces = float(real_factor.square().sum() + fake_factor.square().sum())
    overlap = _nuclear_norm(real_factor @ fake_factor.T)
    distance = float(gap @ gap) + traces - 2 * overlap
    rounding = 4 * (len(gap) + 8) * torch.finfo(torch.float64).eps * traces
    return 0.0 if -rounding <= distance < 0 else distance


def _factor(rows: Tensor, centre: Tensor) -> Tensor:
    """(min(N, D), D) factor A with A^T A = sum (x - centre)(x - centre)^T, block by block."""
    width = len(centre)
    factor = torch.zeros(0, width, dtype=torch.float64, device=rows.device)
    for block in blocks(len(rows), width=width, entries=4 * width * width):
        factor = torch.cat([factor, rows[block].double() - centre])
        if len(factor) > width:
            factor = torch.linalg.qr(factor, mode="r").R
    return factor


def _root(side: str, covariance: Tensor) -> Tensor:
    """(D, D) factor A with A^T A = covariance."""
    values, vectors = torch.linalg.eigh(covariance)
    if values[0] < -1e-6 * values[-1].abs():
        raise ValueError(
            f"{side}: the covariance has eigenvalue {float(values[0]):.3g} beside "
            f"{float(values[-1]):.3g}, expected none below zero; compute it from features again."
        )
    return (vectors * values.clamp(min=0).sqrt()).T


def _nuclear_norm(matrix: Tensor) -> float:
    # gesvd: torch's divide-and-conquer was seen to take ten times as long on decaying spectra
    singular = scipy.linalg.svd(matrix.cpu().numpy(), compute_uv=False, lapack_driver="gesvd")
    return float(singular.sum())


def _check_moments(**sides: Moments) -> None:
    shapes = {}
    for side, given in sides.items():
        shapes[side] = (tuple(given.mean.shape), tuple(given.covariance.shape))
        width = given.mean.numel()
        if shapes[side] != ((width,), (width, width)):
            raise ValueError(
                f"{side}: found {shapes[side]}, expected mean (D,), covariance (D, D)."
            )
        if not torch.isfinite(given.covariance).all() or not torch.isfinite(given.mean).all():
            raise ValueError(f"{side}: the moments hold NaN or infinity.")
        if not torch.allclose(given.covariance, given.covariance.T, rtol=1e-5):
            raise ValueError(f"{side}: the covariance is not symmetric.")
    if len(set(shapes.values())) > 1:
        raise ValueError(f"widths differ: {shapes}; both must come from one backbone.")


@dataclass(frozen=True)
class Fid:
    """Protocol: all rows of both sides; flags N <= D, where a covariance has no full rank.

    Attributes:
        ddof: covariance divisor N - ddof.
    """

    ddof: int = 1

    scores: ClassVar[dict[str, Better]] = {"fid": Better.LOWER}

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """One distance over all rows."""
        value = frechet_distance(real=real, fake=fake, ddof=self.ddof)
        deficient = min(len(real), len(fake)) <= real.shape[1]
        return Outcome(
            scores={"fid": Estimate(value)}, flags={"rank_deficient": 1} if deficient else {}
        )
