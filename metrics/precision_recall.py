"""Improved precision and recall: shares of each side inside the other's k-neighbour balls."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metrics.balls import Overlap, Ties
from metrics.held_shares import HeldShare, held_share
from metrics.metric import Better, Outcome
from metrics.neighbourhood import Balls, NearestReal, Neighbours, Want
from metrics.neighbours import check_rank


def precision_recall(
    *, real: Tensor, fake: Tensor, k: int = 3, ties: Ties = Ties.inclusive
) -> dict[str, float]:
    """Fidelity and diversity as two shares.

    precision = share of fakes inside the ball of some real, whose radius is the distance to its
    k-th neighbour among the reals; recall = the same with the sides swapped. Both in [0, 1],
    higher is better; they move with N, M and k, so compare equal counts only.

    Args:
        real: (N, D) features of reference images, N > k.
        fake: (M, D) features of generated images, M > k, from the same backbone.
        k: neighbour that a ball reaches, not counting its own centre.
        ties: whether a point at exactly the radius is inside.

    Returns:
        {"precision": ..., "recall": ...}.

    Raises:
        ValueError: if k < 1, a side has no more than k rows or is not usable, or widths differ.

    Source: T. Kynkaanniemi et al., "Improved Precision and Recall Metric for Assessing Generative
    Models", 2019, eq. 1-3.
    Differs: distances decide as in float64, not float32 or float16.
    """
    found = Neighbours(real=real, fake=fake)[Balls(k, ties)]
    return {name: held.share for name, held in shares(found).items()}


def shares(found: Overlap) -> dict[str, HeldShare]:
    """Precision and recall of an overlap, with the influence of every image."""
    reals, fakes = len(found.fake_balls), len(found.real_balls)
    return {
        "precision": held_share(found.real_balls, found.smallest_ball_index, reals),
        "recall": held_share(found.fake_balls, found.fake_ball_index, fakes),
    }


@dataclass(frozen=True)
class PrecisionRecall:
    """Protocol: all rows of both sides.

    Attributes:
        k: neighbour that a ball reaches.
        ties: inclusive is the paper's "<=".
    """

    k: int = 3
    ties: Ties = Ties.inclusive

    scores: ClassVar[dict[str, Better]] = {"precision": Better.HIGHER, "recall": Better.HIGHER}

    def __post_init__(self) -> None:
        check_rank(self.k)

    @property
    def balls(self) -> Balls:
        """Which balls are counted."""
        return Balls(self.k, self.ties)

    def wants(self) -> tuple[Want, ...]:
        """What the shared pass must look for."""
        return self.balls, NearestReal()

    def compute(self, *, neighbours: Neighbours) -> Outcome:
        """Both shares, and for every image whether it lies in the other side's manifold."""
        found = neighbours[self.balls]
        held = shares(found)
        precision, recall = held["precision"], held["recall"]
        return Outcome(
            scores={name: each.estimate() for name, each in held.items()},
            per_image={
                "fake": {
                    "in_real_manifold": (found.real_balls > 0).double(),
                    "precision_influence": precision.of_points,
                    "recall_influence": recall.of_balls,
                },
                "real": {
                    "in_fake_manifold": (found.fake_balls > 0).double(),
                    "precision_influence": precision.of_balls,
                    "recall_influence": recall.of_points,
                },
            },
            nearest_real=neighbours.nearest_real.indices,
            flags=self.balls.flags(neighbours),
        )
