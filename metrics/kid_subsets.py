"""KID as most published numbers have it: mean and spread over random subsets."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from metrics.kid import centred_kernel, in_product_dtype
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.parameters import at_least
from metrics.polynomial_kernel import check_polynomial
from metrics.subset_mmds import subset_mmds


class Draw(Enum):
    """The seed of the numpy RandomState that draws the subsets."""

    rng = "rng"  # drawn from the generator that is passed
    numpy_2020 = "numpy_2020"  # 2020, torch-fidelity's


class TooSmall(Enum):
    """What happens when a side has fewer rows than a subset."""

    error = "error"  # torch-fidelity, torchmetrics
    minimum = "minimum"  # subsets shrink to the smaller side: clean-fid, StyleGAN3


def kid_subsets(
    *,
    real: Tensor,
    fake: Tensor,
    subsets: int = 100,
    subset_size: int = 1000,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    draw: Draw = Draw.rng,
    too_small: TooSmall = TooSmall.minimum,
    rng: torch.Generator | None = None,
) -> tuple[float, float]:
    """Mean and spread over random subsets of the unbiased squared MMD.

    Each subset draws `subset_size` fakes and as many reals, without replacement within a subset;
    subsets overlap. The mean estimates what `squared_mmd` of all rows gives, with noise of the
    draw. 0 in the mean for equal distributions, also below it. Lower is better.

    Args:
        real: (N, D) features of reference images.
        fake: (M, D) features of generated images, from the same backbone.
        subsets: how many.
        subset_size: rows of each side in a subset, >= 2.
        degree: exponent of the kernel (gamma x.y + coef0)^degree, >= 1.
        gamma: factor of the inner product; None means 1 / D.
        coef0: added to it.
        draw: where the seed of the subsets comes from.
        too_small: whether a side smaller than a subset is refused.
        rng: needed by Draw.rng only.

    Returns:
        mean and population standard deviation over the subsets. Rows are centred and sums kept in
        float64; kernel values too, unless `in_product_dtype` says float32. The standard deviation
        tells of one subset; it is no standard error of the mean, as subsets overlap.

    Raises:
        ValueError: if a side is not usable or too small, a parameter is out of range, or Draw.rng
            is asked without a generator.

    Source: M. Binkowski et al., "Demystifying MMD GANs", 2018, section 4; draws as in
    torch-fidelity 0.4, whose numbers these are on float64 features with its seed.
    Differs: rows are centred first; torch-fidelity computes in the features' float32 as they are,
    which moves the last digits (about 1e-7 of the kernel).
    """
    _check_subsets(subsets, subset_size)
    check_features(minimum=2, real=real, fake=fake)
    size = _size(len(real), len(fake), subset_size, too_small)
    kernel = centred_kernel(real=real, fake=fake, degree=degree, gamma=gamma, coef0=coef0)
    kernel = in_product_dtype(kernel, real=real, fake=fake, pairs=subsets * size**2)
    x, y = kernel.side(real), kernel.side(fake)
    drawn = _draws(len(real), len(fake), subsets, size, seed=_seed(draw, rng))
    i, j = (torch.stack(rows).to(real.device) for rows in zip(*drawn, strict=True))
    values = subset_mmds(kernel, real=x, fake=y, real_rows=i, fake_rows=j).numpy()
    return float(np.mean(values)), float(np.std(values))


def _draws(
    real_count: int, fake_count: int, subsets: int, size: int, *, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Row indices of reals and of fakes; the stream gives the fakes first, as torch-fidelity."""
    stream = np.random.RandomState(seed)
    for _ in range(subsets):
        fakes = stream.choice(fake_count, size, replace=False)
        reals = stream.choice(real_count, size, replace=False)
        yield torch.from_numpy(reals), torch.from_numpy(fakes)


def _seed(draw: Draw, rng: torch.Generator | None) -> int:
    if draw is Draw.numpy_2020:
        return 2020
    if rng is None:
        raise ValueError("draw=rng needs a torch.Generator; pass rng=, or use numpy_2020.")
    return int(torch.randint(2**32, (), generator=rng, device=rng.device))


def _size(real_count: int, fake_count: int, subset_size: int, too_small: TooSmall) -> int:
    smaller = min(real_count, fake_count)
    if smaller < subset_size and too_small is TooSmall.error:
        raise ValueError(
            f"real: found {real_count} rows and fake: {fake_count}, subsets of {subset_size} need "
            f"as many of each. Type metrics.kid_subsets.subset_size={smaller}, or "
            "metrics.kid_subsets.too_small=minimum, or add images."
        )
    return min(smaller, subset_size)


def _check_subsets(subsets: int, subset_size: int) -> None:
    at_least(1, "the usual is 100", subsets=subsets)
    at_least(2, "the paper's is 1000", subset_size=subset_size)


@dataclass(frozen=True)
class KidSubsets:
    """Protocol: random subsets of both sides; flags the size where a side is too small for it.

    Attributes:
        subsets: how many.
        subset_size: rows of each side in a subset.
        degree: exponent of the kernel.
        gamma: factor of the inner product; None means 1 / D.
        coef0: added to it.
        draw: where the seed of the subsets comes from.
        too_small: whether a side smaller than a subset is refused.
    """

    subsets: int = 100
    subset_size: int = 1000
    degree: int = 3
    gamma: float | None = None
    coef0: float = 1.0
    draw: Draw = Draw.rng
    too_small: TooSmall = TooSmall.minimum

    scores: ClassVar[dict[str, Better]] = {"kid_mean": Better.LOWER, "kid_std": Better.NEITHER}

    def __post_init__(self) -> None:
        _check_subsets(self.subsets, self.subset_size)
        check_polynomial(degree=self.degree, gamma=self.gamma)

    def compute(self, *, real: Tensor, fake: Tensor, rng: torch.Generator) -> Outcome:
        """Mean and standard deviation over the subsets."""
        mean, spread = kid_subsets(
            real=real,
            fake=fake,
            subsets=self.subsets,
            subset_size=self.subset_size,
            degree=self.degree,
            gamma=self.gamma,
            coef0=self.coef0,
            draw=self.draw,
            too_small=self.too_small,
            rng=rng,
        )
        smaller = min(len(real), len(fake))
        return Outcome(
            scores={"kid_mean": Estimate(mean), "kid_std": self._spread(spread, real, fake)},
            flags={"subset_size_lowered_to": smaller} if smaller < self.subset_size else {},
        )

    def _spread(self, spread: float, real: Tensor, fake: Tensor) -> Estimate:
        """Undefined where there is nothing that could differ."""
        whole = max(len(real), len(fake)) <= self.subset_size
        if self.subsets == 1 or (whole and len(real) == len(fake)):
            why = "1 subset has" if self.subsets == 1 else "subsets that are the whole sides have"
            return Estimate(float("nan"), undefined=f"{why} no spread")
        return Estimate(spread)
