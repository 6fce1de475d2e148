"""Precision, recall, density and coverage of k-neighbour balls (PRDC)."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metrics.balls import Overlap, Ties
from metrics.density import Density
from metrics.held_shares import HeldShare, held_share, share_held
from metrics.metric import Better, Outcome
from metrics.neighbourhood import Balls, NearestReal, Neighbours, Want
from metrics.neighbours import check_rank
from metrics.precision_recall import grown, shares

Columns = dict[str, Tensor]


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
    found = Neighbours(real=real, fake=fake)[Balls(k, ties)]
    return {
        "precision": share_held(found.real_balls),
        "recall": share_held(found.fake_balls),
        "density": float(found.real_balls.double().mean()) / k,
        "coverage": share_held(found.fakes_held),
    }


def _shares(neighbours: Neighbours, balls: Balls) -> dict[str, HeldShare]:
    found: Overlap = neighbours[balls]
    coverage = held_share(found.fakes_held, found.held_fake, len(found.real_balls))
    return {**shares(neighbours, balls), "coverage": coverage}


@dataclass(frozen=True)
class Prdc:
    """Protocol: all rows of both sides.

    Attributes:
        k: neighbour that a ball reaches.
        ties: strict is the "<" of the authors' code.
    """

    k: int = 5
    ties: Ties = Ties.strict

    version: ClassVar[int] = 2  # 1 had narrower errors of precision and recall
    scores: ClassVar[dict[str, Better]] = {
        "precision": Better.HIGHER,
        "recall": Better.HIGHER,
        "density": Better.HIGHER,
        "coverage": Better.HIGHER,
    }

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
        """The four scores, and the columns of which they are the means."""
        found = neighbours[self.balls]
        held, density = _shares(neighbours, self.balls), Density(neighbours, self.balls)
        estimates = {name: each.estimate() for name, each in held.items()}
        estimates["density"] = density.estimate()
        return Outcome(
            scores={name: estimates[name] for name in self.scores},
            per_image={
                "fake": _fake_columns(found, held, density),
                "real": _real_columns(found, held, density),
            },
            nearest_real=neighbours.nearest_real.indices,
            flags=self.balls.flags(neighbours),
        )


def _fake_columns(found: Overlap, held: dict[str, HeldShare], density: Density) -> Columns:
    return {
        "in_real_manifold": (found.real_balls > 0).double(),
        "density": density.of_fakes + density.value,
        "precision_influence": held["precision"].of_points,
        "recall_influence": held["recall"].of_balls,
        "density_influence": density.of_fakes,
        "coverage_influence": held["coverage"].of_balls,
    }


def _real_columns(found: Overlap, held: dict[str, HeldShare], density: Density) -> Columns:
    return {
        "in_fake_manifold": (found.fake_balls > 0).double(),
        "covered": (found.fakes_held > 0).double(),
        "precision_influence": held["precision"].of_balls,
        "recall_influence": held["recall"].of_points,
        **({} if density.of_reals is None else {"density_influence": density.of_reals}),
        "coverage_influence": held["coverage"].of_points,
    }
