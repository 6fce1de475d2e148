"""Rows of one generator that differ in one number: a truncation, a guidance, a checkpoint."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bench.leaderboard.board import Row

SETTING = re.compile(r"(?P<field>[\w.]+)=(?P<value>-?\d+(\.\d+)?(e-?\d+)?)")


@dataclass(frozen=True)
class Series:
    """The field that differs, and the rows in the order of its values."""

    generator: str
    field: str
    values: tuple[float, ...]
    rows: tuple[Row, ...]


def series_of(rows: Sequence[Row]) -> list[Series]:
    """By generator; rows that differ in more than one number, or in none, make no series."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row.generator, []).append(row)
    found = [_series(name, group) for name, group in sorted(by_name.items()) if len(group) > 1]
    return [one for one in found if one]


def _series(name: str, rows: Sequence[Row]) -> Series | None:
    settings = [SETTING.fullmatch(row.note) for row in rows]
    numbered = [(float(one["value"]), row) for one, row in zip(settings, rows, strict=True) if one]
    fields = {one["field"] if one else "" for one in settings}
    if len(fields) > 1 or len(numbered) < len(rows):
        return None
    numbered.sort(key=lambda pair: pair[0])
    values, ordered = zip(*numbered, strict=True)
    return Series(name, fields.pop().rpartition(".")[2], values, ordered)
