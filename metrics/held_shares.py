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
        of_balls: (m,) influence of each ball: the points that it alone holds; mean 0.
    """

    share: float
    of_points: Tensor
    of_balls: Tensor

    def estimate(self) -> Estimate:
        """The share with the error that both sides bring.

        The jackknife over both sides, balls held fixed: leaving out a point changes the mean,
        leaving out a ball loses the points that it alone holds. That other balls would grow is
        left out. Simulated (tests/benchmarks/ball_coverage.py and others, N and M from 60 to
        5000, D 4 to 32), the error is 1.1 to 1.8 times the spread where N and M are alike, and
        96 to 100 % of intervals held; with 8 to 25 times more points than balls it can be 0.75
        times the spread, and 87 % held. Wilson's interval with the number of independent images
        that would give this error stays within [0, 1].
        """
        if min(len(self.of_points), len(self.of_balls)) < 2:
            return Estimate(self.share)
        error = standard_error(self.of_points, self.of_balls)
        count = min(len(self.of_points), len(self.of_balls))
        spread = self.share * (1 - self.share)
        effective = spread / error**2 if error and spread else count
        return Estimate(
            self.share,
            standard_error=error or None,  # nothing differs: the interval says what that is worth
            interval=wilson_interval(self.share, effective),
            interval_method="Wilson, effective count from a jackknife over both sides",
        )


def held_share(counts: Tensor, sole_ball: Tensor, balls: int) -> HeldShare:
    """From how many balls hold each point.

    Args:
        counts: (n,) int64.
        sole_ball: (n,) int64, the ball where the count is 1.
        balls: how many balls there are.
    """
    held = (counts > 0).double()
    alone = torch.bincount(sole_ball[counts == 1], minlength=balls).double()
    of_balls = alone * (balls / len(counts))
    return HeldShare(float(held.mean()), held - held.mean(), of_balls - of_balls.mean())
