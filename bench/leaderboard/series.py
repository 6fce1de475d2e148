"""Rows of one generator that differ in one number: a truncation, a guidance, a checkpoint."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.leaderboard.board import Row
from bench.leaderboard.differing import in_words

NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
TRUNCATIONS = ("psi", "threshold", "truncation", "truncation_psi")
NO_TRUNCATION = ("none", "null", "absent")


@dataclass(frozen=True)
class Series:
    """Rows in the order of the one field in which they differ.

    Attributes:
        name: the generator, with what its rows share beyond others of it.
        field: that differs, without the place where it stands in the settings.
        values: of the field; infinity where nothing is truncated.
        rows: one per value.
    """

    name: str
    field: str
    values: tuple[float, ...]
    rows: tuple[Row, ...]

    def label(self, row: Row) -> str:
        """What stands beside a row's point: its value; at the last one the name as well."""
        value = self.values[self.rows.index(row)]
        told = f"{value:g}" if math.isfinite(value) else "none"
        return f"{self.name} {self.field}={told}" if row is self.rows[-1] else told


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
    groups: dict[str, list[Row]] = {}
    for row in rows:
        others = in_words({name: text for name, text in row.settings.items() if name != chosen})
        groups.setdefault(others, []).append(row)
    found = [
        _series(f"{name} [{shared}]" if shared else name, chosen, group)
        for shared, group in groups.items()
        if len(group) > 1
    ]
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
