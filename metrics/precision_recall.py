"""Improved precision and recall: shares of each side inside the other's k-neighbour balls."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metrics.balls import Overlap, Ties
from metrics.held_shares import Growth, HeldShare, held_share, share_held
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
    return {"precision": share_held(found.real_balls), "recall": share_held(found.fake_balls)}


def shares(neighbours: Neighbours, balls: Balls) -> dict[str, HeldShare]:
    """Precision and recall, with the influence of every image."""
    found, growth = neighbours[balls], _growth(neighbours, balls)
    reals, fakes = len(neighbours.real), len(neighbours.fake)
    of_real, of_fake = growth.get("real"), growth.get("fake")
    return {
        "precision": held_share(found.real_balls, found.smallest_ball_index, reals, of_real),
        "recall": held_share(found.fake_balls, found.smallest_fake_ball_index, fakes, of_fake),
    }


def grown(balls: Balls) -> Balls:
    """The balls that would be there if a neighbour were not."""
    return Balls(balls.k + 1, balls.ties)


def _growth(neighbours: Neighbours, balls: Balls) -> dict[str, Growth]:
    """By side; none where there are no rows for a neighbour further."""
    if min(len(neighbours.real), len(neighbours.fake)) <= balls.k + 1:
        return {}
    found: Overlap = neighbours[grown(balls)]
    around = {name: neighbours.indices_within(name, balls.k) for name in ("real", "fake")}
    return {
        "real": Growth(found.real_balls, found.smallest_ball_index, around["real"]),
        "fake": Growth(found.fake_balls, found.smallest_fake_ball_index, around["fake"]),
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

    version: ClassVar[int] = 2  # 1 had narrower errors: it took the other balls as fixed
    scores: ClassVar[dict[str, Better]] = {"precision": Better.HIGHER, "recall": Better.HIGHER}

    def __post_init__(self) -> None:
        check_rank(self.k)

    @property
    def balls(self) -> Balls:
        """Which balls are counted."""
        return Balls(self.k, self.ties)

    def wants(self) -> tuple[Want, ...]:
        """What the shared pass must look for."""
        return self.balls, grown(self.balls), NearestReal()

    def compute(self, *, neighbours: Neighbours) -> Outcome:
        """Both shares, and for every image whether it lies in the other side's manifold."""
        found = neighbours[self.balls]
        held = shares(neighbours, self.balls)
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
