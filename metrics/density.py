"""Density with the influence of every image: what leaving it out would change, exactly."""

import torch
from torch import Tensor

from metrics.intervals import normal_estimate, standard_error
from metrics.metric import Estimate
from metrics.neighbourhood import Balls, Neighbours, RealBalls


def _grown(neighbours: Neighbours, balls: Balls) -> Balls:
    """The balls that would be there if a neighbour were not: of both sides where these can."""
    kind = Balls if len(neighbours.fake) > balls.k + 1 else RealBalls
    return kind(balls.k + 1, balls.ties)


class Density:
    """Mean over fakes of (real balls that hold it) / k.

    A fake adds its own term. A real image adds the fakes in its ball, and takes away those that
    the balls around its neighbours would gain if it were not there, since they would then reach
    one neighbour further. The second part is exact, from the balls of k + 1.

    Args:
        neighbours: the shared pass.
        balls: which balls are counted.

    Attributes:
        value: the density, >= 0.
        of_fakes: (M,) influence of each fake; mean 0.
        of_reals: (N,) influence of each real; None where there are only k + 1 reals.
    """

    def __init__(self, neighbours: Neighbours, balls: Balls) -> None:
        found, k = neighbours[balls], balls.k
        self.value = float(found.real_balls.double().mean()) / k
        self.of_fakes = found.real_balls.double() / k - self.value
        self.of_reals = _of_reals(neighbours, balls) if len(neighbours.real) > k + 1 else None

    def estimate(self) -> Estimate:
        """The value with the error that both sides bring."""
        if self.of_reals is None or len(self.of_fakes) < 2:
            return Estimate(self.value)
        error = standard_error(self.of_fakes, self.of_reals)
        return normal_estimate(self.value, error, "jackknife over both sides")


def _of_reals(neighbours: Neighbours, balls: Balls) -> Tensor:
    held = neighbours[balls].fakes_held.double()
    more = neighbours[_grown(neighbours, balls)].fakes_held
    gain = more.double() - held  # of a ball that reaches one further
    around = neighbours.indices_within("real", balls.k)
    lost = torch.zeros_like(held).index_add_(0, around.flatten(), gain.repeat_interleave(balls.k))
    change = (held - lost) * (len(held) / (balls.k * len(neighbours.fake)))
    return change - change.mean()
