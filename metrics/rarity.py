"""Rarity score: how sparse the real neighbourhood is that a generated image falls into."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metrics.balls import Overlap, Ties
from metrics.held_shares import Growth, HeldShare, held_share
from metrics.intervals import mean_estimate, median_estimate
from metrics.metric import Better, Estimate, Outcome
from metrics.neighbourhood import NearestReal, Neighbours, RealBalls, Want
from metrics.neighbours import check_rank


def rarity_scores(*, real: Tensor, fake: Tensor, k: int = 3) -> Tensor:
    """Rarity of each generated image.

    rarity(f) = min over reals r with d(f, r) < NN_k(r) of NN_k(r), where NN_k(r) is the distance
    of r to its k-th neighbour among the reals; in units of the features. Large: f lies where
    real images are rare. Neither direction is better; judge it beside precision.

    Args:
        real: (N, D) features of reference images, N > k.
        fake: (M, D) features of generated images, M >= 1, from the same backbone.
        k: neighbour that a real ball reaches, not counting its own centre.

    Returns:
        (M,) float64, NaN where the image lies in no real ball.

    Raises:
        ValueError: if k < 1, real has no more than k rows, a side is not usable, or widths differ.

    Source: J. Han et al., "Rarity Score: A New Metric to Evaluate the Uncommonness of Synthesized
    Images", 2023, eq. 4.
    Differs: the authors' code returns 0 where undefined, which would sort as the most common.
    """
    return _rarity(Neighbours(real=real, fake=fake)[RealBalls(k, Ties.strict)])


def _rarity(found: Overlap) -> Tensor:
    return found.smallest_ball.where(found.real_balls > 0, torch.nan).sqrt()


@dataclass(frozen=True)
class Rarity:
    """Protocol: all rows of both sides; images without a score count in defined_fraction only.

    Attributes:
        k: neighbour that a real ball reaches.
    """

    k: int = 3

    version: ClassVar[int] = 2  # 1 had narrower errors of defined_fraction
    scores: ClassVar[dict[str, Better]] = {
        "mean": Better.NEITHER,
        "median": Better.NEITHER,
        "max": Better.NEITHER,
        "defined_fraction": Better.HIGHER,
    }

    def __post_init__(self) -> None:
        check_rank(self.k)

    @property
    def balls(self) -> RealBalls:
        """Which balls are searched."""
        return RealBalls(self.k, Ties.strict)

    @property
    def grown(self) -> RealBalls:
        """Those that would be there if a neighbour were not."""
        return RealBalls(self.k + 1, Ties.strict)

    def wants(self) -> tuple[Want, ...]:
        """What the shared pass must look for."""
        return self.balls, self.grown, NearestReal()

    def compute(self, *, neighbours: Neighbours) -> Outcome:
        """Summary of the defined scores, and the score of every generated image."""
        found = neighbours[self.balls]
        rarity = _rarity(found)
        share = _defined(neighbours, self.balls, self.grown)
        return Outcome(
            scores={**_summary(rarity[~rarity.isnan()]), "defined_fraction": share.estimate()},
            per_image={
                "fake": {"rarity": rarity, "defined_fraction_influence": share.of_points},
                "real": {"defined_fraction_influence": share.of_balls},
            },
            nearest_real=neighbours.nearest_real.indices,
            flags=self.balls.flags(neighbours),
        )


def _defined(neighbours: Neighbours, balls: RealBalls, grown: RealBalls) -> HeldShare:
    found, growth, reals = neighbours[balls], None, len(neighbours.real)
    if reals > balls.k + 1:
        more, around = neighbours[grown], neighbours.indices_within("real", balls.k)
        growth = Growth(more.real_balls, more.smallest_ball_index, around)
    return held_share(found.real_balls, found.smallest_ball_index, reals, growth)


def _summary(defined: Tensor) -> dict[str, Estimate]:
    if len(defined) == 0:
        nothing = Estimate(torch.nan, undefined="no generated image lies in a real ball")
        return {"mean": nothing, "median": nothing, "max": nothing}
    return {
        "mean": mean_estimate(defined, method="of the mean, given the reference images"),
        "median": median_estimate(defined, given="the reference images"),
        "max": Estimate(float(defined.max())),
    }
