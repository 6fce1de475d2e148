"""What a cell says: the number, and beside it what is known of its uncertainty."""

from bench.leaderboard.board import Cell, Row
from bench.leaderboard.measurement import Measurement
from bench.leaderboard.numbers import ERROR_DIGITS, RANK_DIGITS, number
from bench.leaderboard.standing import Standing

MISSING = DASH = "–"  # noqa: RUF001  an en dash, as tables print it
TIED = "†"


def main_text(cell: Cell) -> str:
    """The rounded value, "undefined (reason)", or a dash where nothing was measured."""
    if cell.value is not None:
        return number(cell.value)
    return f"undefined ({cell.undefined})" if cell.undefined else MISSING


def error_text(cell: Cell, row: Row) -> str:
    """The standard error or interval of one seed, the sd of several; empty where unknown.

    The number of seeds is added where the cell has another one than its row.
    """
    if cell.value is None:
        return ""
    known = _own_error(cell.single) if cell.single else f"± {_spread(cell)} sd"
    count = len(cell.measurements)
    seeds = "" if count == row.num_seeds else seeds_text(count)
    return ", ".join(text for text in (known, seeds) if text)


def seeds_text(count: int) -> str:
    """The count in words: "1 seed", "2 seeds"."""
    return f"{count} seed" if count == 1 else f"{count} seeds"


def rank_text(row: Row) -> str:
    """The mean rank, "control", or a dash for a row with a gap."""
    if row.control:
        return "control"
    return MISSING if row.mean_rank is None else number(row.mean_rank, RANK_DIGITS)


def rank_bounds_text(row: Row) -> str:
    """The bounds of the mean rank, such as "1.00" to "1.60" with a dash; empty where unknown."""
    return DASH.join(number(end, RANK_DIGITS) for end in row.mean_rank_bounds or ())


def place_text(cell: Cell) -> str:
    """The interval of the rank in its column, such as "rank 1"; empty where unknown."""
    found = interval_text(cell.standing) if cell.standing else ""
    return f"rank {found}" if found else ""


def interval_text(standing: Standing) -> str:
    """The interval of a rank: two numbers with a dash, or one; empty where unknown."""
    return DASH.join(str(end) for end in sorted(set(standing.interval or ())))


def tied_text(cell: Cell) -> str:
    """A dagger where the cell is not surely worse than the best one."""
    return TIED if cell.tied_with_best else ""


def _spread(cell: Cell) -> str:
    return number(cell.spread or 0.0, ERROR_DIGITS)


def _own_error(one: Measurement) -> str:
    if one.standard_error is not None:
        return f"± {number(one.standard_error, ERROR_DIGITS)}"
    if one.interval is not None:
        low, high = one.interval
        return f"[{number(low)}, {number(high)}]"
    return ""
