"""The boards as Markdown tables."""

import re
from collections.abc import Iterator, Sequence

from bench.leaderboard.board import Board, Cell, Column, Reported, Row
from bench.leaderboard.cell_text import (
    MISSING,
    TIED,
    error_text,
    main_text,
    place_text,
    rank_bounds_text,
    rank_text,
    seeds_text,
    tied_text,
)
from bench.leaderboard.differing import short
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.legend import (
    HOW_TO_READ,
    MISORDERED,
    TIED_WITH_BEST,
    composite_lines,
    metric_lines,
    provenance,
)
from bench.leaderboard.numbers import number
from bench.leaderboard.stored import LeftOut

ESCAPED = {"\\": "\\\\", "|": "\\|", "&": "&amp;", "<": "&lt;", ">": "&gt;"} | {
    sign: f"\\{sign}" for sign in "`*~[]"
}
EDGE_UNDERSCORE = re.compile(r"(?<!\w)_|_(?!\w)")  # inside a word it is no emphasis
MARKS = {"best": "**{}**", "second": "*{}*", "": "{}"}


def markdown(shown: Leaderboard) -> str:
    """The whole page."""
    lines = [f"# {escaped(shown.name)}", ""]
    for board in shown.boards:
        lines += [*_board(board), ""]
    lines += [
        "## How to read this",
        "",
        f"- **Best** and *second best* of each column; {TIED}: {TIED_WITH_BEST}.",
    ]
    lines += [f"- {line}" for line in HOW_TO_READ]
    lines += [f"- **{escaped(name)}**: {rule}" for name, rule in composite_lines(shown.boards)]
    lines += [
        f"- **{escaped(name)}**: {escaped(text)}" for name, text in metric_lines(shown.boards)
    ]
    lines += _provenance(shown)
    lines += _named("Left out", shown.left_out)
    lines += _named("Unfit files beside records", shown.unfit)
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """The text on one line, with nothing in it that Markdown or HTML would act on."""
    signs = (ESCAPED.get(sign, sign) for sign in " ".join(text.split()))
    return EDGE_UNDERSCORE.sub(r"\_", "".join(signs))


def _board(board: Board) -> Iterator[str]:
    yield from [f"## {escaped(board.title)}", "", escaped(board.caption), ""]
    composites = [escaped(one.name) for one in board.composites]
    heads = ["Generator", "Mean rank", *composites, *map(_head, board.columns)]
    yield _line(heads)
    yield _line(["---", *["---:"] * (len(heads) - 1)])
    yield from _rows(board)
    for column in board.columns:
        if column.deviations:
            yield f"\n{escaped(column.name)} deviates: {escaped('; '.join(column.deviations))}"
    if board.misordered:
        told = "; ".join(one.text for one in board.misordered)
        yield f"\n{MISORDERED}: {escaped(told)}."
    for source in dict.fromkeys(one.source for one in board.reported):
        yield f"\nReported: {escaped(source)}"


def _rows(board: Board) -> Iterator[str]:
    """Published values stand below the measured row of the same generator."""
    told: set[str] = set()  # a generator of several rows has its published values once
    for row in board.rows:
        yield _row(row)
        if row.generator not in told:
            yield from (_reported(one, board) for one in board.reported_of(row.generator))
        told.add(row.generator)


def _head(column: Column) -> str:
    return f"{escaped(column.name)} {column.arrow}".strip()


def _row(row: Row) -> str:
    seeds = f" ({seeds_text(row.num_seeds)})" if row.num_seeds > 1 else ""
    cells = [_cell(cell, row) for cell in row.cells]
    bounds = f" ({rank_bounds_text(row)})" if row.mean_rank_bounds else ""
    composites = [MISSING if value is None else number(value) for value in row.composites]
    return _line([escaped(row.name) + seeds, rank_text(row) + bounds, *composites, *cells])


def _reported(one: Reported, board: Board) -> str:
    values = (escaped(value) or MISSING for value in one.values)
    return _line([escaped(one.name), "reported", *[MISSING] * len(board.composites), *values])


def _cell(cell: Cell, row: Row) -> str:
    marked = MARKS[cell.mark].format(escaped(main_text(cell)))
    known = filter(None, (escaped(error_text(cell, row)), place_text(cell)))
    return f"{marked}{tied_text(cell)} {', '.join(known)}".strip()


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _provenance(shown: Leaderboard) -> list[str]:
    lines = ["", "## Provenance", "", f"- records: {len(shown.records)}"]
    for name, values in provenance(shown.records).items():
        lines.append(f"- {escaped(name)}: {escaped(', '.join(map(short, values)))}")
    return lines


def _named(title: str, files: Sequence[LeftOut]) -> list[str]:
    if not files:
        return []
    lines = [f"- {escaped(item.path)}: {escaped(item.reason)}" for item in files]
    return ["", f"## {title}", "", *lines]
