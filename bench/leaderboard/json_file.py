"""The boards as JSON, numbers in full, for programs that would rather not read a page."""

import json
from typing import Any

from bench.leaderboard.board import Board, Cell, Column, Row
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.legend import provenance
from bench.leaderboard.standing import Comparisons

SCHEMA = 2
SPREAD = 4  # levels written over several lines: from there on a column or a row is one line


def json_text(shown: Leaderboard) -> str:
    """Boards with their columns, rows and marks, the provenance, and the files left out."""
    content = {
        "schema": SCHEMA,
        "name": shown.name,
        "num_records": len(shown.records),
        "boards": [_board(board) for board in shown.boards],
        "provenance": provenance(shown.records),
        "left_out": [vars(item) for item in shown.left_out],
        "unfit": [vars(item) for item in shown.unfit],
    }
    return _spread(content, SPREAD) + "\n"


def _spread(content: Any, levels: int, indent: str = "") -> str:
    """JSON with the upper levels over several lines, for people and for version control."""
    if not content or not levels or not isinstance(content, (dict, list)):
        return json.dumps(content, ensure_ascii=False, allow_nan=False)
    inner = indent + " "
    if isinstance(content, dict):
        named = [
            f"{json.dumps(name, ensure_ascii=False)}: {_spread(item, levels - 1, inner)}"
            for name, item in content.items()
        ]
        return f"{{\n{inner}" + f",\n{inner}".join(named) + f"\n{indent}}}"
    items = [_spread(item, levels - 1, inner) for item in content]
    return f"[\n{inner}" + f",\n{inner}".join(items) + f"\n{indent}]"


def _board(board: Board) -> dict[str, Any]:
    return {
        "key": board.key,
        "caption": board.caption,
        "dataset": board.dataset,
        "fingerprint": board.fingerprint,
        "backbone": board.backbone,
        "weights": board.weights,
        "protocol": board.protocol,
        "deviations": board.deviations,
        "num_real": board.num_real,
        "num_fake": board.num_fake,
        "columns": [
            _column(column, pairs)
            for column, pairs in zip(board.columns, board.comparisons, strict=True)
        ],
        "misordered": [vars(one) for one in board.misordered],
        "composites": [{"name": one.name, **vars(one)} for one in board.composites],
        "rows": [_row(row) for row in board.rows],
        "reported": [vars(one) for one in board.reported],
    }


def _column(column: Column, pairs: Comparisons | None) -> dict[str, Any]:
    return {
        "name": column.name,
        **vars(column),
        "comparisons": vars(pairs) if pairs else None,
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "generator": row.generator,
        "note": row.note,
        "control": row.control,
        "num_seeds": row.num_seeds,
        "mean_rank": row.mean_rank,
        "mean_rank_bounds": row.mean_rank_bounds,
        "composites": list(row.composites),
        "cells": [_cell(cell) for cell in row.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "value": cell.value,
        "spread": cell.spread,
        "mark": cell.mark,
        "rank": cell.standing.rank if cell.standing else None,
        "rank_interval": cell.standing.interval if cell.standing else None,
        "tie_group": cell.standing.tie_group if cell.standing else None,
        "undefined": cell.undefined,
        "measurements": [vars(one) for one in cell.measurements],
    }
