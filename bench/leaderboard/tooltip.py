"""What the pages say of a cell or a column when the pointer rests on it."""

from bench.leaderboard.board import Cell, Column
from bench.leaderboard.cell_text import interval_text
from bench.leaderboard.differing import parameters
from bench.leaderboard.measurement import Measurement
from bench.leaderboard.standing import Rival, Standing


def cell_tooltip(cell: Cell) -> str:
    """Where it stands, and every measurement in full, with its record."""
    lines = [line for one in cell.measurements for line in _measured(one)]
    if cell.spread is not None:
        lines.insert(0, f"mean {cell.value!r}, sd {cell.spread!r}")
    placed = _placed(cell.standing) if cell.standing else []
    return "\n".join([*placed, *lines])


def cell_hint(cell: Cell) -> str:
    """What the cell does not show, in few words: a page has thousands of cells.

    "beats NAME: 0.97" is the probability of being better than it. The generator's page has the
    rest: the record, all digits, how the interval was made.
    """
    return "\n".join([*_standing(cell.standing), *_intervals(cell)])


def column_tooltip(column: Column) -> str:
    """The column's full name, its settings and what deviates from the protocol."""
    return "\n".join([column.name, _settings(column), *column.deviations])


def _settings(column: Column) -> str:
    return f"{column.metric}: {parameters(column.config) or 'no settings'}"


def _placed(standing: Standing) -> list[str]:
    """The rank, and how sure it is towards the neighbours in rank."""
    interval = f" ({interval_text(standing)})" if standing.interval else ""
    first = f"rank {standing.rank}{interval}, tie group {standing.tie_group}"
    return [first, *map(_compared, standing.rivals)]


def _compared(rival: Rival) -> str:
    if rival.probability is None:
        return f"towards {rival.name}: unknown, without error bars"
    return f"better than {rival.name} with probability {_share(rival.probability)} ({rival.kind})"


def _share(probability: float) -> str:
    """Two digits, but never 0 or 1: nothing is that sure."""
    if probability < 0.005:
        return "< 0.01"
    return "> 0.99" if probability >= 0.995 else f"{probability:.2f}"


def _standing(standing: Standing | None) -> list[str]:
    if standing is None:
        return []
    first = f"rank {standing.rank}, tie group {standing.tie_group}"
    kinds = ", ".join(sorted({one.kind for one in standing.rivals if one.probability is not None}))
    return [first, *map(_odds, standing.rivals), *([kinds] if kinds else [])]


def _odds(rival: Rival) -> str:
    share = "unknown" if rival.probability is None else _share(rival.probability)
    return f"beats {rival.name}: {share}"


def _intervals(cell: Cell) -> list[str]:
    """The interval of a single seed; the values of several."""
    if cell.single:
        ends = " to ".join(f"{end:.4g}" for end in cell.single.interval or ())
        return [f"95 %: {ends}"] if ends else []
    known = [one for one in cell.measurements if one.value is not None]
    return [f"seed {one.seed}: {one.value:.6g}" for one in known]


def _measured(one: Measurement) -> list[str]:
    found = repr(one.value) if one.value is not None else f"undefined: {one.undefined}"
    if one.standard_error is not None:
        found += f" ± {one.standard_error!r}"
    lines = [f"seed {one.seed}: {found}", one.path]
    if one.interval is not None:
        low, high = one.interval
        method = f" ({one.interval_method})" if one.interval_method else ""
        lines.insert(1, f"95 % interval {low!r} to {high!r}{method}")
    if one.bias is not None:
        lines.insert(-1, f"bias about {one.bias:.3g} at these counts, not taken off")
    return lines
