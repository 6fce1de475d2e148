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
        fake_ball_index: (N,) int64, the fake at the centre of one of them, -1 if none.
    """

    real_balls: Tensor
    smallest_ball: Tensor
    smallest_ball_index: Tensor
    fakes_held: Tensor
    held_fake: Tensor
    fake_balls: Tensor
    fake_ball_index: Tensor


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
    _count_real_balls(found, pairs.i[held], pairs.j[held], radii.real)
    held = below(squares, radii.fake[pairs.i])
    i, j = pairs.i[held], pairs.j[held]
    found.fake_balls.add_(torch.bincount(j, minlength=len(found.fake_balls)))
    found.fake_ball_index[j] = i


def _count_real_balls(found: Overlap, i: Tensor, j: Tensor, squared_radii: Tensor) -> None:
    found.real_balls.add_(torch.bincount(i, minlength=len(found.real_balls)))
    found.fakes_held.add_(torch.bincount(j, minlength=len(found.fakes_held)))
    found.held_fake[j] = i
    before = found.smallest_ball.clone()
    found.smallest_ball.scatter_reduce_(0, i, squared_radii[j], "amin")
    smaller = (squared_radii[j] == found.smallest_ball[i]) & (squared_radii[j] < before[i])
    i, j = i[smaller], j[smaller]
    found.smallest_ball_index[i] = torch.iinfo(torch.int64).max
    found.smallest_ball_index.scatter_reduce_(0, i, j, "amin")


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
        fake_ball_index=filled(len(reals), -1),
    )
