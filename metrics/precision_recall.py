"""Improved precision and recall: shares of each side inside the other's k-neighbour balls."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metrics.balls import Overlap, Ties, neighbourhoods
from metrics.metric import Better, Estimate, Outcome


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
    return _shares(neighbourhoods(real=real, fake=fake, k=k, ties=ties).overlap)


def _shares(found: Overlap) -> dict[str, float]:
    return {
        "precision": float((found.real_balls > 0).double().mean()),
        "recall": float((found.fake_balls > 0).double().mean()),
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

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """Both shares, and for every image whether it lies in the other side's manifold."""
        found = neighbourhoods(real=real, fake=fake, k=self.k, ties=self.ties)
        return Outcome(
            scores={name: Estimate(value) for name, value in _shares(found.overlap).items()},
            per_image={
                "fake": {"in_real_manifold": (found.overlap.real_balls > 0).double()},
                "real": {"in_fake_manifold": (found.overlap.fake_balls > 0).double()},
            },
            flags=found.flags,
        )
