"""Shares of points that lie in some ball of the other side, and what each image adds to them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from metrics.intervals import standard_error, wilson_interval
from metrics.metric import Estimate


@dataclass(frozen=True)
class HeldShare:
    """The share of points that at least one ball holds.

    Attributes:
        share: in [0, 1].
        of_points: (n,) influence of each point, its own hit or miss; mean 0.
        of_balls: (m,) influence of each ball: the points that would be held by none without it,
            less those that others would reach then; mean 0.
    """

    share: float
    of_points: Tensor
    of_balls: Tensor

    def estimate(self) -> Estimate:
        """The share with the error that both sides bring.

        The jackknife over both sides: leaving out a point changes the mean, leaving out a ball
        loses the points that it alone holds, and gains those that the balls around it would reach
        one neighbour further. What any ball would reach so is taken for not lost. Simulated
        (tests/benchmarks/share_coverage.py, D 4 to 128, 1 and 5 times more points than balls), the
        error is 1.1 to 1.5 times the spread, and 97 to 100 % of intervals held. Wilson's interval
        with the number of independent images that would give this error stays within [0, 1].
        """
        if min(len(self.of_points), len(self.of_balls)) < 2:
            return Estimate(self.share)
        error = standard_error(self.of_points, self.of_balls)
        return Estimate(
            self.share,
            standard_error=error or None,  # nothing differs: the interval says what that is worth
            interval=wilson_interval(self.share, self._effective_count(error)),
            interval_method="Wilson, effective count from a jackknife over both sides",
        )

    def _effective_count(self, error: float) -> float:
        """At 0 and 1 the share's own variance says nothing: the largest one stands in for it."""
        count = min(len(self.of_points), len(self.of_balls))
        variance = self.share * (1 - self.share)
        if not error:
            return count
        return variance / error**2 if variance else min(count, 0.25 / error**2)


@dataclass(frozen=True)
class Growth:
    """Balls that reach one neighbour further, as those do whose k nearest lose one.

    Attributes:
        counts: (n,) how many of them hold each point.
        ball: (n,) the smallest of these where there are any.
        around: (m, k) the k nearest of each ball's centre on its own side.
    """

    counts: Tensor
    ball: Tensor
    around: Tensor

    def gained(self, held: Tensor) -> Tensor:
        """(m,) points that would be held if this ball's centre were not there.

        A point that several balls would reach is counted at the smallest.

        Args:
            held: (n,) whether a ball holds the point as it is.
        """
        balls, k = self.around.shape
        new = torch.bincount(self.ball[~held & (self.counts > 0)], minlength=balls).double()
        gained = torch.zeros_like(new)
        return gained.index_add_(0, self.around.flatten(), new.repeat_interleave(k))


def held_share(
    counts: Tensor, sole_ball: Tensor, balls: int, growth: Growth | None = None
) -> HeldShare:
    """From how many balls hold each point.

    Args:
        counts: (n,) int64.
        sole_ball: (n,) int64, the ball where the count is 1.
        balls: how many balls there are.
        growth: of balls that reach to a neighbour among each other; None where they do not, or
            where there is no neighbour further.
    """
    held, alone = counts > 0, counts == 1
    lost = alone if growth is None else alone & (growth.counts == 1)
    change = torch.bincount(sole_ball[lost], minlength=balls).double()
    if growth is not None:
        change -= growth.gained(held)
    of_balls = change * (balls / len(counts))
    of_points = held.double() - share_held(counts)
    return HeldShare(share_held(counts), of_points, of_balls - of_balls.mean())


def share_held(counts: Tensor) -> float:
    """The share of points that at least one ball holds."""
    return float((counts > 0).double().mean())
