"""Realism score: how deep in the real manifold a generated image lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import torch
from torch import Tensor

from metrics.balls import zero_radii
from metrics.distances import squared_distances
from metrics.intervals import mean_estimate
from metrics.metric import Better, Estimate, Outcome
from metrics.neighbourhood import NearestReal, Neighbours, Visitor, Want
from metrics.neighbours import check_rank
from metrics.screen import Tile


class Variant(Enum):
    """Three numbers that are called realism; all are 1 or more exactly inside a kept ball."""

    paper = "paper"  # radius / distance over balls whose radius is below the median
    official = "official"  # radius^2 / (distance^2 + 1e-5) over all balls
    port = "port"  # radius / (distance + 1e-6) over all balls

    def score(self, squared_radius: Tensor, squared_distance: Tensor) -> Tensor:
        """Score of a ball for an image; on the surface of a ball of radius 0 it is 1."""
        if self is Variant.official:
            return squared_radius / (squared_distance + 1e-5)
        if self is Variant.port:
            return squared_radius.sqrt() / (squared_distance.sqrt() + 1e-6)
        both_zero = (squared_radius == 0) & (squared_distance == 0)
        return (squared_radius / squared_distance).sqrt().masked_fill(both_zero, 1.0)

    def kept(self, squared_radii: Tensor) -> Tensor:
        """(N,) bool: the balls that take part."""
        if self is Variant.paper:
            return squared_radii.sqrt() < squared_radii.sqrt().quantile(0.5)
        return torch.ones_like(squared_radii, dtype=torch.bool)

    def shortfall(self, score: Tensor) -> Tensor:
        """A ratio radius / distance that the ball of a score this high must reach."""
        return score.sqrt() if self is Variant.official else score


def realism_scores(
    *, real: Tensor, fake: Tensor, k: int = 3, variant: Variant = Variant.paper
) -> Tensor:
    """Realism of each generated image.

    realism(f) = max over kept reals r of NN_k(r) / d(f, r), where NN_k(r) is the distance of r to
    its k-th neighbour among the reals; see `Variant` for what is kept and squared. Higher is
    better; at least 1 exactly where f lies in a kept ball.

    Args:
        real: (N, D) features of reference images, N > k.
        fake: (M, D) features of generated images, M >= 1, from the same backbone.
        k: neighbour that a real ball reaches, not counting its own centre.
        variant: which of the published forms.

    Returns:
        (M,) float64; under `paper` infinity for a copy of a kept real, and NaN for all where no
        radius is below the median, as half of them or more are equal and smallest.

    Raises:
        ValueError: if k < 1, real has no more than k rows, a side is not usable or widths
            differ.

    Source: T. Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative
    Models", 2019, eq. 4 (paper), its TensorFlow code (official, which works on squared distances)
    and the common PyTorch port (port).
    Differs: distances decide as in float64, not float32; `official` leaves out the clamp to the
    median that only the authors' experiment script sets.
    """
    scores: Tensor = Neighbours(real=real, fake=fake)[BestBall(k, variant)]
    return scores


@dataclass(frozen=True)
class BestBall:
    """The best realism score that any kept ball gives each fake, (M,) float64.

    Attributes:
        k: neighbour that a real ball reaches.
        variant: which of the published forms.
    """

    k: int
    variant: Variant

    def check(self, neighbours: Neighbours) -> None:
        """K rows and one more on the real side."""
        check_rank(self.k, real=len(neighbours.real))

    def radius_rank(self) -> int:
        """The ball's own k."""
        return self.k

    @staticmethod
    def visitor(neighbours: Neighbours, wants: Sequence["BestBall"]) -> Visitor:
        """A search for each variant."""
        return _Searches([_Search(neighbours, want) for want in wants])


class _Searches:
    """Several variants at once."""

    def __init__(self, searches: list["_Search"]) -> None:
        self.searches = searches

    def see(self, tile: Tile) -> None:
        for search in self.searches:
            search.see(tile)

    def results(self) -> dict[Any, Tensor]:
        return {search.want: search.best for search in self.searches}


class _Search:
    """Running maximum: only balls that may beat the best score so far are summed directly."""

    def __init__(self, neighbours: Neighbours, want: BestBall) -> None:
        self.want, self.neighbours = want, neighbours
        radii = neighbours.squared_radii("real", want.k)
        self.squared_radii = radii.where(want.variant.kept(radii), -1.0)  # no part for pruned ones
        self.kept = bool((self.squared_radii >= 0).any())
        self.best = radii.new_full((len(neighbours.fake),), 0.0 if self.kept else torch.nan)

    def see(self, tile: Tile) -> None:
        if not self.kept:
            return
        radii = self.squared_radii[tile.j]
        self._raise_by_guess(tile, radii)
        floor = self.want.variant.shortfall(self.best[tile.i])
        hopeful = tile.within_product(1 / floor.clamp(min=1e-30), radii.clamp(min=0).sqrt())
        pairs = tile.pairs(hopeful & (radii >= 0))
        possible = self.want.variant.score(self.squared_radii[pairs.j], pairs.low)
        self._sum(pairs[~(possible < self.best[pairs.i])])

    def _raise_by_guess(self, tile: Tile, radii: Tensor) -> None:
        """The ball that seems best in this tile gives a first bound."""
        weights = (1 / radii).masked_fill(radii <= 0, torch.inf).to(tile.squares.dtype)
        guess = (tile.squares.clamp(min=1e-30) * weights).argmin(dim=1)
        rows = torch.arange(len(guess), device=guess.device)
        pairs = tile.enclosed(rows, guess)
        self._sum(pairs[self.squared_radii[pairs.j] >= 0])

    def _sum(self, pairs: Any) -> None:
        sides = self.neighbours.sides
        exact = squared_distances(sides["fake"].rows, sides["real"].rows, pairs.i, pairs.j)
        scores = self.want.variant.score(self.squared_radii[pairs.j], exact)
        self.best.scatter_reduce_(0, pairs.i, scores, "amax")


@dataclass(frozen=True)
class Realism:
    """Protocol: all rows of both sides.

    Attributes:
        variant: paper, official or port; three different numbers.
        k: neighbour that a real ball reaches.
    """

    variant: Variant = Variant.paper
    k: int = 3

    scores: ClassVar[dict[str, Better]] = {"mean": Better.HIGHER}

    def __post_init__(self) -> None:
        check_rank(self.k)

    def wants(self) -> tuple[Want, ...]:
        """What the shared pass must look for."""
        return BestBall(self.k, self.variant), NearestReal()

    def compute(self, *, neighbours: Neighbours) -> Outcome:
        """The mean, and the score of every generated image."""
        found = neighbours[BestBall(self.k, self.variant)]
        copies = int(found.isinf().sum())
        return Outcome(
            scores={"mean": _mean(found, copies)},
            per_image={"fake": {"realism": found}},
            nearest_real=neighbours.nearest_real.indices,
            flags=zero_radii(real=neighbours.squared_radii("real", self.k))
            | ({"infinite_realism": copies} if copies else {}),
        )


def _mean(found: Tensor, copies: int) -> Estimate:
    if found.isnan().any():
        return Estimate(torch.nan, undefined="no radius of a real ball is below the median")
    if copies:
        why = f"{copies} generated images copy a kept real image: their realism is infinite"
        return Estimate(torch.nan, undefined=why)
    return mean_estimate(found, method="of the mean, given the reference images")
