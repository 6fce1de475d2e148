"""95 % intervals of scores, from a standard error or from a count."""

from math import sqrt

from torch import Tensor

from metrics.metric import Estimate

Z = 1.959963984540054  # 97.5 % quantile of the standard normal distribution


def normal_interval(value: float, standard_error: float) -> tuple[float, float]:
    """Value +- 1.96 standard errors."""
    return value - Z * standard_error, value + Z * standard_error


def wilson_interval(share: float, count: float) -> tuple[float, float]:
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


def normal_estimate(value: float, error: float, method: str) -> Estimate:
    """A value +- 1.96 standard errors.

    No error where it is 0 within rounding: first order then says nothing of how sure a score is.

    Args:
        value: the score.
        error: its standard error.
        method: where the error is from, e.g. "influences of both sides".
    """
    if not error > 1e-12 * abs(value):
        return Estimate(value)
    method = f"value +- 1.96 standard errors, {method}"
    return Estimate(value, error, normal_interval(value, error), method)


def mean_estimate(values: Tensor, *, method: str) -> Estimate:
    """Mean of independent images with its standard error.

    Args:
        values: (n,), n >= 1; no interval for a single one.
        method: what the error holds and what it does not.
    """
    value = float(values.double().mean())
    return (
        normal_estimate(value, standard_error(values), method)
        if len(values) > 1
        else Estimate(value)
    )


def median_estimate(values: Tensor, *, given: str) -> Estimate:
    """Median of independent images with the interval that two order statistics enclose.

    The number of images below the median is binomial(n, 1/2), whatever their distribution. Fewer
    than 6 enclose it with less than 95 %, so they have no interval.
    """
    from scipy.stats import binom  # a second, which a reused cell does not need

    ordered = values.double().sort().values
    low = max(int(binom.ppf(0.025, len(values), 0.5)) - 1, 0)
    high = len(values) - 1 - low
    method = f"order statistics {low + 1} and {high + 1} of {len(values)}, given {given}"
    value = float((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2)
    if len(values) < 6:
        return Estimate(value)
    return Estimate(
        value, interval=(float(ordered[low]), float(ordered[high])), interval_method=method
    )
