"""How far metrics, and how far backbones, put the generators in one order: Kendall's tau."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import kendalltau

from bench.leaderboard.board import Board
from bench.leaderboard.plots.style import NARROWEST, heading, new_figure, one_line

FEWEST = 3  # generators that an order can be compared of
ACROSS = 4  # panels beside each other
SIGNS = {"lower": -1.0, "higher": 1.0}
Merits = Mapping[str, float]  # generator -> score, larger is better


def correlation(first: Merits, second: Merits) -> float:
    """Kendall's tau-b over the generators of both; NaN for fewer than three, or no order at all."""
    both = sorted(first.keys() & second.keys())
    if len(both) < FEWEST:
        return math.nan
    found = kendalltau([first[name] for name in both], [second[name] for name in both])
    return float(found.statistic)


def merits(board: Board) -> dict[str, Merits]:
    """Column with a direction -> the ranked generators' scores in it."""
    return {
        column.name: {
            row.name: SIGNS[column.better] * value
            for row in board.rows
            if not row.control and (value := row.cells[at].value) is not None
        }
        for at, column in enumerate(board.columns)
        if column.better in SIGNS
    }


def metric_figure(board: Board) -> Figure | None:
    """Metrics against metrics; None where fewer than two columns or three generators are ranked."""
    found = merits(board)
    if len(found) < 2 or max(map(len, found.values())) < FEWEST:
        return None
    side = 0.42 * len(found)
    figure = new_figure(max(NARROWEST, 2.6 + side), 2.5 + side)
    axes = figure.add_subplot()
    _heatmap(axes, list(found), list(found.values()))
    count = f"{max(map(len, found.values()))} generators"
    figure.suptitle(heading(f"Kendall's tau between metrics, {count}", board))
    return figure


def backbone_figures(boards: Sequence[Board]) -> Iterator[tuple[str, str, Figure]]:
    """(title, key, figure) with a panel per metric, for boards that differ in backbone alone."""
    groups: dict[tuple[str, ...], list[Board]] = defaultdict(list)
    for board in boards:
        counts = (str(board.num_real), str(board.num_fake))
        groups[board.dataset, board.fingerprint, board.protocol, *counts].append(board)
    for group in groups.values():
        figure = _backbones(group)
        if figure:
            yield f"{group[0].dataset} · {group[0].protocol}", group[0].key, figure


def _backbones(boards: Sequence[Board]) -> Figure | None:
    each = [merits(board) for board in boards]
    columns = sorted({name for found in each for name in found})
    panels = {}
    for column in columns:
        own = [
            (board, found[column])
            for board, found in zip(boards, each, strict=True)
            if column in found
        ]
        if len(own) > 1 and sum(len(scores) >= FEWEST for _, scores in own) > 1:
            panels[column] = own
    if not panels:
        return None
    most = max(map(len, panels.values()))
    down, across = math.ceil(len(panels) / ACROSS), min(ACROSS, len(panels))
    side = 0.42 * most
    width = max(NARROWEST, across * (side + 1.7) + 0.2)
    figure = new_figure(width, down * (side + 1.9) + 0.7)
    grid = list(figure.subplots(down, across, squeeze=False).flat)
    for axes, (column, own) in zip(grid, panels.items(), strict=False):
        _heatmap(axes, [_named(board, boards) for board, _ in own], [scores for _, scores in own])
        axes.set_title("\n".join(one_line(column).split(".", 1)), fontsize=8)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    title = f"{one_line(boards[0].dataset)} · {one_line(boards[0].protocol)}"
    figure.suptitle(f"Kendall's tau between backbones\n{title}")
    return figure


def _named(board: Board, boards: Sequence[Board]) -> str:
    """The backbone, with what tells it apart from another of that name."""
    same = [one for one in boards if one.backbone == board.backbone]
    if len(same) == 1:
        return board.backbone
    return f"{board.backbone} {board.note or board.weights[:8] or board.key[:8]}"


def _heatmap(axes: Axes, names: Sequence[str], scores: Sequence[Merits]) -> None:
    table = [[correlation(first, second) for second in scores] for first in scores]
    axes.imshow(table, cmap="PuOr", vmin=-1, vmax=1)
    for down, row in enumerate(table):
        for across, tau in enumerate(row):
            text = "–" if math.isnan(tau) else f"{tau:.2f}"  # noqa: RUF001
            dark = not math.isnan(tau) and abs(tau) > 0.6
            colour = "white" if dark else "black"
            axes.text(across, down, text, ha="center", va="center", color=colour, fontsize=7)
    labels = [one_line(name) for name in names]
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
