"""The boards as JSON, numbers in full, for programs that would rather not read a page."""

import json
from dataclasses import asdict
from typing import Any

from bench.leaderboard.board import Board, Cell, Column, Row
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.legend import provenance

SCHEMA = 1


def json_text(shown: Leaderboard) -> str:
    """Boards with their columns, rows and marks, the provenance, and the files left out."""
    content = {
        "schema": SCHEMA,
        "name": shown.name,
        "num_records": len(shown.records),
        "boards": [_board(board) for board in shown.boards],
        "provenance": provenance(shown.records),
        "left_out": [asdict(item) for item in shown.left_out],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


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
        "columns": [_column(column) for column in board.columns],
        "rows": [_row(row) for row in board.rows],
    }


def _column(column: Column) -> dict[str, Any]:
    return {"name": column.name} | asdict(column)


def _row(row: Row) -> dict[str, Any]:
    return {
        "generator": row.generator,
        "note": row.note,
        "control": row.control,
        "num_seeds": row.num_seeds,
        "mean_rank": row.mean_rank,
        "cells": [_cell(cell) for cell in row.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "value": cell.value,
        "spread": cell.spread,
        "mark": cell.mark,
        "undefined": cell.undefined,
        "measurements": [asdict(one) for one in cell.measurements],
    }
