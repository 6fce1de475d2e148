"""TREND: divergence of truncated generalised normals fitted to every feature dimension."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.metric import Better, Estimate, Outcome, check_features, check_range
from metrics.truncated_gennorm import SHAPES, TruncatedGennorm, fit, jensen_shannon


@dataclass(frozen=True)
class Fits:
    """What was fitted to each dimension that both sides can fit, of which there are B.

    Attributes:
        dimension: (B,) int64, index of the feature.
        real, fake: B densities each.
        positive_real, positive_fake: (B,) int64, entries that each was fitted to.
        divergence: (B,) float64, Jensen-Shannon, in bits.
    """

    dimension: Tensor
    real: TruncatedGennorm
    fake: TruncatedGennorm
    positive_real: Tensor
    positive_fake: Tensor
    divergence: Tensor


def trend(*, real: Tensor, fake: Tensor) -> float:
    """Mean divergence of the densities fitted to each feature dimension.

    p(x) proportional to exp(-(|x - mu| / alpha)^beta) on [0, inf) is fitted by maximum likelihood
    to the strictly positive entries of a dimension, on each side; TREND is the mean over
    dimensions of the Jensen-Shannon divergence of the two densities, in bits. Within [0, 1],
    0 means equal densities; lower is better. The share of zeros is ignored by definition, and so
    is all dependence between dimensions.

    Args:
        real: (N, D) features of reference images, all >= 0.
        fake: (M, D) features of generated images, all >= 0, from the same backbone.

    Returns:
        The mean over dimensions with two distinct positive entries on both sides (entries that
        agree to 1e-9 count as equal), computed in float64; NaN if there is none.

    Raises:
        ValueError: if an entry is negative, a side is empty or not usable, or widths differ.

    Source: J. Lee, J.-S. Lee, "TREND: Truncated Generalized Normal Density Estimation of Inception
    Embeddings for GAN Evaluation", 2021, and the authors' functions (start, likelihood, bits).
    Differs: their optimiser is trust-constr with numerical gradients; ours ends at a likelihood
    no lower. beta stays within [0.1, 50]: it would run off on repeated or on cut-off values.
    """
    return float(fits(real=real, fake=fake).divergence.mean())


def fits(*, real: Tensor, fake: Tensor) -> Fits:
    """`trend` before the mean: every dimension with its two densities.

    Raises:
        ValueError: as `trend` does.
    """
    check_features(real=real, fake=fake)
    check_range(real=real, fake=fake)
    _check_rectified(real=real, fake=fake)
    kept = (_varies(real) & _varies(fake)).nonzero()[:, 0]
    real_fit, fake_fit = _fit_columns(real, kept), _fit_columns(fake, kept)
    return Fits(
        dimension=kept,
        real=real_fit,
        fake=fake_fit,
        positive_real=(real > 0).sum(0)[kept],
        positive_fake=(fake > 0).sum(0)[kept],
        divergence=jensen_shannon(real_fit, fake_fit),
    )


def _check_rectified(**sides: Tensor) -> None:
    for side, rows in sides.items():
        if float(rows.min()) >= 0:
            continue
        row, column = (int(i) for i in (rows < 0).nonzero()[0])
        raise ValueError(
            f"{side}: row {row}, column {column} is {float(rows[row, column]):.3g}, expected no "
            "negative entry. TREND is defined for features pooled after a rectifier: take a "
            "backbone such as inception, resnet or vgg16 (not CLIP, DINO, Swin)."
        )


def _varies(rows: Tensor) -> Tensor:
    """(D,) whether a dimension has two distinct positive entries."""
    smallest = torch.where(rows > 0, rows, torch.inf).amin(0).double()
    return rows.amax(0).double() > smallest * (1 + 1e-9)


def _fit_columns(rows: Tensor, columns: Tensor) -> TruncatedGennorm:
    found = torch.empty(3, len(columns), dtype=torch.float64, device=rows.device)
    for block in blocks(len(columns), width=len(rows), entries=2**20):
        # sorted, so that the order of rows changes no sum
        values = rows[:, columns[block]].T.double().sort(dim=1).values
        one = fit(values)
        found[:, block] = torch.stack([one.mu, one.alpha, one.beta])
    return TruncatedGennorm(*found)


@dataclass(frozen=True)
class Trend:
    """Protocol: all rows, all dimensions that can be fitted; those left out are flagged."""

    scores: ClassVar[dict[str, Better]] = {"trend": Better.LOWER}

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """The mean, and the densities of every dimension as a curve."""
        found = fits(real=real, fake=fake)
        flags = {
            "dimensions_left_out": real.shape[1] - len(found.dimension),
            "fits_at_bound": _at_bound(found.real) + _at_bound(found.fake),
        }
        return Outcome(
            scores={"trend": _estimate(found.divergence)},
            curves={"dimensions": _columns(found)},
            flags={name: count for name, count in flags.items() if count},
        )


def _estimate(divergence: Tensor) -> Estimate:
    if not len(divergence):
        return Estimate(
            float("nan"),
            undefined="no feature dimension has two distinct positive entries on both sides",
        )
    return Estimate(float(divergence.mean()))


def _at_bound(found: TruncatedGennorm) -> int:
    return int(((found.beta < SHAPES[0] * 1.01) | (found.beta > SHAPES[1] / 1.01)).sum())


def _columns(found: Fits) -> dict[str, Tensor]:
    columns = {"dimension": found.dimension, "divergence": found.divergence}
    for side, fitted in (("real", found.real), ("fake", found.fake)):
        columns[f"mu_{side}"] = fitted.mu
        columns[f"alpha_{side}"] = fitted.alpha
        columns[f"beta_{side}"] = fitted.beta
    return columns | {"positive_real": found.positive_real, "positive_fake": found.positive_fake}
