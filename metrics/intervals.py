"""95 % intervals of scores, from a standard error or from a count."""

from math import sqrt

from torch import Tensor

Z = 1.959963984540054  # 97.5 % quantile of the standard normal distribution


def normal_interval(value: float, standard_error: float) -> tuple[float, float]:
    """Value +- 1.96 standard errors."""
    return value - Z * standard_error, value + Z * standard_error


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's score interval of a share of `count` independent images; within [0, 1].

    Source: E. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    1927. Holds near 0 and 1, where +- 1.96 standard errors would leave [0, 1] or vanish.
    """
    centre = share + Z**2 / (2 * count)
    spread = Z * sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    scale = 1 + Z**2 / count
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return min(max(0.0, low), share), max(min(1.0, high), share)


def standard_error(*influences: Tensor) -> float:
    """sqrt(var(real) / N + var(fake) / M) of the influences that each side's images have.

    Args:
        *influences: (n,) per side, n >= 2; sides are independent samples.
    """
    return sqrt(sum(float(side.double().var()) / len(side) for side in influences))
