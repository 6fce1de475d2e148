"""Frechet distance extrapolated to infinitely many generated images (FID-infinity)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metrics.fid import distance_between
from metrics.fid_influence import FidInfluence, fid_influence
from metrics.gaussian import Gaussian
from metrics.intervals import normal_estimate
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.moments import check_divisor
from metrics.parameters import at_least, divisor

LARGEST_START = 5000  # the authors' smallest subset


def fid_infinity(
    *,
    real: Tensor,
    fake: Tensor,
    rng: torch.Generator,
    points: int = 15,
    min_size: int | None = None,
    replacement: bool = False,
    ddof: int = 1,
) -> float:
    """Frechet distance at M = infinity: intercept of distance = a + b / n over subsets of fakes.

    Sizes n are evenly spaced from `min_size` to M, subsets are drawn anew for each. Only the bias
    of the generated side is taken off: that of the reference's N images stays, and so does what is
    not proportional to 1 / n, which matters where n is not well above D. May be negative. Lower is
    better.

    Args:
        real: (N, D) features of reference images, N > ddof.
        fake: (M, D) features of generated images, M >= 3, from the same backbone.
        rng: draws the subsets.
        points: how many sizes, >= 2.
        min_size: smallest size, > ddof and < M; None means min(5000, max(M // 10, 2)).
        replacement: draw subsets with replacement, which leaves nearly all of the bias.
        ddof: as for `frechet_distance`.

    Returns:
        The intercept, in squared feature units, computed in float64.

    Raises:
        ValueError: if a side is not usable, or `points` or `min_size` is out of range.

    Source: M. J. Chong, D. Forsyth, "Effectively Unbiased FID and Inception Score and Where to Find
    Them", 2020, section 3; the authors' code (15 sizes, drawn anew, no replacement) and, for the
    smallest size where M is below 50,000, G. Stein et al., "Exposing Flaws of Generative Model
    Evaluation Metrics", 2023 (dgm-eval).
    Differs: subsets are drawn by a given generator; the authors also draw the generator's noise
    from a Sobol sequence, which features cannot show.
    """
    sizes = _sizes(real, fake, points, min_size, ddof)
    values = _distances(real, fake, sizes, rng, replacement, ddof)
    return float(_intercept_weights(sizes) @ values)


def _sizes(real: Tensor, fake: Tensor, points: int, smallest: int | None, ddof: int) -> Tensor:
    """(points,) int64, the last is M."""
    check_divisor(ddof, real=real, fake=fake)
    check_features(minimum=3, fake=fake)
    _check_sizes(points, smallest, ddof)
    count = len(fake)
    if smallest is None:
        smallest = max(ddof + 1, min(LARGEST_START, max(count // 10, 2)))
    if smallest >= count:
        raise ValueError(
            f"min_size is {smallest}, expected fewer than the {count} generated images."
        )
    return torch.linspace(smallest, count, points, dtype=torch.float64).long()


def _check_sizes(points: int, smallest: int | None, ddof: int) -> None:
    divisor(ddof)
    at_least(2, "the paper's is 15", points=points)
    if smallest is not None:
        at_least(ddof + 1, "null is a tenth of the images, at most 5000", min_size=smallest)


def _distances(
    real: Tensor, fake: Tensor, sizes: Tensor, rng: torch.Generator, replacement: bool, ddof: int
) -> Tensor:
    """(points,) float64, one subset for each size."""
    reference = Gaussian(real, ddof)  # its moments are made once
    found = []
    for size in sizes.tolist():
        chosen = _draw(len(fake), size, rng, replacement).to(fake.device)
        found.append(distance_between(reference, Gaussian(fake[chosen], ddof)))
    return torch.tensor(found, dtype=torch.float64)


def _draw(count: int, size: int, rng: torch.Generator, replacement: bool) -> Tensor:
    if replacement:
        return torch.randint(count, (size,), generator=rng, device=rng.device)
    return torch.randperm(count, generator=rng, device=rng.device)[:size]


def _intercept_weights(sizes: Tensor) -> Tensor:
    """(points,) w such that w @ values is the least-squares intercept over 1 / sizes."""
    inverse = 1 / sizes.double()
    design = torch.stack([torch.ones_like(inverse), inverse], dim=1)
    return torch.linalg.pinv(design)[0]


def _error(influence: FidInfluence, sizes: Tensor, replacement: bool) -> float:
    """Standard error over new sets of images and new subsets of them.

    To first order a distance moves by the mean influence of its images. Over subsets drawn from M
    the mean of n varies by (1/n - 1/M) of the influences' variance, or 1/n with replacement.
    Simulated (tests/benchmarks/fid_coverage.py; D = 64, N = M = 2000, 40 draws a case), the error
    is within 10 % of the spread of Gaussian features and 11 to 25 % above it with heavy tails;
    93 to 98 % of the 95 % intervals held the expected score.
    """
    count = len(influence.fake)
    drawn = 1 / sizes.double() - (0 if replacement else 1 / count)
    share = 1 / count + float(_intercept_weights(sizes).square() @ drawn)
    reference = float(influence.real.var()) / len(influence.real)
    return (reference + float(influence.fake.var()) * share) ** 0.5


@dataclass(frozen=True)
class FidInfinity:
    """Protocol: subsets of the generated side, the whole reference; the curve is kept.

    Attributes:
        points: how many subset sizes.
        min_size: smallest size; None means min(5000, max(M // 10, 2)).
        replacement: draw subsets with replacement.
        ddof: covariance divisor n - ddof.
    """

    points: int = 15
    min_size: int | None = None
    replacement: bool = False
    ddof: int = 1

    scores: ClassVar[dict[str, Better]] = {"fid_infinity": Better.LOWER}

    def __post_init__(self) -> None:
        _check_sizes(self.points, self.min_size, self.ddof)

    def compute(self, *, real: Tensor, fake: Tensor, rng: torch.Generator) -> Outcome:
        """The intercept, the curve of size and fid, and a flag for sizes of no full rank."""
        sizes = _sizes(real, fake, self.points, self.min_size, self.ddof)
        values = _distances(real, fake, sizes, rng, self.replacement, self.ddof)
        value = float(_intercept_weights(sizes) @ values)
        influence = fid_influence(real=real, fake=fake, ddof=self.ddof)
        deficient = int((sizes <= real.shape[1]).sum())
        return Outcome(
            scores={"fid_infinity": self._estimate(value, influence, sizes)},
            curves={"subsets": {"size": sizes, "fid": values}},
            flags={"rank_deficient_sizes": deficient} if deficient else {},
        )

    def _estimate(self, value: float, influence: FidInfluence | None, sizes: Tensor) -> Estimate:
        if influence is None:
            return Estimate(value)
        error = _error(influence, sizes, self.replacement)
        return normal_estimate(value, error, "influences of both sides and subsets")
