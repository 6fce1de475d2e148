"""Precision, recall, density and coverage of k-neighbour balls (PRDC)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metrics.balls import Overlap, Ties, neighbourhoods
from metrics.metric import Better, Estimate, Outcome


def prdc(*, real: Tensor, fake: Tensor, k: int = 5, ties: Ties = Ties.strict) -> dict[str, float]:
    """Fidelity (precision, density) and diversity (recall, coverage).

    With a ball on every row that reaches its k-th neighbour on its own side:
    precision = share of fakes in some real ball; recall = share of reals in some fake ball;
    density = mean over fakes of (real balls that hold it) / k, may exceed 1;
    coverage = share of real balls that hold some fake. All >= 0, higher is better.

    Args:
        real: (N, D) features of reference images, N > k.
        fake: (M, D) features of generated images, M > k, from the same backbone; M may differ.
        k: neighbour that a ball reaches, not counting its own centre.
        ties: whether a point at exactly the radius is inside.

    Returns:
        {"precision": ..., "recall": ..., "density": ..., "coverage": ...}.

    Raises:
        ValueError: if k < 1, a side has no more than k rows or is not usable, or widths differ.

    Source: M. F. Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models",
    2020, eq. 3-4, and the authors' code (for the strict comparison).
    Differs: no N x M matrix is held; copies are at distance 0 exactly.
    """
    return _values(neighbourhoods(real=real, fake=fake, k=k, ties=ties).overlap, k)


def _values(found: Overlap, k: int) -> dict[str, float]:
    return {
        "precision": float((found.real_balls > 0).double().mean()),
        "recall": float((found.fake_balls > 0).double().mean()),
        "density": float(found.real_balls.double().mean()) / k,
        "coverage": float((found.fakes_held > 0).double().mean()),
    }


@dataclass(frozen=True)
class Prdc:
    """Protocol: all rows of both sides.

    Attributes:
        k: neighbour that a ball reaches.
        ties: strict is the "<" of the authors' code.
    """

    k: int = 5
    ties: Ties = Ties.strict

    scores: ClassVar[dict[str, Better]] = {
        "precision": Better.HIGHER,
        "recall": Better.HIGHER,
        "density": Better.HIGHER,
        "coverage": Better.HIGHER,
    }

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """The four scores, and the columns of which they are the means."""
        found = neighbourhoods(real=real, fake=fake, k=self.k, ties=self.ties)
        held = found.overlap
        return Outcome(
            scores={name: Estimate(value) for name, value in _values(held, self.k).items()},
            per_image={
                "fake": {
                    "in_real_manifold": (held.real_balls > 0).double(),
                    "density": held.real_balls.double() / self.k,
                },
                "real": {
                    "in_fake_manifold": (held.fake_balls > 0).double(),
                    "covered": (held.fakes_held > 0).double(),
                },
            },
            flags=found.flags,
        )
