"""Groups records into boards; two comparison keys never share one column of one table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.leaderboard.board import Board
from bench.leaderboard.columns import Place, columns_of
from bench.leaderboard.differing import differences, flat
from bench.leaderboard.influences import Tables
from bench.leaderboard.misordered import misordered
from bench.leaderboard.ranking import ranked
from bench.leaderboard.rows import rows_of
from bench.leaderboard.stored import Stored
from bench.records import Record, digest

COUNTS = ("num_real", "num_fake")


def boards(records: Sequence[Stored]) -> list[Board]:
    """One board per comparison without its metric, sorted by caption."""
    groups: dict[str, list[Stored]] = defaultdict(list)
    for stored in records:
        groups[digest(_shared(stored.record))].append(stored)
    made = [_board(key, groups[key]) for key in sorted(groups)]
    told_apart = _tell_apart(made, {key: _shared(groups[key][0].record) for key in groups})
    return sorted(told_apart, key=lambda board: (board.caption, board.key))


def _shared(record: Record) -> dict[str, Any]:
    return _without(record.comparison, ("metric",))


def _without_counts(comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Whether rows are drawn depends on how many are wanted."""
    content = comparison["dataset"]
    known = _without(content, ("draw",)) if isinstance(content, Mapping) else content
    return {**_without(comparison, COUNTS), "dataset": known}


def _without(comparison: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in comparison.items() if name not in names}


def _board(key: str, records: list[Stored]) -> Board:
    first = records[0].record
    deviations = _common_deviations(records)
    places: list[Place] = columns_of(records, deviations)
    columns = tuple(place.column for place in places)
    tables = Tables(records)
    rows, comparisons = ranked(rows_of(records, places), columns, tables)
    return Board(
        key=key,
        family=digest(_without_counts(_shared(first))),
        dataset=_names(records, "dataset"),
        fingerprint=_hash(first.comparison, "dataset", "fingerprint"),
        backbone=_names(records, "backbone"),
        weights=_hash(first.comparison, "backbone", "weights_sha256"),
        protocol=_names(records, "protocol"),
        num_real=first.num_real,
        num_fake=first.num_fake,
        deviations=deviations,
        note="",
        columns=columns,
        rows=rows,
        comparisons=comparisons,
        misordered=tuple(misordered(rows, columns, tables)),
        unpaired=tables.faults,
        ends=tables.ends,
    )


def _names(records: Sequence[Stored], role: str) -> str:
    """Usually one name; two yamls that mean the same thing are both named."""
    return " / ".join(sorted({getattr(stored.record, role)["name"] for stored in records}))


def _hash(comparison: Mapping[str, Any], part: str, name: str) -> str:
    """The field of that name, at whatever depth; empty where there is none."""
    content = comparison.get(part)
    fields = flat(content) if isinstance(content, dict) else {}
    return next((text for path, text in fields.items() if path.split(".")[-1] == name), "")


def _common_deviations(records: Sequence[Stored]) -> tuple[str, ...]:
    each = [set(map(str, stored.record.deviations)) for stored in records]
    return tuple(sorted(set.intersection(*each)))


def _tell_apart(made: Sequence[Board], shared: Mapping[str, Mapping[str, Any]]) -> list[Board]:
    """Give boards of one caption the fields in which their keys depart from each other."""
    groups: dict[str, list[Board]] = defaultdict(list)
    for board in made:
        groups[board.caption].append(board)
    return [
        replace(board, note=note)
        for group in groups.values()
        for board, note in zip(
            group, differences([shared[board.key] for board in group]), strict=True
        )
    ]
