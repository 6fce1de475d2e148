r"""The boards as LaTeX tables to paste into a paper or to \input.

A document needs \usepackage{booktabs} and \usepackage{graphicx}; tables wider than the line are
made to fit it.
"""

from collections.abc import Iterator, Mapping, Sequence

from bench.leaderboard.board import Board, Cell, Column, Reported, Row
from bench.leaderboard.cell_text import (
    MISSING,
    interval_text,
    rank_bounds_text,
    rank_text,
    seeds_text,
    tied_text,
)
from bench.leaderboard.differing import short
from bench.leaderboard.latex_text import comment, escaped
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.legend import TIED_WITH_BEST, provenance
from bench.leaderboard.numbers import ERROR_DIGITS, number
from bench.leaderboard.stored import Stored

MOST = 6  # columns beside the generators' names
MARKS = {"best": r"\textbf{%s}", "second": r"\underline{%s}", "": "%s"}
FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
STATED = ("git_commit", "packages.salon", "packages.torch")  # of the environments, in the caption
LEGEND = (
    "Best in bold, second underlined. ± is one standard error, or, marked sd, the standard "
    "deviation over the seeds; subscripts are 95 % intervals, superscripts 95 % intervals of the "
    f"rank; † {TIED_WITH_BEST}."
)


def latex(shown: Leaderboard) -> str:
    """One table environment per board, in the order of the boards."""
    lines = [
        comment(f"{shown.name}: made from records by salon leaderboard; edit the records instead."),
        comment(r"Needs \usepackage{booktabs,graphicx}."),
    ]
    records = {stored.path: stored for stored in shown.records}
    for board in shown.boards:
        lines += ["", *_table(board, records)]
    return "\n".join(lines) + "\n"


def _table(board: Board, records: Mapping[str, Stored]) -> Iterator[str]:
    yield r"\begin{table}"
    yield r"\centering"
    yield rf"\caption{{{escaped(_caption(board, records))}}}"
    yield rf"\label{{tab:board-{board.key[:8]}}}"
    yield r"\par\medskip"
    yield FITTED
    yield from _stacked([list(part) for part in _tabulars(board)])
    yield "}"
    notes = list(_notes(board))
    if notes:
        yield rf"\par\smallskip{{\footnotesize\raggedright {escaped('; '.join(notes))}\par}}"
    yield r"\end{table}"


def _stacked(parts: Sequence[Sequence[str]]) -> Iterator[str]:
    """Below each other, in one size of letters."""
    if len(parts) == 1:
        yield from parts[0]
        return
    yield r"\begin{tabular}{@{}l@{}}"
    for part in parts:
        yield from part
        yield r"\\ \addlinespace"
    yield r"\end{tabular}"


def _tabulars(board: Board) -> Iterator[Iterator[str]]:
    """All columns, MOST at a time: more would be too small to read on a page."""
    count = 1 + len(board.composites) + len(board.columns)
    for start in range(0, count, MOST):
        yield _tabular(board, slice(start, start + MOST))


def _tabular(board: Board, shown: slice) -> Iterator[str]:
    """The generators, and these of the other columns."""
    composites = [one.name for one in board.composites]
    heads = ["Mean rank", *composites, *map(_head, board.columns)][shown]
    yield rf"\begin{{tabular}}{{l{'r' * len(heads)}}}"
    yield r"\toprule"
    yield _line(map(escaped, ["Generator", *heads]))
    yield r"\midrule"
    told: set[str] = set()  # a generator of several rows has its published values once
    controls = False
    for row in board.rows:
        if row.control and not controls:
            yield r"\midrule"
        controls = row.control
        yield _line([escaped(_named(row)), *_cells(row)[shown]])
        if row.generator not in told:
            for one in board.reported_of(row.generator):
                yield _line([escaped(one.name), *_reported(one, board)[shown]])
        told.add(row.generator)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _head(column: Column) -> str:
    return f"{column.name} {column.arrow}".strip()


def _named(row: Row) -> str:
    return row.name + (f" ({seeds_text(row.num_seeds)})" if row.num_seeds > 1 else "")


def _cells(row: Row) -> list[str]:
    rank = escaped(rank_text(row))
    if row.mean_rank_bounds:
        rank += _raised(rank_bounds_text(row))
    composites = [escaped(MISSING) if value is None else _number(value) for value in row.composites]
    return [rank, *composites, *map(_cell, row.cells)]


def _reported(one: Reported, board: Board) -> list[str]:
    values = (escaped(value or MISSING) for value in one.values)
    return ["reported", *[escaped(MISSING)] * len(board.composites), *values]


def _cell(cell: Cell) -> str:
    if cell.value is None:
        return escaped("undefined" if cell.undefined else MISSING)
    ranks = [tied_text(cell), interval_text(cell.standing) if cell.standing else ""]
    return MARKS[cell.mark] % _number(cell.value) + _error(cell) + _raised(*ranks)


def _error(cell: Cell) -> str:
    """The standard error after a sign, or the interval as a subscript."""
    one = cell.single
    if one is None:
        return rf" {escaped(f'± {number(cell.spread or 0.0, ERROR_DIGITS)} sd')}"
    if one.standard_error is not None:
        return rf" {escaped(f'± {number(one.standard_error, ERROR_DIGITS)}')}"
    if one.interval is not None:
        low, high = map(_number, one.interval)
        return rf"\textsubscript{{[{low}, {high}]}}"
    return ""


def _number(value: float) -> str:
    """With a minus sign, not a hyphen, before a negative one."""
    return ("$-$" if value < 0 else "") + escaped(number(abs(value)))


def _raised(*parts: str) -> str:
    found = " ".join(filter(None, parts))
    return rf"\textsuperscript{{{escaped(found)}}}" if found else ""


def _line(cells: Sequence[str] | Iterator[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _caption(board: Board, records: Mapping[str, Stored]) -> str:
    """What the numbers share, and what they were made with."""
    cells = (cell for row in board.rows for cell in row.cells)
    paths = {one.path for cell in cells for one in cell.measurements}
    made = provenance([records[path] for path in sorted(paths)])
    known = [
        f"{name.rpartition('.')[2]} {', '.join(map(short, made[name]))}"
        for name in STATED
        if name in made
    ]
    return ". ".join([board.caption, "; ".join([f"{len(paths)} records", *known]), LEGEND])


def _notes(board: Board) -> Iterator[str]:
    """Why scores are undefined, where columns deviate, the composites' rules, and sources."""
    for row in board.rows:
        for column, cell in zip(board.columns, row.cells, strict=True):
            if cell.undefined:
                yield f"{row.name}, {column.name} undefined: {cell.undefined}"
    for column in board.columns:
        if column.deviations:
            yield f"{column.name} deviates: {', '.join(column.deviations)}"
    yield from (f"{one.name}: {one.rule.rstrip('.')}" for one in board.composites)
    yield from dict.fromkeys(f"reported: {one.source}" for one in board.reported)
