"""The scores of a column's generators, with the errors that their comparisons are made from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.leaderboard.board import Cell, Column, Row
from bench.leaderboard.influences import Influences, Tables
from metrics.pairwise import (
    Estimates,
    Floats,
    Places,
    difference_error,
    estimates,
    lead,
    shared_covariance,
    superiority,
    with_zeros,
)

KINDS = np.array(["unknown", "seeds", "paired", "independent"])


@dataclass(frozen=True)
class ColumnScores:
    """The ranked generators of one column.

    Attributes:
        rows: their positions in the board.
        names: of these rows.
        estimates: the same for `metrics.pairwise`.
        seeds: (n,) whether the error is the spread over seeds with images of their own.
        reference: (n,) number of the reference images that the influences stand on; -1 for none.
    """

    rows: tuple[int, ...]
    names: tuple[str, ...]
    estimates: Estimates
    seeds: NDArray[np.bool_]
    reference: Places

    def take(self, rows: set[int]) -> "ColumnScores":
        """The same of some rows only."""
        kept = np.array([at for at, row in enumerate(self.rows) if row in rows], np.intp)
        return ColumnScores(
            tuple(self.rows[at] for at in kept),
            tuple(self.names[at] for at in kept),
            self.estimates.take(kept),
            self.seeds[kept],
            self.reference[kept],
        )

    def kinds(self, first: Places, second: Places) -> NDArray[np.str_]:
        """How each pair is compared: paired, independent, seeds or unknown."""
        unknown = np.isnan(self.estimates.error[first] + self.estimates.error[second])
        seeds = self.seeds[first] & self.seeds[second]
        same = self.reference[first] == self.reference[second]
        paired = same & (self.reference[first] >= 0)
        found: NDArray[np.str_] = KINDS[np.select([unknown, seeds, paired], [0, 1, 2], 3)]
        return found

    def probability(self, first: Places, second: Places) -> Floats:
        """That the first of each pair is better; NaN where unknown."""
        return superiority(lead(self.estimates, first, second))

    def difference_error(self, first: Places, second: Places) -> Floats:
        """Standard error of each pair's difference; NaN where unknown."""
        return difference_error(self.estimates, first, second)


def column_scores(rows: Sequence[Row], at: int, column: Column, tables: Tables) -> ColumnScores:
    """The scores of the rows that have one, in the order of the rows.

    A single seed's error is its record's, or that of its influences where they make a larger one
    (a U-statistic's second order and a draw of subsets are in the record's alone). Several seeds
    have the standard error of their mean; a spread of 0 tells nothing. Where they share images, as
    draws from one stored set do, the spread is of the draws alone: the error is then the mean of
    the records' own, or the spread's where that is larger.
    """
    values = {place: row.cells[at].value for place, row in enumerate(rows)}
    known = {place: value for place, value in values.items() if value is not None}
    cells = [rows[place].cells[at] for place in known]
    own = [_own_error(cell) for cell in cells]
    found = _tables(cells, own, column.score, tables)
    errors = [
        max(error, one.error[column.score]) if one else error
        for error, one in zip(own, found, strict=True)
    ]
    sign = -1.0 if column.better == "lower" else 1.0
    of = estimates([sign * value for value in known.values()], errors)
    of, reference = _with_shared(of, found, column.score)
    replicated = np.array([cell.replicated for cell in cells], bool)
    counts = np.array([len(cell.measurements) for cell in cells], float)
    return ColumnScores(
        tuple(known),
        tuple(rows[place].name for place in known),
        replace(of, freedom=np.where(replicated, counts - 1, np.inf)),
        replicated,
        reference,
    )


def _own_error(cell: Cell) -> float:
    if cell.single:
        return cell.single.standard_error or math.nan
    of_spread = (cell.spread or 0.0) / math.sqrt(len(cell.measurements))
    if not cell.replicated:
        own = [one.standard_error or math.nan for one in cell.measurements]
        return max(math.fsum(own) / len(own), of_spread)
    return of_spread if of_spread > 1e-12 * abs(cell.value or 0.0) else math.nan


def _tables(
    cells: Sequence[Cell], errors: Sequence[float], score: str, tables: Tables
) -> list[Influences | None]:
    """Of the single seeds with an error, where there are two of them to compare."""
    alone = [
        cell.single if cell.single and math.isfinite(error) else None
        for cell, error in zip(cells, errors, strict=True)
    ]
    if sum(one is not None for one in alone) < 2:
        return [None] * len(cells)
    read = [tables.of(one.path) if one else None for one in alone]
    return [one if one and score in one.real else None for one in read]


def _with_shared(
    of: Estimates, found: Sequence[Influences | None], score: str
) -> tuple[Estimates, Places]:
    """The estimates with what each set of reference images adds to the scores it is common to."""
    sets: dict[str, dict[int, Floats]] = {}
    for row, table in enumerate(found):
        if table:
            sets.setdefault(table.reference, {})[row] = table.real[score]
    place, reference = np.full(len(found), -1), np.full(len(found), -1)
    shared = np.zeros((sum(map(len, sets.values())),) * 2)
    start = 0
    for number, one in enumerate(sets.values()):
        rows, block = list(one), slice(start, start + len(one))
        shared[block, block] = shared_covariance(list(one.values()))
        place[rows], reference[rows] = np.arange(block.start, block.stop), number
        start = block.stop
    return replace(of, shared=with_zeros(shared), place=place), reference
