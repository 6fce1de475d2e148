"""Ranks with intervals, tie groups and probabilities of one column."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.leaderboard.column_scores import ColumnScores
from bench.leaderboard.competition import competition_ranks
from bench.leaderboard.standing import Comparisons, Rival, Standing
from metrics.pairwise import Floats, Places
from metrics.ranks import ranks

MOST = 200  # generators whose pairs are all written out
DIGITS = 4  # of what is written: the last bits are the machine's


def standings(scores: ColumnScores) -> dict[int, Standing]:
    """Row -> where it stands in a column with a direction."""
    if not scores.rows:
        return {}
    found = ranks(scores.estimates)
    places = competition_ranks(scores.estimates.merit.tolist(), "higher")
    rivals = _rivals(scores, found.order)
    each = zip(found.low.tolist(), found.high.tolist(), found.group.tolist(), strict=True)
    return {
        row: Standing(place, (low, high) if low else None, group, tuple(near))
        for row, place, (low, high, group), near in zip(
            scores.rows, places, each, rivals, strict=True
        )
    }


def comparisons(scores: ColumnScores) -> Comparisons | None:
    """All pairs, best first; None above 200 generators, where they would be too many to write."""
    order = np.argsort(-scores.estimates.merit, kind="stable")
    if not 1 < len(order) <= MOST:
        return None
    first, second = order[:, None], order[None, :]
    upper = np.triu(scores.probability(first, second).round(DIGITS), 1)
    lower = np.tril((1 - upper.T).round(DIGITS), -1)  # of one pair the two sum to 1
    return Comparisons(
        tuple(scores.names[row] for row in order),
        _off_diagonal(scores.kinds(first, second)),
        _off_diagonal(upper + lower),
        _off_diagonal(_short(scores.difference_error(first, second))),
    )


def _rivals(scores: ColumnScores, order: Places) -> list[list[Rival]]:
    """The next better and the next worse generator of each."""
    first, second = order[:-1], order[1:]
    probabilities = scores.probability(first, second).round(DIGITS).tolist()
    kinds = scores.kinds(first, second).tolist()
    found: list[list[Rival]] = [[] for _ in order]
    for a, b, probability, kind in zip(first, second, probabilities, kinds, strict=True):
        known = None if math.isnan(probability) else probability
        found[a].append(Rival(scores.names[b], known, kind))
        turned = None if known is None else round(1 - known, DIGITS)
        found[b].insert(0, Rival(scores.names[a], turned, kind))
    return found


def _short(errors: Floats) -> Floats:
    """Rounded to DIGITS significant ones, each pair once: (a, b) has the error of (b, a)."""
    upper = np.triu_indices(len(errors), 1)
    short = np.zeros_like(errors)
    short[upper] = [float(f"{error:.{DIGITS - 1}e}") for error in errors[upper].tolist()]
    return short + short.T


def _off_diagonal(table: NDArray[Any]) -> list[list[Any]]:
    """None where a generator would meet itself, and where nothing is known."""
    cells = table.astype(object)
    cells[table != table] = None  # NaN
    np.fill_diagonal(cells, None)
    rows: list[list[Any]] = cells.tolist()
    return rows
