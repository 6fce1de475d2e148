"""Marks the best cells of each column and ranks the rows; controls take no part."""

from collections.abc import Sequence
from dataclasses import replace

from bench.leaderboard.board import Cell, Column, Row
from bench.leaderboard.column_scores import column_scores
from bench.leaderboard.influences import Tables
from bench.leaderboard.mean_ranks import MeanRank, mean_ranks
from bench.leaderboard.standing import Comparisons, Standing
from bench.leaderboard.standings import comparisons, standings


def ranked(
    rows: Sequence[Row], columns: Sequence[Column], tables: Tables
) -> tuple[tuple[Row, ...], tuple[Comparisons | None, ...]]:
    """The rows with marks, ranks and mean ranks, and each column's comparisons.

    Args:
        rows: of one board.
        columns: of the same board.
        tables: the influences beside its records.

    Returns:
        Generators by mean rank and name, then the controls; and one item per column.
    """
    real = [row for row in rows if not row.control]
    controls = [row for row in rows if row.control]
    scores = [
        None if column.better == "neither" else column_scores(real, at, column, tables)
        for at, column in enumerate(columns)
    ]
    found = [standings(one) if one else {} for one in scores]
    means = mean_ranks([(one, at) for one, at in zip(scores, found, strict=True) if one])
    placed = [
        _placed(row, [column.get(at) for column in found], means.get(at))
        for at, row in enumerate(_with_marks(real, columns))
    ]
    pairs = tuple(comparisons(one) if one else None for one in scores)
    return (*sorted(placed, key=_order), *sorted(controls, key=_order)), pairs


def marks(values: Sequence[float | None], better: str) -> list[str]:
    """The mark of each value: "best", "second" for the next other one; equal values share it.

    Args:
        values: of one column; None is never marked.
        better: with "neither" nothing is marked.
    """
    found = sorted({value for value in values if value is not None}, reverse=better == "higher")
    if better == "neither":
        found = []
    names = dict(zip(found, ("best", "second"), strict=False))
    return ["" if value is None else names.get(value, "") for value in values]


def _with_marks(rows: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
    by_column = [
        marks([row.cells[index].value for row in rows], column.better)
        for index, column in enumerate(columns)
    ]
    return [
        replace(row, cells=tuple(_marked(row.cells, [names[index] for names in by_column])))
        for index, row in enumerate(rows)
    ]


def _marked(cells: Sequence[Cell], names: Sequence[str]) -> list[Cell]:
    return [
        replace(cell, mark=name) if name else cell for cell, name in zip(cells, names, strict=True)
    ]


def _placed(row: Row, standings: Sequence[Standing | None], mean: MeanRank | None) -> Row:
    cells = zip(row.cells, standings, strict=True)
    return replace(
        row,
        cells=tuple(replace(cell, standing=found) if found else cell for cell, found in cells),
        mean_rank=mean.value if mean else None,
        mean_rank_bounds=mean.bounds if mean else None,
    )


def _order(row: Row) -> tuple[float, str, str]:
    rank = float("inf") if row.mean_rank is None else row.mean_rank
    return rank, row.generator, row.note
