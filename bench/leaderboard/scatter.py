"""Fidelity against diversity: two scores of one board, a point per generator."""

from collections.abc import Mapping, Sequence

from bench.leaderboard.board import Board, Row
from bench.leaderboard.chart import Chart, Point, chart
from bench.leaderboard.series import series_of

PAIRS = (  # what is drawn where a board has both
    ("fid.fid", "precision_recall.recall"),
    ("precision_recall.precision", "precision_recall.recall"),
    ("prdc.density", "prdc.coverage"),
    ("alpha_precision.alpha_precision", "alpha_precision.beta_recall"),
)


def scatters(board: Board) -> list[Chart]:
    """The drawings of a board; rows that lack a score are in none of that score.

    Rows of one generator that differ in one number, such as a truncation, are joined.
    """
    places = {f"{one.metric}.{one.score}": at for at, one in reversed([*enumerate(board.columns)])}
    pairs = [(x, y) for x, y in PAIRS if x in places and y in places]
    drawn = [_scatter(board, places[x], places[y]) for x, y in pairs]
    return [one for one in drawn if one]


def _scatter(board: Board, x: int, y: int) -> Chart | None:
    series = series_of(board.rows)
    labels = {row.name: one.label(row) for one in series for row in one.rows}
    lines = [_points(one.rows, x, y, labels) for one in series]
    names = [f"{column.name} {column.arrow}".strip() for column in board.columns]
    return chart(names[x], names[y], _points(board.rows, x, y, labels), lines=lines)


def _points(rows: Sequence[Row], x: int, y: int, labels: Mapping[str, str]) -> list[Point]:
    cells = [(row, row.cells[x], row.cells[y]) for row in rows]
    return [
        Point(
            row.name,
            one.value,
            other.value,
            row.control,
            one.interval,
            other.interval,
            labels.get(row.name),
        )
        for row, one, other in cells
        if one.value is not None and other.value is not None
    ]
