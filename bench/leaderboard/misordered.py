"""Scores that prefer a control to held-out images, which are the best that there can be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.leaderboard.board import Column, Misordered, Row
from bench.leaderboard.column_scores import ColumnScores, column_scores
from bench.leaderboard.influences import Tables
from metrics.pairwise import lead

SURE = 1.645  # standard errors: one-sided, 5 %


@dataclass(frozen=True)
class _Controls:
    """Of one board: held-out images first, then the others."""

    rows: Sequence[Row]

    def better(self, at: int, column: Column, tables: Tables) -> list[str]:
        """Names of those that the score prefers to the first, best first."""
        scores = column_scores(self.rows, at, column, tables)
        if not scores.rows or scores.rows[0] != 0:
            return []  # held-out images have no such score
        return [scores.names[place] for place in _ahead(scores)]


def misordered(
    rows: Sequence[Row], columns: Sequence[Column], tables: Tables
) -> Iterator[Misordered]:
    """The columns with a direction that put a control before held-out images.

    A control counts where it is better by 1.645 standard errors of the difference (paired where
    the tables allow), and, where an error is unknown, where it is better at all.

    Args:
        rows: of one board.
        columns: of the same board.
        tables: the influences beside its records.
    """
    ideal = [row for row in rows if row.ideal]
    others = [row for row in rows if row.control and not row.ideal]
    controls = _Controls([*ideal[:1], *others])
    for at, column in enumerate(columns if ideal else ()):
        found = [] if column.better == "neither" else controls.better(at, column, tables)
        if found:
            yield Misordered(column.name, ideal[0].name, tuple(found))


def _ahead(scores: ColumnScores) -> list[int]:
    merit = scores.estimates.merit
    leads = lead(scores.estimates, np.arange(len(merit)), 0)
    ahead = (merit > merit[0]) & ~(leads < SURE)  # NaN: nothing is known of the errors
    return [int(place) for place in np.argsort(-merit, kind="stable") if ahead[place]]
