"""Two generators against one reference: how sure is it that one is better?"""

from dataclasses import dataclass

from scipy.stats import norm
from torch import Tensor

from metrics.intervals import normal_interval, standard_error
from metrics.metric import Better


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
    difference = a.value - b.value
    error = standard_error(a.fake, b.fake, a.real - b.real)
    return Comparison(
        difference,
        error,
        normal_interval(difference, error),
        _probability(difference, error, better),
    )


def _probability(difference: float, error: float, better: Better) -> float:
    advantage = -difference if better is Better.LOWER else difference
    if error == 0:
        return 0.5 if advantage == 0 else float(advantage > 0)
    return float(norm.cdf(advantage / error))
