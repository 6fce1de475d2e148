"""Distance to the k-th nearest neighbour, exact and in bounded memory."""

import torch
from torch import Tensor

from metrics.blocks import ENTRIES, blocks
from metrics.distances import Points, place, squared_distance_bounds, squared_distances
from metrics.metric import check_features
from metrics.moments import mean


def radii(rows: Tensor, k: int, *, entries: int = ENTRIES) -> Tensor:
    """Distance of each row to its k-th nearest neighbour in the same set.

    A row is not its own neighbour, by index: a copy of it is, at distance 0.

    Args:
        rows: (N, D) features, N > k.
        k: which neighbour, 1 is the nearest.
        entries: pairs held at a time; cannot change the result.

    Returns:
        (N,) float64.

    Raises:
        ValueError: if k < 1, N <= k, or the rows hold NaN or infinity.
    """
    return squared_radii(rows, k, entries=entries).sqrt()


def squared_radii(rows: Tensor, k: int, *, entries: int = ENTRIES) -> Tensor:
    """`radii` squared: what balls are compared by, since a root could make two radii equal."""
    check_neighbours(k, rows=rows)
    points = place(rows, centre=mean(rows))
    return _squared_kth(points, points, k, itself=True, entries=entries)


def nearest_distances(*, rows: Tensor, among: Tensor, entries: int = ENTRIES) -> Tensor:
    """Distance of each row to the nearest row of another set.

    Args:
        rows: (N, D) features.
        among: (M, D) features, M >= 1.
        entries: pairs held at a time; cannot change the result.

    Returns:
        (N,) float64, 0 exactly where `among` holds a copy.

    Raises:
        ValueError: if a side is empty, holds NaN or infinity, or the widths differ.
    """
    check_features(rows=rows, among=among)
    centre = joint_centre(rows, among)
    points, others = place(rows, centre=centre), place(among, centre=centre)
    return _squared_kth(points, others, 1, itself=False, entries=entries).sqrt()


def joint_centre(a: Tensor, b: Tensor) -> Tensor:
    """(D,) a point between two sets; any would do, a near one keeps rounding small."""
    return (mean(a) + mean(b)) / 2


def check_neighbours(k: int, **sides: Tensor) -> None:
    """Refuse a k that some side has not enough rows for.

    Raises:
        ValueError: if k < 1, a side has no more than k rows or is not usable, or widths differ.
    """
    if k < 1:
        raise ValueError(f"k is {k}, expected 1 (the nearest neighbour) or more.")
    check_features(minimum=1, **sides)
    for side, rows in sides.items():
        if len(rows) <= k:
            raise ValueError(
                f"{side}: found {len(rows)} rows, k={k} needs at least {k + 1}. "
                "Lower k or add images."
            )


def _squared_kth(points: Points, among: Points, k: int, *, itself: bool, entries: int) -> Tensor:
    """(N,) k-th smallest direct squared distance; `itself` leaves out the pairs (i, i)."""
    count = len(points.rows)
    kth = torch.empty(count, dtype=torch.float64, device=points.rows.device)
    for block in blocks(count, width=len(among.rows), entries=entries):
        low, high = squared_distance_bounds(points, among, block)
        if itself:
            low.diagonal(block.start).fill_(torch.inf)
            high.diagonal(block.start).fill_(torch.inf)
        reach = high.kthvalue(k, dim=1, keepdim=True).values  # the k-th distance is no larger
        i, j = (low <= reach).nonzero(as_tuple=True)
        direct = low.fill_(torch.inf)
        direct[i, j] = squared_distances(points, among, block.start + i, j)
        kth[block] = direct.kthvalue(k, dim=1).values
    return kth
