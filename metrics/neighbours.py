"""Nearest neighbours, exact and in bounded memory."""

from dataclasses import dataclass

from torch import Tensor

from metrics.distances import Rows
from metrics.k_nearest import KNearest
from metrics.metric import check_features
from metrics.parameters import at_least
from metrics.rounded import Side, frame, side
from metrics.screen import Tile, screening_dtype, tiles


@dataclass(frozen=True)
class Nearest:
    """The nearest row of another set.

    Attributes:
        distances: (N,) float64, 0 exactly where the other set holds a copy.
        indices: (N,) int64 rows of the other set, the smallest among equal distances.
    """

    distances: Tensor
    indices: Tensor


def radii(rows: Tensor, k: int) -> Tensor:
    """Distance of each row to its k-th nearest neighbour in the same set.

    A row is not its own neighbour, by index: a copy of it is, at distance 0.

    Args:
        rows: (N, D) features, N > k.
        k: which neighbour, 1 is the nearest.

    Returns:
        (N,) float64.

    Raises:
        ValueError: if k < 1, N <= k, or the rows hold NaN or infinity.
    """
    return squared_radii(rows, k)[:, -1].sqrt()


def squared_radii(rows: Tensor, k: int) -> Tensor:
    """Squared distances to the 1st ... k-th nearest neighbour in the same set.

    Squared is what balls are compared by: a root could make two radii equal.

    Returns:
        (N, k) float64, ascending along a row; the same for every size of tile.

    Raises:
        ValueError: as `radii`.
    """
    check_neighbours(k, rows=rows)
    dtype = screening_dtype(len(rows), len(rows), rows.device)
    return nearest_within(side(Rows(rows), frame(rows), dtype), k).squared_distances


def nearest_within(rows: Side, k: int) -> KNearest:
    """The k nearest other rows of each row, of rows that were made ready for products."""
    found = KNearest(rows.rows, rows.rows, k)
    for tile in tiles(rows, rows):
        if tile.i == tile.j:
            offer_rows(tile, found)  # first, so that every row has a limit for the other tiles
        else:
            found.offer(tile.near(found.limit[tile.i][:, None]))
            found.offer(tile.near(found.limit[tile.j][None, :]).swapped())
    found.settle()
    return found


def nearest(*, rows: Tensor, among: Tensor) -> Nearest:
    """The nearest row of another set, for each row.

    Args:
        rows: (N, D) features.
        among: (M, D) features, M >= 1.

    Raises:
        ValueError: if a side is empty, holds NaN or infinity, or the widths differ.
    """
    check_features(rows=rows, among=among)
    shared = frame(rows, among)
    dtype = screening_dtype(len(rows), len(among), rows.device)
    a, b = Rows(rows), Rows(among)
    found = KNearest(a, b, 1)
    for tile in tiles(side(a, shared, dtype), side(b, shared, dtype)):
        offer_rows(tile, found)
    found.settle()
    return Nearest(found.squared_distances[:, 0].sqrt(), found.indices[:, 0])


def nearest_distances(*, rows: Tensor, among: Tensor) -> Tensor:
    """Distance of each row to the nearest row of another set, (N,) float64."""
    return nearest(rows=rows, among=among).distances


def offer_rows(tile: Tile, found: KNearest) -> None:
    """Neighbours of the tile's rows among its columns."""
    found.lower(tile.i, tile.reach(found.k, dim=1))
    found.offer(tile.near(found.limit[tile.i][:, None]))


def offer_columns(tile: Tile, found: KNearest) -> None:
    """Neighbours of the tile's columns among its rows."""
    found.lower(tile.j, tile.reach(found.k, dim=0))
    found.offer(tile.near(found.limit[tile.j][None, :]).swapped())


def check_neighbours(k: int, **sides: Tensor) -> None:
    """Refuse a k that some side has not enough rows for.

    Raises:
        ValueError: if k < 1, a side has no more than k rows or is not usable, or widths differ.
    """
    check_features(minimum=1, **sides)
    check_rank(k, **{name: len(rows) for name, rows in sides.items()})


def check_rank(k: int, **counts: int) -> None:
    """Refuse a k that some number of rows is too small for.

    Raises:
        ValueError: if k < 1 or a side has no more than k rows.
    """
    at_least(1, "1 is the nearest neighbour", k=k)
    for name, count in counts.items():
        if count <= k:
            raise ValueError(
                f"{name}: found {count} rows, k={k} needs at least {k + 1}. Lower k or add images."
            )
