"""Fidelity against diversity: one point per generator, with its error bars."""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.leaderboard.board import Board, Cell, Column, Row
from bench.leaderboard.plots.style import COLOURS, GREY, MARKERS, heading, new_figure, one_line

PAIRS = (  # fidelity, diversity
    ("precision_recall.precision", "precision_recall.recall"),
    ("prdc.precision", "prdc.recall"),
    ("prdc.density", "prdc.coverage"),
    ("fid.fid", "precision_recall.recall"),
    ("fid.fid", "prdc.recall"),
)
NAMED = len(COLOURS) * len(MARKERS)  # points with a mark of their own; the others are grey
WIDE = 10.0  # largest over smallest value of a logarithmic axis
ROW_HEIGHT = 0.17  # inches of a line of the legend


def scatters(board: Board) -> Iterator[tuple[str, Figure]]:
    """(name, figure) for each pair of columns that the board has."""
    places = {column.name: at for at, column in enumerate(board.columns)}
    for fidelity, diversity in PAIRS:
        if fidelity in places and diversity in places:
            figure = _scatter(board, places[diversity], places[fidelity])
            if figure:
                yield f"{fidelity}-{diversity}", figure


def _scatter(board: Board, across: int, up: int) -> Figure | None:
    rows = [
        row
        for row in board.rows
        if row.cells[across].value is not None and row.cells[up].value is not None
    ]
    if not rows:
        return None
    num_named = min(len(rows), NAMED)
    figure = new_figure(6.4, max(3.4, ROW_HEIGHT * num_named + 0.9))
    axes = figure.add_subplot()
    for place in reversed(range(len(rows))):  # the best on top of the others
        _point(axes, rows[place], place, across, up)
    if board.columns[up].metric == "fid" and _is_wide([row.cells[up].value for row in rows]):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")  # matplotlib's own is mathematics
    axes.set_xlabel(_label(board.columns[across]))
    axes.set_ylabel(_label(board.columns[up]))
    more = f", {len(rows) - num_named} generators in grey" if len(rows) > num_named else ""
    figure.suptitle(heading(f"Fidelity and diversity{more}", board))
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def _point(axes: Axes, row: Row, place: int, across: int, up: int) -> None:
    colour = COLOURS[place % len(COLOURS)] if place < NAMED else GREY
    x, y = row.cells[across], row.cells[up]
    axes.errorbar(
        [x.value or 0.0],
        [y.value or 0.0],
        xerr=_error(x),
        yerr=_error(y),
        fmt=MARKERS[place % len(MARKERS)] if place < NAMED else ".",
        color=colour,
        markerfacecolor="white" if row.control else colour,
        markersize=5,
        elinewidth=0.7,
        label=one_line(row.name + (" (control)" if row.control else "")) if place < NAMED else None,
    )


def _error(cell: Cell) -> list[list[float]] | None:
    """Distances down and up to the ends of the interval, else one standard error or sd."""
    one, value = cell.single, cell.value or 0.0
    if one and one.interval:
        low, high = one.interval
        return [[max(0.0, value - low)], [max(0.0, high - value)]]
    error = one.standard_error if one else cell.spread
    return None if error is None else [[error], [error]]


def _is_wide(values: Sequence[float | None]) -> bool:
    """Whether a linear axis would press all but the largest together."""
    known = [value for value in values if value is not None]
    return min(known) > 0 and max(known) / min(known) > WIDE


def _label(column: Column) -> str:
    return one_line(f"{column.name} {column.arrow}".strip())
