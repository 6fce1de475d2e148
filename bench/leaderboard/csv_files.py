"""The long table as CSV: one row per (record, score), numbers in full, and the ranks."""

import csv
import io
from collections.abc import Sequence

from bench.leaderboard.board import Board
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.long_form import COLUMNS, long_rows
from bench.leaderboard.standing import Standing
from bench.spreadsheet import spreadsheet_safe

RANKS = ("rank", "rank_low", "rank_high", "tie_group")  # of the generator, in its board's column


def csv_text(shown: Leaderboard) -> str:
    """The columns of `load` and RANKS; empty cells where there is nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *RANKS])
    ranks = _ranks(shown.boards)
    for row in long_rows(shown.records):
        placed = ranks[row["path"], row["score"]]
        writer.writerow([*(spreadsheet_safe(row[name]) for name in COLUMNS), *placed])
    return text.getvalue()


def _ranks(boards: Sequence[Board]) -> dict[tuple[str, str], tuple[int | None, ...]]:
    """(record, score) -> RANKS; every seed of a generator has the same."""
    return {
        (one.path, column.score): _standing(cell.standing)
        for board in boards
        for row in board.rows
        for cell, column in zip(row.cells, board.columns, strict=True)
        for one in cell.measurements
    }


def _standing(found: Standing | None) -> tuple[int | None, ...]:
    if found is None:
        return (None,) * len(RANKS)
    return (found.rank, *(found.interval or (None, None)), found.tie_group)
