"""Whether the metrics of a board put its generators into the same order."""

import math
from collections.abc import Sequence

import numpy as np

from bench.leaderboard.board import Board, Row
from bench.leaderboard.heatmap import LEAST, Heatmap, heatmap
from bench.leaderboard.kendall import Floats, kendall


def metric_agreement(board: Board) -> list[Heatmap]:
    """Between the board's scores with a direction: of the generators, and with the controls."""
    names = [column.name for column in board.columns if column.better != "neither"]
    ranked = [row for row in board.rows if not row.control]
    kinds = {"generators": ranked, "generators and controls": board.rows}
    if len(ranked) == len(board.rows):
        del kinds["generators and controls"]
    if len(names) < 2:
        return []
    return [
        heatmap(
            f"Between metrics: {kind}",
            f"Kendall's τ over {len(rows)} rows: 1 where two scores agree on every pair, "
            "-1 where they disagree on every one",
            names,
            kendall(_signed(board, rows), LEAST),
            {},
        )
        for kind, rows in kinds.items()
        if len(rows) >= LEAST
    ]


def _signed(board: Board, rows: Sequence[Row]) -> Floats:
    """(rows, scores with a direction): higher is better everywhere, NaN in gaps."""
    signs = {"lower": -1.0, "higher": 1.0}
    places = [(at, signs[c.better]) for at, c in enumerate(board.columns) if c.better in signs]
    values = [[_value(row, at) * sign for at, sign in places] for row in rows]
    return np.array(values, dtype=float)


def _value(row: Row, at: int) -> float:
    value = row.cells[at].value
    return math.nan if value is None else value
