"""The boards as one static page: no request leaves it, and no script but its own runs."""

from bench.leaderboard.backbone_agreement import backbone_agreement
from bench.leaderboard.bars import scales
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.legend import (
    HOW_TO_READ,
    MISORDERED,
    TIED_WITH_BEST,
    composite_lines,
    metric_lines,
    provenance,
)
from bench.leaderboard.metric_agreement import metric_agreement
from bench.leaderboard.panel_file import panel_link, part_anchor
from bench.leaderboard.scatter import scatters
from bench.leaderboard.sizes import growths
from bench.leaderboard.template import render
from bench.leaderboard.tooltip import cell_hint, column_tooltip

SELECTORS = ("dataset", "backbone", "protocol")
OPEN_BOARDS = 4  # with more, their drawings wait until they are asked for


def page(shown: Leaderboard) -> str:
    """The whole page; pictures and a page per generator lie in NAME.files beside it."""
    return render(
        "page.html.j2",
        script="page.js",
        shown=shown,
        choices=_choices(shown),
        metric_names=_metric_names(shown),
        kinds=_kinds(shown),
        composites=composite_lines(shown.boards),
        how_to_read=HOW_TO_READ,
        tied_with_best=TIED_WITH_BEST,
        misordered=MISORDERED,
        metrics=metric_lines(shown.boards),
        provenance=provenance(shown.records),
        scales=scales,
        cell_hint=cell_hint,
        column_tooltip=column_tooltip,
        panel_link=panel_link,
        part_anchor=part_anchor,
        scatters=scatters,
        metric_agreement=metric_agreement,
        across=backbone_agreement(shown.boards),
        growths=growths(shown.boards),
        open_views=len(shown.boards) <= OPEN_BOARDS,
    )


def _choices(shown: Leaderboard) -> dict[str, list[str]]:
    """What the selectors offer; one choice is no choice."""
    found = {name: sorted({getattr(one, name) for one in shown.boards}) for name in SELECTORS}
    return {name: values for name, values in found.items() if len(values) > 1}


def _kinds(shown: Leaderboard) -> list[str]:
    """The kinds of rows that there are; each has a table body of that class."""
    controls = {row.control for board in shown.boards for row in board.rows}
    reported = any(board.reported for board in shown.boards)
    found = {"generators": False in controls, "controls": True in controls, "reported": reported}
    return [kind for kind, present in found.items() if present]


def _metric_names(shown: Leaderboard) -> list[str]:
    """The metrics that can be hidden; a single one cannot."""
    found = sorted({column.metric for board in shown.boards for column in board.columns})
    return found if len(found) > 1 else []
