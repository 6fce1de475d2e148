"""Puts published values beside the measured rows of the boards whose protocol they share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.leaderboard.board import Board, Cell, Column, Reported, Row
from bench.leaderboard.published import Publication, Published
from bench.leaderboard.stored import Stored


def with_reported(
    boards: Sequence[Board], records: Sequence[Stored], publication: Publication
) -> list[Board]:
    """The boards with the values that fit the records of their cells; ranks do not change."""
    by_path = {stored.path: stored for stored in records}
    return [replace(board, reported=_reported(board, by_path, publication)) for board in boards]


def _reported(
    board: Board, records: Mapping[str, Stored], publication: Publication
) -> tuple[Reported, ...]:
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in board.rows:
        for at, column in enumerate(board.columns):
            for one in fitting(row, row.cells[at], column, records, publication):
                place = (one.generator, one.model, one.source)
                found.setdefault(place, [""] * len(board.columns))[at] = one.printed
    return tuple(
        Reported(generator, model, tuple(values), source)
        for (generator, model, source), values in sorted(found.items())
    )


def fitting(
    row: Row,
    cell: Cell,
    column: Column,
    records: Mapping[str, Stored],
    publication: Publication,
) -> list[Published]:
    """The published values of one cell; all of its seeds share what has to fit."""
    if row.control or not cell.measurements:
        return []
    stored = records[cell.measurements[0].path]
    found = publication.of(stored, column.score)
    return [one for one in found if one.obstacle(stored) is None]
