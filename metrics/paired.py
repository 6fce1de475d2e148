"""Two generators against one reference: how sure is it that one is better?"""

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from metrics.intervals import normal_interval, standard_error
from metrics.metric import Better
from metrics.pairwise import (
    difference_error,
    estimates,
    lead,
    shared_covariance,
    superiority,
    with_zeros,
)


@dataclass(frozen=True)
class Scored:
    """A score of one generator with what every image adds to it.

    Attributes:
        value: the score.
        fake: (M,) influences of the generated images, the column `<score>_influence`.
        real: (N,) influences of the reference images.
    """

    value: float
    fake: Tensor
    real: Tensor


@dataclass(frozen=True)
class Comparison:
    """How two generators differ in one score.

    Attributes:
        difference: A's score minus B's.
        standard_error: of the difference.
        interval: 95 % interval of the expected difference at these sample counts.
        probability: that A is better, from the normal distribution of the difference; 1/2 where
            nothing is known to differ.
    """

    difference: float
    standard_error: float
    interval: tuple[float, float]
    probability: float


def paired_comparison(a: Scored, b: Scored, *, better: Better) -> Comparison:
    """Compare two generators that were scored against the same reference images.

    The variance of A - B is var(f_a) / M_a + var(f_b) / M_b + var(r_a - r_b) / N, where f are the
    influences of either side's generated images and r those of the common reference images: what
    the reference adds to both scores cancels. Two independent errors, squared and added, would be
    too large. First order: it holds where the scores' own standard errors do.

    Args:
        a: score of one metric; row k of `real` is the same image for both.
        b: score of the same metric under the same comparison key.
        better: the score's direction.

    Raises:
        ValueError: if the score has no better direction, or the numbers of reference images
            differ.
    """
    if better is Better.NEITHER:
        raise ValueError("a score without a better direction has no better generator.")
    if len(a.real) != len(b.real):
        raise ValueError(
            f"the scores stand on {len(a.real)} and {len(b.real)} reference images, expected the "
            "same ones; compare records that share a comparison key."
        )
    sign = -1.0 if better is Better.LOWER else 1.0
    both = replace(
        estimates(
            [sign * one.value for one in (a, b)], [standard_error(x.fake, x.real) for x in (a, b)]
        ),
        shared=with_zeros(shared_covariance([one.real.cpu().numpy() for one in (a, b)])),
        place=np.arange(2),
    )
    difference = a.value - b.value
    error = float(difference_error(both, 0, 1))
    return Comparison(
        difference,
        error,
        normal_interval(difference, error),
        float(superiority(lead(both, 0, 1))),
    )
