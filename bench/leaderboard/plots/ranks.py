"""The rank of every generator in every column, with its 95 % interval."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.leaderboard.board import Board, Column, Row
from bench.leaderboard.plots.style import COLOURS, GREY, NARROWEST, heading, new_figure, one_line

MOST = 60  # generators, the best by mean rank
ACROSS = 4  # panels beside each other


def rank_figure(board: Board) -> Figure | None:
    """A panel per column with a direction, one order of generators; None if nothing is ranked."""
    ranked = [at for at, column in enumerate(board.columns) if column.better != "neither"]
    rows = [row for row in board.rows if not row.control and any(c.standing for c in row.cells)]
    if not ranked or not rows:
        return None
    drawn = rows[:MOST]
    down, across = math.ceil(len(ranked) / ACROSS), min(ACROSS, len(ranked))
    figure = new_figure(max(NARROWEST, 2.2 + 1.7 * across), down * (0.75 + 0.19 * len(drawn)) + 0.5)
    panels = figure.subplots(down, across, squeeze=False, sharey=True).flat
    for at, axes in zip(ranked, panels, strict=False):
        _panel(axes, board.columns[at], drawn, at)
    for axes in figure.axes[len(ranked) :]:
        axes.set_visible(False)
    first = figure.axes[0]
    first.set_yticks(range(len(drawn)), [one_line(row.name) for row in drawn])
    first.set_ylim(len(drawn) - 0.5, -0.5)
    more = f", the first {MOST} of {len(rows)} generators" if len(rows) > MOST else ""
    figure.suptitle(heading(f"Ranks with 95 % intervals{more}", board))
    return figure


def _panel(axes: Axes, column: Column, rows: list[Row], at: int) -> None:
    """A dot at the rank, a line over its interval; hollow and grey where nothing is known."""
    for place, row in enumerate(rows):
        standing = row.cells[at].standing
        if standing is None:
            continue
        if standing.interval:
            axes.plot(standing.interval, [place, place], color=COLOURS[0], linewidth=1.6)
        known = COLOURS[0] if standing.interval else GREY
        face = known if standing.interval else "white"
        axes.plot([standing.rank], [place], "o", color=known, markerfacecolor=face, markersize=4)
    axes.set_title(_wrapped(f"{column.name} {column.arrow}".strip()), fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    ends = [end for row in rows if (s := row.cells[at].standing) for end in s.interval or (s.rank,)]
    axes.set_xlim(0.5, max(ends, default=1) + 0.5)


def _wrapped(name: str) -> str:
    """Metric and score on a line each, so that neighbouring titles do not meet."""
    metric, _, score = one_line(name).partition(".")
    return f"{metric}\n{score}" if score else metric
