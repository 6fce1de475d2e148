"""Composite columns: Borda points and weighted means of normalised scores, only when asked for."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bench.errors import ConfigError
from bench.leaderboard.board import Board, Column, CompositeColumn, Row
from bench.similar import did_you_mean

Values = Sequence[float]


@dataclass(frozen=True)
class Composite:
    """What `composite` of conf/leaderboard.yaml asks for.

    Over the generators of a board that have all the columns in question; controls take no part.

    Attributes:
        borda: points in each column with a direction: 1 for every generator that it beats there,
            1/2 for every one of equal value; added over the columns.
        normalise: null; minmax, (x - min) / (max - min); or zscore, (x - mean) / sd with divisor
            n. In the direction in which larger is better; 0 for all where all are equal.
        weights: name of a column -> weight > 0 in the mean; empty: all columns with a direction,
            1 each. The name is the whole one, with its note: "fid.fid [k=5]".
    """

    borda: bool = False
    normalise: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses what has no meaning."""
        if self.normalise not in (None, *NORMALISED):
            raise ConfigError(
                f"composite.normalise={self.normalise}: expected null, {' or '.join(NORMALISED)}."
            )
        if self.weights and self.normalise is None:
            raise ConfigError(
                "composite.weights need composite.normalise=minmax or composite.normalise=zscore."
            )
        for name, weight in self.weights.items():
            if not isinstance(weight, int | float) or not 0 < weight < math.inf:
                raise ConfigError(f"composite.weights.{name}={weight}: expected a number > 0.")


def with_composites(boards: Sequence[Board], composite: Composite) -> list[Board]:
    """The boards with the columns that are asked for; a board without a weighted column has none.

    Raises:
        ConfigError: if a weight is of a column that no board has, that has no direction, or whose
            name several columns of one board share.
    """
    directed = [column for board in boards for column in board.columns if column.better in SIGNS]
    known = {column.name for column in directed}
    for name in composite.weights:
        _refuse_ambiguous(name, directed)
        if name not in known:
            raise ConfigError(f"composite.weights.{name}: {did_you_mean(name, known)}")
    return [_with(board, composite) for board in boards]


def _refuse_ambiguous(name: str, columns: Sequence[Column]) -> None:
    """A column of several settings has a note in its name, which says the one that is meant."""
    several = sorted({one.name for one in columns if one.note and _plain(one) == name})
    if several:
        raise ConfigError(
            f"composite.weights.{name} is ambiguous: the columns are {', '.join(several)}. "
            f"Type the whole name, as in docs/leaderboard.md."
        )


def minmax(values: Values) -> list[float]:
    """(x - min) / (max - min): 0 for the least, 1 for the greatest; 0 where all are equal."""
    low, span = min(values), max(values) - min(values)
    return [(value - low) / span if span else 0.0 for value in values]


def zscore(values: Values) -> list[float]:
    """(x - mean) / sd with divisor n; 0 where all are equal."""
    mean, spread = statistics.fmean(values), statistics.pstdev(values)
    return [(value - mean) / spread if spread else 0.0 for value in values]


def borda(values: Values) -> list[float]:
    """For each value, how many are smaller, and half of how many others equal it."""
    ordered = sorted(values)
    first: dict[float, int] = {}
    for position, value in enumerate(ordered):
        first.setdefault(value, position)
    last = {value: position for position, value in enumerate(ordered)}
    return [(first[value] + last[value]) / 2 for value in values]


NORMALISED: dict[str, Callable[[Values], list[float]]] = {"minmax": minmax, "zscore": zscore}
FORMULAS = {
    "minmax": "(x - min) / (max - min)",
    "zscore": "(x - mean) / sd, with divisor n",
}
SIGNS = {"lower": -1.0, "higher": 1.0}
SHARED = (
    "Over the generators without a gap in these columns; it depends on who else is in the table, "
    "and decides no rank."
)
BORDA = CompositeColumn(
    "Borda",
    "",
    "In each column with an arrow 1 point for every generator that it beats and 1/2 for every one "
    f"of equal value, added over the columns. {SHARED}",
)


def _with(board: Board, composite: Composite) -> Board:
    directed = [
        at
        for at, column in enumerate(board.columns)
        if column.better in SIGNS and any(_has(row, {at: 1.0}) for row in board.rows)
    ]  # one that is undefined for all tells none apart
    made = []
    if composite.borda and directed:
        made.append((BORDA, _sums(board, {at: 1.0 for at in directed}, borda)))
    weighted = _weighted(board, composite, directed)
    if composite.normalise and weighted:
        found = _sums(board, weighted, NORMALISED[composite.normalise])
        total = math.fsum(weighted.values())
        made.append((_mean(composite), {row: value / total for row, value in found.items()}))
    rows = tuple(
        replace(row, composites=tuple(found.get(at) for _, found in made))
        for at, row in enumerate(board.rows)
    )
    return replace(board, composites=tuple(column for column, _ in made), rows=rows)


def _weighted(board: Board, composite: Composite, directed: Sequence[int]) -> dict[int, float]:
    """Column -> weight; empty where the board lacks one of the weighted columns."""
    if not composite.weights:
        return dict.fromkeys(directed, 1.0)
    names = {at: board.columns[at].name for at in directed}
    if not set(composite.weights) <= set(names.values()):
        return {}
    return {at: composite.weights[name] for at, name in names.items() if name in composite.weights}


def _sums(
    board: Board, weights: Mapping[int, float], points: Callable[[Values], list[float]]
) -> dict[int, float]:
    """Row -> weighted sum of the points in each column, of the rows without a gap."""
    complete = [at for at, row in enumerate(board.rows) if _has(row, weights)]
    if not complete:
        return {}
    columns = {
        at: points(
            [SIGNS[board.columns[at].better] * _value(board.rows[row], at) for row in complete]
        )
        for at in weights
    }
    return {
        row: math.fsum(weight * columns[at][place] for at, weight in weights.items())
        for place, row in enumerate(complete)
    }


def _has(row: Row, columns: Mapping[int, float]) -> bool:
    return not row.control and all(row.cells[at].value is not None for at in columns)


def _value(row: Row, at: int) -> float:
    value = row.cells[at].value
    assert value is not None  # only complete rows come here
    return value


def _plain(column: Column) -> str:
    return f"{column.metric}.{column.score}"


def _mean(composite: Composite) -> CompositeColumn:
    weights = ", ".join(f"{name} {weight:g}" for name, weight in sorted(composite.weights.items()))
    assert composite.normalise is not None  # or there is no such column
    return CompositeColumn(
        f"{composite.normalise} mean",
        weights or "all columns, equal weights",
        f"Mean of {FORMULAS[composite.normalise]}, weighted as named, each column turned so that "
        f"larger is better. {SHARED}",
    )
