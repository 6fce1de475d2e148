"""Rows of one generator that differ in one number: a truncation, a guidance, a checkpoint."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.leaderboard.board import Row

NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
TRUNCATIONS = ("psi", "threshold", "truncation", "truncation_psi")
NO_TRUNCATION = ("none", "null", "absent")


@dataclass(frozen=True)
class Series:
    """The field that differs, and the rows in the order of its values; infinity: no truncation."""

    generator: str
    field: str
    values: tuple[float, ...]
    rows: tuple[Row, ...]


def series_of(rows: Sequence[Row]) -> list[Series]:
    """By generator and what its rows share.

    Rows that differ in nothing but a truncation are one series each, whatever else sets them
    apart from other rows. Else all rows of a generator are one, if they differ in one number.
    """
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row.generator, []).append(row)
    return [one for name, group in sorted(by_name.items()) for one in _of_generator(name, group)]


def _of_generator(name: str, rows: Sequence[Row]) -> list[Series]:
    fields = list(rows[0].settings)  # of rows of one name they are the same
    chosen = next((one for one in fields if _last(one) in TRUNCATIONS), None)
    if chosen is None and len(fields) == 1:
        chosen = fields[0]
    if chosen is None:
        return []
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        others = tuple(value for field, value in row.settings.items() if field != chosen)
        groups.setdefault(others, []).append(row)
    found = [_series(name, chosen, group) for group in groups.values() if len(group) > 1]
    return [one for one in found if one]


def _series(name: str, field: str, rows: Sequence[Row]) -> Series | None:
    numbered = [(_value(row.settings, field), row) for row in rows]
    known = [(value, row) for value, row in numbered if value is not None]
    if len(known) < len(numbered) or len({value for value, _ in known}) < len(known):
        return None
    known.sort(key=lambda pair: pair[0])
    values, ordered = zip(*known, strict=True)
    return Series(name, _last(field), values, ordered)


def _value(settings: Mapping[str, str], field: str) -> float | None:
    text = settings[field]
    if _last(field) in TRUNCATIONS and text in NO_TRUNCATION:
        return math.inf
    return float(text) if NUMBER.fullmatch(text) else None


def _last(field: str) -> str:
    return field.rpartition(".")[2]
