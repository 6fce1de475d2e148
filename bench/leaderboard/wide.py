"""The wide table as CSV: one row per generator and board, one group of columns per score."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from bench.leaderboard.board import Board, Cell, Row
from bench.leaderboard.leaderboard import Leaderboard
from bench.spreadsheet import spreadsheet_safe

OF_BOARD = (
    *("dataset", "fingerprint", "backbone", "weights", "protocol"),
    *("num_real", "num_fake", "deviations", "board_note", "board"),
)
OF_ROW = ("generator", "note", "control", "reported", "num_seeds")
RANKS = ("mean_rank", "mean_rank_low", "mean_rank_high")
OF_CELL = ("", " error", " low", " high", " rank_low", " rank_high", " undefined")


def wide_csv(shown: Leaderboard) -> str:
    """Numbers in full; empty cells where there is nothing.

    `error` is one standard error of a single seed, or the standard deviation over several.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    scores = sorted({column.name for board in shown.boards for column in board.columns})
    composites = list(dict.fromkeys(one.name for board in shown.boards for one in board.composites))
    fields = [f"{score}{part}" for score in scores for part in OF_CELL]
    head = [*OF_BOARD, *OF_ROW, *RANKS, *composites, *fields]
    writer.writerow(map(spreadsheet_safe, head))
    for board in shown.boards:
        for found in _rows(board):
            writer.writerow(spreadsheet_safe(found.get(name)) for name in head)
    return text.getvalue()


def _rows(board: Board) -> list[dict[str, Any]]:
    shared = {name: getattr(board, name) for name in OF_BOARD[:7]} | {
        "deviations": "; ".join(board.deviations),
        "board_note": board.note,
        "board": board.key[:12],
    }
    measured = [_row(board, row) for row in board.rows]
    return [shared | row for row in (*measured, *_reported(board))]


def _row(board: Board, row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {
        "generator": row.generator,
        "note": row.note,
        "control": row.control,
        "reported": False,
        "num_seeds": row.num_seeds,
        **dict(zip(RANKS, (row.mean_rank, *(row.mean_rank_bounds or ())), strict=False)),
        **dict(zip((one.name for one in board.composites), row.composites, strict=True)),
    }
    for column, cell in zip(board.columns, row.cells, strict=True):
        names = (f"{column.name}{part}" for part in OF_CELL)
        found |= zip(names, _cell(cell), strict=True)
    return found


def _cell(cell: Cell) -> Sequence[Any]:
    single = cell.single
    error = single.standard_error if single else cell.spread
    low, high = (single.interval if single else None) or (None, None)
    ranks = (cell.standing.interval if cell.standing else None) or (None, None)
    return cell.value, error, low, high, *ranks, cell.undefined


def _reported(board: Board) -> list[dict[str, Any]]:
    """Published values as rows of their own, without ranks."""
    return [
        {"generator": one.generator, "note": f"{one.model}; {one.source}", "reported": True}
        | {
            column.name: value
            for column, value in zip(board.columns, one.values, strict=True)
            if value
        }
        for one in board.reported
    ]
