"""Where the interval bars of a column begin and end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.leaderboard.board import Board, Cell
from bench.leaderboard.chart import LOG_FROM

WIDTH = 72  # of the drawing, in pixels; the style says so too


@dataclass(frozen=True)
class Bar:
    """Horizontal positions in the drawing, as text: from low to high, a dot at the value."""

    low: str
    high: str
    value: str


@dataclass(frozen=True)
class Scale:
    """The range that a column's drawing covers: all intervals of the ranked generators."""

    low: float
    high: float

    @property
    def _logarithmic(self) -> bool:
        """Where a linear one would squeeze most intervals to a point."""
        return self.low > 0 and self.high / self.low > LOG_FROM

    def bar(self, cell: Cell) -> Bar | None:
        """The cell's bar; None for a cell without an interval of its own."""
        if cell.interval is None or cell.value is None:
            return None
        low, high = cell.interval
        return Bar(self._position(low), self._position(high), self._position(cell.value))

    def _position(self, value: float) -> str:
        low, high, at = (
            math.log(one) if self._logarithmic else one for one in (self.low, self.high, value)
        )
        share = (at - low) / (high - low)
        return f"{3 + share * (WIDTH - 6):.3g}"  # the margin that half a dot needs


def scales(board: Board) -> list[Scale | None]:
    """One per column. Controls are left out: noise would squeeze all others to a point."""
    rows = [row for row in board.rows if not row.control]
    return [_scale([row.cells[at] for row in rows]) for at in range(len(board.columns))]


def _scale(cells: Sequence[Cell]) -> Scale | None:
    ends = [
        end
        for cell in cells
        if cell.value is not None
        for end in (*(cell.interval or ()), cell.value)
        if cell.interval
    ]
    return Scale(min(ends), max(ends)) if ends and min(ends) < max(ends) else None
