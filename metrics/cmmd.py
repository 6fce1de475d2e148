"""CMMD: squared MMD with a wide Gaussian kernel on unit-length (CLIP) embeddings, times 1000."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metrics.gaussian_kernel import GaussianKernel, check_bandwidth
from metrics.intervals import normal_estimate
from metrics.kernel_sums import TILE, KernelSums, kernel_sums
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.moments import mean
from metrics.unit_rows import check_directions, unit_rows

SCALE = 1000  # of the paper, for readable numbers


def cmmd(
    *,
    real: Tensor,
    fake: Tensor,
    sigma: float = 10.0,
    normalise: bool = True,
    entries: int = TILE,
) -> dict[str, float]:
    """Squared maximum mean discrepancy with a Gaussian kernel, times 1000.

    1000 (mean k(x, x') + mean k(y, y') - 2 mean k(x, y)), k(x, y) = exp(-|x - y|^2 / (2 sigma^2)).
    The biased form takes all pairs, a row with itself too: >= 0, and above 0 for equal
    distributions by 1000 times about (1 - mean k) (1 / N + 1 / M). The unbiased form leaves those
    pairs out: 0 in the mean there, so small negative values are right. Lower is better.

    Args:
        real: (N, D) features of reference images, N >= 2.
        fake: (M, D) features of generated images, M >= 2, from the same backbone.
        sigma: bandwidth, > 0; 10 belongs to rows of length one.
        normalise: rows are scaled to length one first, as the definition's embeddings are.
        entries: kernel values held at a time.

    Returns:
        {"cmmd": biased, "cmmd_unbiased": unbiased}, computed in float64.

    Raises:
        ValueError: if a side has too few rows or holds NaN or infinity, the widths differ, a row
            to be normalised is all zeros, or sigma is not above 0.

    Source: S. Jayasumana et al., "Rethinking FID: Towards a Better Evaluation Metric for Image
    Generation", 2024, eq. 4 and section 4; the authors' code for the diagonal and the factor 1000.
    Differs: any backbone; the paper's is CLIP ViT-L/14 at 336 pixels. Float64: the authors' float32
    is off by about 1e-4 at 3e-3.
    """
    check_features(minimum=2, real=real, fake=fake)
    return _values(_sums(real, fake, sigma, normalise, entries))


def _values(sums: KernelSums) -> dict[str, float]:
    return {"cmmd": SCALE * _biased(sums), "cmmd_unbiased": SCALE * sums.squared_mmd()}


def _biased(sums: KernelSums) -> float:
    """All pairs; those of a row with itself add 0, since 1 is taken from the kernel."""
    n, m = len(sums.real_real), len(sums.fake_fake)
    within = sums.real_real.sum() / n**2 + sums.fake_fake.sum() / m**2
    return float(within - 2 * sums.real_fake.sum() / (n * m))


def _sums(real: Tensor, fake: Tensor, sigma: float, normalise: bool, entries: int) -> KernelSums:
    if normalise:
        check_directions(real=real, fake=fake)
        real, fake = unit_rows(real), unit_rows(fake)
    kernel = GaussianKernel((mean(real) + mean(fake)) / 2, sigma)
    return kernel_sums(kernel, real=real, fake=fake, entries=entries)


@dataclass(frozen=True)
class Cmmd:
    """Protocol: all rows of both sides.

    Attributes:
        sigma: bandwidth of the kernel.
        normalise: rows are scaled to length one first.
    """

    sigma: float = 10.0
    normalise: bool = True

    scores: ClassVar[dict[str, Better]] = {
        "cmmd": Better.LOWER,
        "cmmd_unbiased": Better.LOWER,
    }

    def __post_init__(self) -> None:
        check_bandwidth(self.sigma)

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """Both forms, and the sampling error of the unbiased one.

        The biased form has no interval: its value lies above what it estimates.
        """
        check_features(minimum=2, real=real, fake=fake)
        sums = _sums(real, fake, self.sigma, self.normalise, TILE)
        values = _values(sums)
        scores = {name: Estimate(value) for name, value in values.items()}
        if min(len(real), len(fake)) < 4:  # the variance needs four rows, the value two
            return Outcome(scores=scores)
        scores["cmmd_unbiased"] = normal_estimate(
            values["cmmd_unbiased"],
            SCALE * sums.variance() ** 0.5,
            "U-statistic of first and second order",
        )
        return Outcome(scores=scores, per_image=_columns(sums))


def _columns(sums: KernelSums) -> dict[str, dict[str, Tensor]]:
    by_side: dict[str, Tensor] = dict(zip(("real", "fake"), sums.influences(), strict=True))
    return {side: {"cmmd_unbiased_influence": SCALE * of} for side, of in by_side.items()}
