"""Generators compared in pairs under one score: how sure is each difference? Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr

Floats = NDArray[np.floating[Any]]
Places = NDArray[np.intp]

COLUMNS = 4096  # of influences held in float64 at a time


@dataclass(frozen=True)
class Estimates:
    """One score of n generators, with what is known of its errors.

    Attributes:
        merit: (n,) the scores, turned so that larger is better.
        error: (n,) their standard errors, >= 0; NaN where nothing is known.
        freedom: (n,) degrees of freedom of the errors; infinity where they are no spread of a few.
        shared: (k + 1, k + 1) covariance of the scores of k generators through the reference images
            that they have in common; its last row and column are 0.
        place: (n,) each generator's row in `shared`; -1, the row of zeros, for the other n - k.
    """

    merit: Floats
    error: Floats
    freedom: Floats
    shared: Floats
    place: Places

    def take(self, rows: Places) -> "Estimates":
        """The same of some generators only."""
        parts = {name: getattr(self, name)[rows] for name in ("merit", "error", "freedom", "place")}
        return replace(self, **parts)


def estimates(merit: Sequence[float], error: Sequence[float]) -> Estimates:
    """Scores whose errors are independent and known in closed form, or NaN."""
    count = len(merit)
    return Estimates(
        np.asarray(merit, float),
        np.asarray(error, float),
        np.full(count, np.inf),
        np.zeros((1, 1)),
        np.full(count, -1),
    )


def shared_covariance(influences: Sequence[Floats]) -> Floats:
    """Covariance of the scores of k generators through their common reference images.

    cov(r_a, r_b) / N, divisor N - 1, where r are the influences of the reference images, summed in
    float64.

    Args:
        influences: k vectors (N,), N >= 2; row i of each is the same reference image.

    Returns:
        (k, k) float64.
    """
    count, total = len(influences[0]), np.zeros((len(influences), len(influences)))
    means = np.array([one.mean(dtype=np.float64) for one in influences])
    for start in range(0, count, COLUMNS):
        part = np.stack([one[start : start + COLUMNS] for one in influences]).astype(np.float64)
        part -= means[:, None]
        total += part @ part.T
    return total / (count - 1) / count


def with_zeros(covariance: Floats) -> Floats:
    """The covariance with the row and the column of zeros that `Estimates.shared` ends with."""
    return np.pad(covariance, (0, 1))


def difference_error(of: Estimates, first: Places | int, second: Places | int) -> Floats:
    """Standard error of the difference of two generators' scores.

    sqrt(e_a^2 + e_b^2 - 2 c_ab): what the common reference adds to both cancels, so that for
    errors made of influences it is var(f_a) / M_a + var(f_b) / M_b + var(r_a - r_b) / N, where f
    are the influences of the generated images. NaN where an error is unknown.

    Args:
        of: the scores.
        first: a generator, or an array of them.
        second: likewise; both are broadcast.
    """
    both = of.error[first] ** 2 + of.error[second] ** 2
    variance = both - 2 * of.shared[of.place[first], of.place[second]]
    return np.sqrt(np.maximum(variance, 0.0))


def lead(of: Estimates, first: Places | int, second: Places | int) -> Floats:
    """By how many standard errors the first is better than the second.

    Where an error is the spread over a few seeds, Student's t with Welch's degrees of freedom is
    turned into the normal quantile of the same probability. 0 where nothing is known to differ,
    NaN where an error is unknown.

    Source: B. Welch, "The generalization of Student's problem when several different population
    variances are involved", 1947.
    """
    error = difference_error(of, first, second)
    ahead = of.merit[first] - of.merit[second]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((ahead == 0) & (error == 0), 0.0, ahead / error)
    if np.isinf(of.freedom).all():
        return ratio
    return _normal_quantile(ratio, _welch_freedom(of, first, second))


def superiority(leads: Floats) -> Floats:
    """The probability that the first is better, from the normal distribution of the difference."""
    probability: Floats = ndtr(leads)
    return probability


def _welch_freedom(of: Estimates, first: Places | int, second: Places | int) -> Floats:
    squares = [(of.error[one] ** 2, of.freedom[one]) for one in (first, second)]
    with np.errstate(divide="ignore", invalid="ignore"):
        each = [square**2 / freedom for square, freedom in squares]
        freedom: Floats = (squares[0][0] + squares[1][0]) ** 2 / (each[0] + each[1])
    return freedom


def _normal_quantile(ratio: Floats, freedom: Floats) -> Floats:
    few = np.isfinite(freedom)
    # by the lower tail, which keeps its digits however far out it is
    with np.errstate(divide="ignore"):
        found = -ndtri(stdtr(np.where(few, freedom, 1.0), -np.abs(ratio)))
    return np.where(few, np.copysign(found, ratio), ratio)
