"""The boards as JSON, numbers in full, for programs that would rather not read a page."""

import json
import re
from dataclasses import asdict
from typing import Any

from bench.leaderboard.board import Board, Cell, Column, Row
from bench.leaderboard.leaderboard import Leaderboard
from bench.leaderboard.legend import provenance
from bench.leaderboard.standing import Comparisons

SCHEMA = 2
# a list of nothing but numbers, null and kinds of comparison stands on one line; no text of a
# name can look like it, since a line break inside a text is escaped
ITEM = r'(?:null|-?[0-9][-+.e0-9]*|"[a-z]+")'
FLAT = re.compile(rf"\[\n\s*({ITEM}(?:,\n\s*{ITEM})*)\n\s*\]")


def json_text(shown: Leaderboard) -> str:
    """Boards with their columns, rows and marks, the provenance, and the files left out."""
    content = {
        "schema": SCHEMA,
        "name": shown.name,
        "num_records": len(shown.records),
        "boards": [_board(board) for board in shown.boards],
        "provenance": provenance(shown.records),
        "left_out": [asdict(item) for item in shown.left_out],
        "unpaired": [asdict(item) for item in shown.unpaired],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return FLAT.sub(lambda found: f"[{' '.join(found[1].split())}]", text)


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
        "composites": [{"name": one.name, **asdict(one)} for one in board.composites],
        "rows": [_row(row) for row in board.rows],
        "reported": [asdict(one) for one in board.reported],
    }


def _column(column: Column, pairs: Comparisons | None) -> dict[str, Any]:
    return {
        "name": column.name,
        **asdict(column),
        "comparisons": asdict(pairs) if pairs else None,
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
        "measurements": [asdict(one) for one in cell.measurements],
    }
