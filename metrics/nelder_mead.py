"""Nelder-Mead descent of many small problems at once, without derivatives."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Objective = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Minimum:
    """Where each problem came to rest.

    Attributes:
        point: (B, P) best point of each problem.
        value: (B,) objective there.
        converged: (B,) bool, False where the iterations ran out first.
    """

    point: Tensor
    value: Tensor
    converged: Tensor


def nelder_mead(
    objective: Objective,
    *,
    start: Tensor,
    step: Tensor,
    tolerance: float = 1e-6,
    iterations: int = 500,
) -> Minimum:
    """Follow B functions of P variables downhill from B starts, each to its own local minimum.

    Differences of values are all that is used, so kinks and cusps do no harm. A problem rests when
    its simplex is smaller than `tolerance` steps; it is not evaluated again after that.

    Args:
        objective: maps (b, P) points and the (b,) indices of their problems to (b,) float64
            values; infinity marks points that are not allowed.
        start: (B, P) float64, one allowed point per problem.
        step: (B, P) positive, size of the first simplex and unit of `tolerance`.
        tolerance: largest distance between two corners at rest, in steps.
        iterations: iterations after which a problem is left where it is.

    Source: J. Nelder, R. Mead, "A Simplex Method for Function Minimization", 1965; coefficients
    1, 2, 1/2, 1/2.
    """
    count, width = start.shape
    corners = start.new_zeros(width + 1, width)
    corners[1:].fill_diagonal_(1.0)
    points = corners.expand(count, -1, -1).clone()  # in steps from the start

    def measure(at: Tensor, problems: Tensor) -> Tensor:
        return objective(start[problems] + step[problems] * at, problems)

    every = torch.arange(count, device=start.device)
    values = torch.stack([measure(points[:, i], every) for i in range(width + 1)], dim=1)
    active = every
    for _ in range(iterations):
        points, values = _sort(points, values)
        size = (points[active] - points[active, :1]).abs().amax((1, 2))
        active = active[size > tolerance]
        if not len(active):
            break
        points[active], values[active] = _move(measure, points[active], values[active], active)
    points, values = _sort(points, values)
    converged = torch.ones_like(every, dtype=torch.bool).index_fill_(0, active, False)
    return Minimum(start + step * points[:, 0], values[:, 0], converged)


def _sort(points: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    values, order = values.sort(dim=1, stable=True)
    return points.gather(1, order[:, :, None].expand_as(points)), values


def _move(
    measure: Objective, points: Tensor, values: Tensor, problems: Tensor
) -> tuple[Tensor, Tensor]:
    """One reflection each, then an expansion, a contraction or a shrinking where called for."""
    best, second_worst, worst = values[:, 0], values[:, -2], values[:, -1]
    centre = points[:, :-1].mean(dim=1)
    away = centre - points[:, -1]
    reflected = measure(centre + away, problems)

    expand, contract = reflected < best, reflected >= second_worst
    inside = contract & (reflected >= worst)
    length = 2.0 * expand + 0.5 * contract - 1.0 * inside
    trial = centre + length[:, None] * away
    tried = torch.full_like(reflected, torch.inf)
    needed = expand | contract
    tried[needed] = measure(trial[needed], problems[needed])

    shrink = contract & ~(tried < torch.minimum(reflected, worst))
    take = tried < reflected
    points[:, -1] = torch.where(take[:, None], trial, centre + away)
    values[:, -1] = torch.where(take, tried, reflected)
    return _shrink(measure, points, values, problems, shrink.nonzero()[:, 0])


def _shrink(
    measure: Objective, points: Tensor, values: Tensor, problems: Tensor, chosen: Tensor
) -> tuple[Tensor, Tensor]:
    """Halve the distance of all corners to the best one, for the chosen problems."""
    if len(chosen):
        points[chosen] = (points[chosen] + points[chosen, :1]) / 2
        for i in range(1, points.shape[1]):
            values[chosen, i] = measure(points[chosen, i], problems[chosen])
    return points, values
