"""Which balls around real features hold which generated features, and the other way round."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import torch
from torch import Tensor

from metrics.distances import squared_distances
from metrics.rounded import Side
from metrics.screen import Pairs, Tile


class Ties(Enum):
    """Whether a point on the surface of a ball lies in it; decides copies and duplicates."""

    strict = "strict"  # d < radius: a ball of radius 0 holds nothing
    inclusive = "inclusive"  # d <= radius: a ball of radius 0 holds copies of its centre


@dataclass(frozen=True)
class Overlap:
    """What one pass over all (fake, real) pairs found.

    Attributes:
        real_balls: (M,) int64, real balls that hold each fake.
        smallest_ball: (M,) float64, squared radius of the smallest of them, infinity if none.
        smallest_ball_index: (M,) int64, the real at its centre, -1 if none.
        fakes_held: (N,) int64, fakes that each real ball holds.
        held_fake: (N,) int64, one of them, -1 if none.
        fake_balls: (N,) int64, fake balls that hold each real.
        smallest_fake_ball: (N,) float64, squared radius of the smallest of them, infinity if none.
        smallest_fake_ball_index: (N,) int64, the fake at its centre, -1 if none.
    """

    real_balls: Tensor
    smallest_ball: Tensor
    smallest_ball_index: Tensor
    fakes_held: Tensor
    held_fake: Tensor
    fake_balls: Tensor
    smallest_fake_ball: Tensor
    smallest_fake_ball_index: Tensor


@dataclass(frozen=True)
class Radii:
    """Squared radii of the balls of one rule.

    Attributes:
        real: (N,) float64.
        fake: (M,) float64.
        ties: whether the surface belongs to a ball.
    """

    real: Tensor
    fake: Tensor
    ties: Ties


class BallCounter:
    """Counts what the balls of several rules hold, seeing every tile of (fake, real) pairs once.

    Args:
        fakes, reals: the two sides.
        rules: radii by any key.
    """

    def __init__(self, fakes: Side, reals: Side, rules: Mapping[Any, Radii]) -> None:
        self.fakes, self.reals, self.rules = fakes, reals, rules
        self.found = {key: _nothing_found(fakes, reals) for key in rules}
        self.real_reach = _largest([radii.real for radii in rules.values()])
        self.fake_reach = _largest([radii.fake for radii in rules.values()])

    def see(self, tile: Tile) -> None:
        """Count the pairs of one tile."""
        limits = self.fake_reach[tile.i][:, None], self.real_reach[tile.j][None, :]
        pairs = tile.near(*limits)
        squares = self._decisive(pairs)
        for key, radii in self.rules.items():
            _count(self.found[key], pairs, squares, radii)

    def results(self) -> dict[Any, Overlap]:
        """Rule -> what its balls hold."""
        return self.found

    def _decisive(self, pairs: Pairs) -> Tensor:
        """(P,) values that compare with every radius as the direct sums do."""
        undecided = torch.zeros_like(pairs.i, dtype=torch.bool)
        for radii in self.rules.values():
            for limit in (radii.fake[pairs.i], radii.real[pairs.j]):
                undecided |= (pairs.low <= limit) & (limit <= pairs.high)
        squares = pairs.high.clone()
        i, j = pairs.i[undecided], pairs.j[undecided]
        squares[undecided] = squared_distances(self.fakes.rows, self.reals.rows, i, j)
        return squares


def zero_radii(**squared_radii_by_side: Tensor) -> dict[str, int]:
    """Count zero radii (k or more copies of a row) by side, leaving out sides without any."""
    counts = {
        f"zero_radii_{side}": int((values == 0).sum())
        for side, values in squared_radii_by_side.items()
    }
    return {name: count for name, count in counts.items() if count}


def _count(found: Overlap, pairs: Pairs, squares: Tensor, radii: Radii) -> None:
    below: Callable[[Tensor, Tensor], Tensor] = torch.lt if radii.ties is Ties.strict else torch.le
    held = below(squares, radii.real[pairs.j])
    i, j = pairs.i[held], pairs.j[held]
    found.fakes_held.add_(torch.bincount(j, minlength=len(found.fakes_held)))
    found.held_fake[j] = i
    found.real_balls.add_(torch.bincount(i, minlength=len(found.real_balls)))
    _keep_smallest(found.smallest_ball, found.smallest_ball_index, i, j, radii.real)
    held = below(squares, radii.fake[pairs.i])
    i, j = pairs.i[held], pairs.j[held]
    found.fake_balls.add_(torch.bincount(j, minlength=len(found.fake_balls)))
    _keep_smallest(found.smallest_fake_ball, found.smallest_fake_ball_index, j, i, radii.fake)


def _keep_smallest(
    smallest: Tensor, index: Tensor, points: Tensor, balls: Tensor, squared_radii: Tensor
) -> None:
    """Of the balls that hold a point, whatever their order; of equal ones the first."""
    before = smallest.clone()
    smallest.scatter_reduce_(0, points, squared_radii[balls], "amin")
    found = squared_radii[balls]
    smaller = (found == smallest[points]) & (found < before[points])
    points, balls = points[smaller], balls[smaller]
    index[points] = torch.iinfo(torch.int64).max
    index.scatter_reduce_(0, points, balls, "amin")


def _largest(radii: list[Tensor]) -> Tensor:
    return torch.stack(radii).amax(dim=0)


def _nothing_found(fakes: Side, reals: Side) -> Overlap:
    device = fakes.rows.values.device

    def filled(count: int, value: int) -> Tensor:
        return torch.full((count,), value, dtype=torch.int64, device=device)

    return Overlap(
        real_balls=filled(len(fakes), 0),
        smallest_ball=torch.full((len(fakes),), torch.inf, dtype=torch.float64, device=device),
        smallest_ball_index=filled(len(fakes), -1),
        fakes_held=filled(len(reals), 0),
        held_fake=filled(len(reals), -1),
        fake_balls=filled(len(reals), 0),
        smallest_fake_ball=torch.full((len(reals),), torch.inf, dtype=torch.float64, device=device),
        smallest_fake_ball_index=filled(len(reals), -1),
    )
