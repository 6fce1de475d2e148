"""The curves and per-class tables beside a record, as drawings and as numbers."""

import csv
import io
import math
from dataclasses import dataclass

from bench.leaderboard.beside import path_beside, usable
from bench.leaderboard.chart import Chart, Point, chart
from bench.leaderboard.stored import Stored

PREFIX = "curve."
AXES = {  # curve -> the columns along x and y; of other curves the first two
    "prd": ("recall", "precision"),
}
NOT_ORDERED = ("classes", "dimensions")  # their first column is a name, not a quantity
MOST_ROWS = 60


@dataclass(frozen=True)
class Curve:
    """One table beside a record.

    Attributes:
        metric, name: whose it is, and its name.
        path: the table's file, relative to the results folder.
        heads, rows: its first numbers, as text.
        left: how many rows are in the file only.
        drawn: the drawing; None where the rows have no order or no spread.
    """

    metric: str
    name: str
    path: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int
    drawn: Chart | None


def curves(stored: Stored) -> list[Curve]:
    """All curves of a record, by name; absent, torn and foreign tables: none."""
    roles = sorted(role for role in stored.record.artifacts if role.startswith(PREFIX))
    return [found for role in roles if (found := _curve(stored, role))]


def _curve(stored: Stored, role: str) -> Curve | None:
    cells = _cells(usable(stored, role))
    if len(cells) < 2:
        return None
    name = role.removeprefix(PREFIX)
    rows = list(zip(*cells.values(), strict=True))
    return Curve(
        metric=stored.record.metric["name"],
        name=name,
        path=path_beside(stored, role),
        heads=tuple(cells),
        rows=tuple(tuple(map(_short, row)) for row in rows[:MOST_ROWS]),
        left=max(0, len(rows) - MOST_ROWS),
        drawn=None if name in NOT_ORDERED else _drawn(name, cells),
    )


def _cells(data: bytes) -> dict[str, list[str]]:
    """Column -> its cells as written; empty where there is no such table or it is torn."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode())))
    except (UnicodeError, csv.Error):
        return {}
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return {}
    return dict(zip(rows[0], map(list, zip(*rows[1:], strict=True)), strict=True))


def _drawn(name: str, cells: dict[str, list[str]]) -> Chart | None:
    x_name, y_name = AXES.get(name, tuple(cells)[:2])
    if not {x_name, y_name} <= set(cells):
        return None
    pairs = zip(map(_number, cells[x_name]), map(_number, cells[y_name]), strict=True)
    line = [Point("", x, y) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]
    return chart(x_name, y_name, [], lines=[line])


def _short(text: str) -> str:
    value = _number(text)
    return f"{value:.5g}" if math.isfinite(value) else text


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
