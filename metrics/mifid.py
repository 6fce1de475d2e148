"""Memorisation-informed Frechet distance (MiFID): copies of reference images raise it."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import torch
from torch import Tensor

from metrics.blocks import ENTRIES, blocks
from metrics.fid import frechet_distance
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.moments import check_divisor
from metrics.parameters import above_zero, divisor


def mifid(*, real: Tensor, fake: Tensor, eps: float = 0.1, ddof: int = 1) -> float:
    """Frechet distance over memorisation distance, where that is below `eps`.

    mifid = fid / m with m the mean over fakes of the smallest 1 - |cos(fake, real)|; m = 1 where it
    is `eps` or more. In squared feature units, >= 0. Lower is better.

    Args:
        real: (N, D) features of the images that were trained on, N > ddof.
        fake: (M, D) features of generated images, M > ddof, from the same backbone.
        eps: memorisation distance from which nothing is penalised, in (0, 1].
        ddof: as for `frechet_distance`.

    Returns:
        The score; NaN where m = 0, as where every fake is a copy.

    Raises:
        ValueError: if a side is not usable or all of it are zeros, or eps is out of range.

    Source: C. Bai et al., "On Training Sample Memorization: Lessons from Benchmarking Generative
    Modeling with a Large-Scale Competition", 2021, section 3; torchmetrics for |cos| and eps = 0.1.
    Differs: torchmetrics takes m over reals, of the distance to the nearest fake (`Roles.swapped`);
    it adds 1e-14 to m and returns 0 for a distance below 1e-8; here m = 0 has no score. Rows of
    zeros have no angle and are left out by their norm, not by their sum.
    """
    _check(eps, ddof)
    check_divisor(ddof, real=real, fake=fake)
    distances = cosine_distances(real=real, fake=fake)
    return _score(frechet_distance(real=real, fake=fake, ddof=ddof), distances, eps)


def cosine_distances(*, real: Tensor, fake: Tensor, entries: int = ENTRIES) -> Tensor:
    """Smallest 1 - |cos| of each fake to any real row.

    Args:
        real: (N, D) features, not all zeros.
        fake: (M, D) features, not all zeros.
        entries: pairs, and float64 features, held at a time.

    Returns:
        (M,) float64 in [0, 1], 0 exactly for a copy; NaN for a row of zeros.
    """
    check_features(real=real, fake=fake)
    for side, rows in (("real", real), ("fake", fake)):
        if not rows.any():
            raise ValueError(f"{side}: all {len(rows)} rows are zeros, which have no angle.")
    smallest = torch.full((len(fake),), torch.inf, dtype=torch.float64, device=fake.device)
    height = max(1, entries // max(real.shape[1], 2048))
    for mine in blocks(len(fake), width=1, entries=height):
        directions = _directions(fake[mine])
        for theirs in blocks(len(real), width=1, entries=height):
            near = _smallest_chords(directions, _directions(real[theirs]))
            smallest[mine] = torch.minimum(smallest[mine], near)
    return smallest.masked_fill_(~fake.any(dim=1), torch.nan)


def _directions(rows: Tensor) -> Tensor:
    """(n, D) float64 of length 1, or 0 for a row of zeros."""
    rows = rows.double()
    largest = rows.abs().amax(dim=1, keepdim=True)  # first, so that squares cannot overflow
    return torch.nn.functional.normalize(rows / largest.masked_fill(largest == 0, 1), dim=1)


def _smallest_chords(fake: Tensor, real: Tensor) -> Tensor:
    """(m,) smallest 1 - |cos| as |u -+ v|^2 / 2, which keeps the digits of near copies."""
    cosines, nearest = (fake @ real.T).abs().max(dim=1)
    partner = real[nearest]
    chords = torch.stack([(fake - partner), (fake + partner)]).square().sum(dim=2) / 2
    return torch.where(cosines > 0, chords.amin(dim=0), 1.0)


def _check(eps: float, ddof: int) -> None:
    above_zero("torchmetrics' is 0.1", most=1, eps=eps)
    divisor(ddof)


def _score(distance: float, distances: Tensor, eps: float) -> float:
    memorisation = float(distances.nanmean())
    if memorisation == 0:
        return float("nan")
    return distance / memorisation if memorisation < eps else distance


class Roles(Enum):
    """Whose distances to the nearest image of the other side are averaged."""

    published = "published"  # each fake's to the reals: how much of what was made is copied
    swapped = "swapped"  # each real's to the fakes, as torchmetrics: how much was copied of what is


@dataclass(frozen=True)
class Mifid:
    """Protocol: all rows of both sides; flags whether the penalty applied.

    Attributes:
        eps: memorisation distance from which nothing is penalised.
        ddof: covariance divisor N - ddof.
        roles: whose memorisation distance divides.
    """

    eps: float = 0.1
    ddof: int = 1
    roles: Roles = Roles.published

    scores: ClassVar[dict[str, Better]] = {"mifid": Better.LOWER}

    def __post_init__(self) -> None:
        _check(self.eps, self.ddof)

    def compute(self, *, real: Tensor, fake: Tensor) -> Outcome:
        """The score, and the cosine distance of each fake to the nearest real by angle.

        With swapped roles, of each real to the nearest fake.
        """
        check_divisor(self.ddof, real=real, fake=fake)
        swapped = self.roles is Roles.swapped
        side, other, mine = ("real", fake, real) if swapped else ("fake", real, fake)
        distances = cosine_distances(real=other, fake=mine)
        distance = frechet_distance(real=real, fake=fake, ddof=self.ddof)
        value = _score(distance, distances, self.eps)
        undefined = f"the memorisation distance is 0: every {side} is a copy, up to its length"
        flags = {
            "memorisation_penalty": int(float(distances.nanmean()) < self.eps),
            "zero_rows_fake": int((~fake.any(dim=1)).sum()),
            "zero_rows_real": int((~real.any(dim=1)).sum()),
        }
        return Outcome(
            scores={"mifid": Estimate(value, undefined=undefined if value != value else None)},
            per_image={side: {"cosine_distance": distances}},
            flags={name: count for name, count in flags.items() if count},
        )
