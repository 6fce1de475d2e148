"""Marks the best cells of each column and ranks the rows; controls take no part."""

import statistics
from collections.abc import Sequence
from dataclasses import replace

from bench.leaderboard.board import Cell, Column, Row


def ranked(rows: Sequence[Row], columns: Sequence[Column]) -> tuple[Row, ...]:
    """The rows with their marks and mean ranks: generators by rank and name, then controls."""
    real = [row for row in rows if not row.control]
    controls = [row for row in rows if row.control]
    marked = _with_mean_ranks(_with_marks(real, columns), columns)
    return (*sorted(marked, key=_order), *sorted(controls, key=_order))


def competition_ranks(values: Sequence[float], better: str) -> list[int]:
    """1 + how many values are better; equal values share a rank ("1224").

    Args:
        values: finite numbers.
        better: "lower" or "higher".
    """
    first: dict[float, int] = {}
    for position, value in enumerate(sorted(values, reverse=better == "higher"), start=1):
        first.setdefault(value, position)
    return [first[value] for value in values]


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


def _with_mean_ranks(rows: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
    """Complete rows are ranked among each other: one with a gap would shift the others."""
    directed = [index for index, column in enumerate(columns) if column.better != "neither"]
    found = [[row.cells[index].value for index in directed] for row in rows]
    complete = {
        at: [value for value in values if value is not None]
        for at, values in enumerate(found)
        if None not in values
    }
    if not directed or not complete:
        return list(rows)
    ranks = [
        competition_ranks(values, columns[index].better)
        for index, values in zip(directed, zip(*complete.values(), strict=True), strict=True)
    ]
    means = dict(zip(complete, map(statistics.fmean, zip(*ranks, strict=True)), strict=True))
    return [replace(row, mean_rank=means.get(at)) for at, row in enumerate(rows)]


def _order(row: Row) -> tuple[float, str, str]:
    rank = float("inf") if row.mean_rank is None else row.mean_rank
    return rank, row.generator, row.note
