"""Rarity score: how sparse the real neighbourhood is that a generated image falls into."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metrics.balls import Ties, overlap, zero_radii
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.neighbours import check_neighbours, squared_radii


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
    return _rarity(real=real, fake=fake, k=k)[0]


def _rarity(*, real: Tensor, fake: Tensor, k: int) -> tuple[Tensor, dict[str, int]]:
    check_features(real=real, fake=fake)
    check_neighbours(k, real=real)
    radii = squared_radii(real, k)
    found = overlap(real=real, fake=fake, real_squared_radii=radii, ties=Ties.strict)
    rarity = found.smallest_ball.where(found.real_balls > 0, torch.nan).sqrt()
    return rarity, zero_radii(real=radii)


@dataclass(frozen=True)
class Rarity:
    """Protocol: all rows of both sides; images without a score count in defined_fraction only.

    Attributes:
        k: neighbour that a real ball reaches.
    """

    k: int = 3

    scores: ClassVar[dict[str, Better]] = {
        "mean": Better.NEITHER,
        "median": Better.NEITHER,
        "max": Better.NEITHER,
        "defined_fraction": Better.HIGHER,
    }

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """Summary of the defined scores, and the score of every generated image."""
        rarity, flags = _rarity(real=real, fake=fake, k=self.k)
        defined = rarity[~rarity.isnan()]
        share = Estimate(len(defined) / len(rarity))
        return Outcome(
            scores={**_summary(defined), "defined_fraction": share},
            per_image={"fake": {"rarity": rarity}},
            flags=flags,
        )


def _summary(defined: Tensor) -> dict[str, Estimate]:
    if len(defined) == 0:
        nothing = Estimate(torch.nan, undefined="no generated image lies in a real ball")
        return {"mean": nothing, "median": nothing, "max": nothing}
    return {
        "mean": Estimate(float(defined.mean())),
        "median": Estimate(float(defined.quantile(0.5))),
        "max": Estimate(float(defined.max())),
    }
