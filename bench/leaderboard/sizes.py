"""Scores over the number of generated images: the one view across comparison keys."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.leaderboard.board import Board, Column, Row
from bench.leaderboard.chart import Chart, Point, chart
from bench.leaderboard.series import series_of
from bench.records import digest

MOST_LINES = 12  # that the eye can tell apart


@dataclass(frozen=True)
class Growth:
    """One score over one number: the drawing, and what the reader must know of it.

    Attributes:
        board: whose dataset, backbone and protocol it shares.
        metric: of the score.
        title, caption: words above the drawing; the caption is usually empty.
        drawn: the drawing.
    """

    board: Board
    metric: str
    title: str
    caption: str
    drawn: Chart


def growths(boards: Sequence[Board]) -> list[Growth]:
    """Over sample sizes, where boards differ in nothing else; over settings within each board."""
    return [*_over_sizes(boards), *(one for board in boards for one in _over_settings(board))]


def _over_sizes(boards: Sequence[Board]) -> list[Growth]:
    groups: dict[str, list[Board]] = {}
    for board in boards:
        groups.setdefault(board.family, []).append(board)
    return [
        found
        for group in groups.values()
        if len({board.num_fake for board in group}) > 1
        for score in sorted({_score(one) for at in group for one in at.columns})
        if (found := _sizes(group, score))
    ]


def _score(column: Column) -> tuple[str, str, str]:
    """Name and metric of a column, and a hash of the metric's settings."""
    return column.name, column.metric, digest(column.config)


def _sizes(boards: Sequence[Board], score: tuple[str, str, str]) -> Growth | None:
    name, metric, _ = score
    lines: dict[str, list[Point]] = {}
    for board in sorted(boards, key=lambda one: (one.num_fake, one.key)):
        for at, column in enumerate(board.columns):
            if _score(column) != score or column.better == "neither":
                continue
            for row in board.rows:
                if not row.control and (point := _point(row.name, row, at, board.num_fake)):
                    lines.setdefault(row.name, []).append(point)
    return _growth(
        boards[0],
        metric,
        f"{name} over sample size: {boards[0].title}",
        "This view crosses comparison keys: counts of images differ, so its numbers are no ranking",
        ("generated images", name),
        list(lines.values()),
    )


def _over_settings(board: Board) -> list[Growth]:
    found = []
    series = series_of(board.rows)
    for field in sorted({one.field for one in series}):
        for at, column in enumerate(board.columns):
            if column.better == "neither":
                continue
            lines = [
                [
                    point
                    for value, row in zip(one.values, one.rows, strict=True)
                    if math.isfinite(value) and (point := _point(one.name, row, at, value))
                ]
                for one in series
                if one.field == field
            ]
            title = f"{column.name} over {field}: {board.title}"
            found.append(_growth(board, column.metric, title, "", (field, column.name), lines))
    return [one for one in found if one]


def _point(name: str, row: Row, at: int, x: float) -> Point | None:
    cell = row.cells[at]
    return None if cell.value is None else Point(name, x, cell.value, y_interval=cell.interval)


def _named_at_its_end(line: Sequence[Point]) -> list[Point]:
    return [*(replace(point, label="") for point in line[:-1]), line[-1]]


def _growth(
    board: Board,
    metric: str,
    title: str,
    caption: str,
    axes: tuple[str, str],
    lines: Sequence[list[Point]],
) -> Growth | None:
    long = [line for line in lines if len(line) > 1][:MOST_LINES]
    if not long:
        return None
    left = len([line for line in lines if len(line) > 1]) - len(long)
    more = [caption] if caption else []
    more += [f"the first {MOST_LINES} generators; {left} more are in the tables"] if left else []
    named = [point for line in long for point in _named_at_its_end(line)]
    drawn = chart(*axes, named, lines=long)
    return Growth(board, metric, title, "; ".join(more), drawn) if drawn else None
