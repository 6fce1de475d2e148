"""The long table as CSV: one row per (record, score), numbers in full."""

import csv
import io
from typing import Any

from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.long_form import COLUMNS, long_rows

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run or swallow


def csv_text(shown: Leaderboard) -> str:
    """The columns of `load`; empty cells where there is nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in long_rows(shown.records):
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets a leading apostrophe."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
