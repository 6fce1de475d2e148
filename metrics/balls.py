"""Which balls around real features hold which generated features, and the other way round."""

from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from metrics.blocks import ENTRIES, blocks
from metrics.distances import Points, place, squared_distance_bounds, squared_distances
from metrics.metric import check_features
from metrics.neighbours import check_neighbours, joint_centre, squared_radii


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
        fake_balls: (N,) int64, fake balls that hold each real; 0 if no fake radii were given.
    """

    real_balls: Tensor
    smallest_ball: Tensor
    smallest_ball_index: Tensor
    fakes_held: Tensor
    fake_balls: Tensor


@dataclass(frozen=True)
class Neighbourhoods:
    """Balls that reach the k-th neighbour, on both sides, and what they hold.

    Attributes:
        overlap: which balls hold which points.
        flags: how many radii are zero, by side; sides without any are left out.
    """

    overlap: Overlap
    flags: dict[str, int]


def neighbourhoods(*, real: Tensor, fake: Tensor, k: int, ties: Ties) -> Neighbourhoods:
    """Put a ball on every row that reaches its k-th neighbour, and find what each holds.

    Args:
        real: (N, D) features, N > k.
        fake: (M, D) features, M > k.
        k: neighbour that a ball reaches, not counting its own centre.
        ties: whether the surface belongs to a ball.

    Raises:
        ValueError: if k < 1, a side has no more than k rows or is not usable, or widths differ.
    """
    check_neighbours(k, real=real, fake=fake)
    reals, fakes = squared_radii(real, k), squared_radii(fake, k)
    found = overlap(
        real=real, fake=fake, real_squared_radii=reals, fake_squared_radii=fakes, ties=ties
    )
    return Neighbourhoods(found, zero_radii(real=reals, fake=fakes))


def zero_radii(**squared_radii_by_side: Tensor) -> dict[str, int]:
    """Count zero radii (k or more copies of a row) by side, leaving out sides without any."""
    counts = {
        f"zero_radii_{side}": int((values == 0).sum())
        for side, values in squared_radii_by_side.items()
    }
    return {name: count for name, count in counts.items() if count}


def overlap(
    *,
    real: Tensor,
    fake: Tensor,
    real_squared_radii: Tensor,
    fake_squared_radii: Tensor | None = None,
    ties: Ties,
    entries: int = ENTRIES,
) -> Overlap:
    """Compare every (fake, real) distance with the radii at both ends, in one pass.

    Args:
        real: (N, D) features.
        fake: (M, D) features.
        real_squared_radii: (N,) float64, from `squared_radii`.
        fake_squared_radii: (M,) float64, or None where fake balls are not needed.
        ties: whether the surface belongs to a ball.
        entries: pairs held at a time; cannot change the result.
    """
    check_features(real=real, fake=fake)
    centre = joint_centre(real, fake)
    fakes, reals = place(fake, centre=centre), place(real, centre=centre)
    found = _nothing_found(fakes=len(fake), reals=len(real), device=fake.device)
    for block in blocks(len(fake), width=len(real), entries=entries):
        pairs = _Pairs(fakes, reals, block, *squared_distance_bounds(fakes, reals, block))
        _count_real_balls(found, pairs, real_squared_radii, ties)
        if fake_squared_radii is not None:
            held = pairs.within(fake_squared_radii[block, None], ties)
            found.fake_balls.add_(held.sum(dim=0))
    return found


@dataclass(frozen=True)
class _Pairs:
    """One block of pairs: bounds on their distances, and the way to the exact ones."""

    fakes: Points
    reals: Points
    block: slice
    low: Tensor  # (m, N)
    high: Tensor

    def within(self, squared_radii: Tensor, ties: Ties) -> Tensor:
        """(m, N) bool: is the distance below the radius, which broadcasts over the block."""
        within = self.high < squared_radii
        i, j = ((self.low <= squared_radii) & ~within).nonzero(as_tuple=True)
        direct = squared_distances(self.fakes, self.reals, self.block.start + i, j)
        limit = squared_radii.expand_as(self.low)[i, j]
        within[i, j] = direct < limit if ties is Ties.strict else direct <= limit
        return within


def _count_real_balls(found: Overlap, pairs: _Pairs, squared_radii: Tensor, ties: Ties) -> None:
    held = pairs.within(squared_radii[None, :], ties)
    found.fakes_held.add_(held.sum(dim=0))
    found.real_balls[pairs.block] = held.sum(dim=1)
    smallest, index = torch.where(held, squared_radii, torch.inf).min(dim=1)
    found.smallest_ball[pairs.block] = smallest
    found.smallest_ball_index[pairs.block] = index.where(smallest.isfinite(), -1)


def _nothing_found(*, fakes: int, reals: int, device: torch.device) -> Overlap:
    def zeros(count: int) -> Tensor:
        return torch.zeros(count, dtype=torch.int64, device=device)

    return Overlap(
        real_balls=zeros(fakes),
        smallest_ball=torch.full((fakes,), torch.inf, dtype=torch.float64, device=device),
        smallest_ball_index=zeros(fakes) - 1,
        fakes_held=zeros(reals),
        fake_balls=zeros(reals),
    )
