"""The columns of a board: one per score and comparison key."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.leaderboard.board import Column
from bench.leaderboard.differing import differences
from bench.leaderboard.stored import Stored


@dataclass(frozen=True)
class Place:
    """A column and the records that have a number for it."""

    column: Column
    records: tuple[Stored, ...]


def columns_of(records: Sequence[Stored], deviations: Sequence[str]) -> list[Place]:
    """The columns, sorted by metric, note and score.

    Args:
        records: of one board.
        deviations: those of the whole board, which no column repeats.
    """
    by_key: dict[str, list[Stored]] = defaultdict(list)
    for stored in records:
        by_key[stored.record.comparison_key].append(stored)
    notes = _notes(by_key)
    places = [
        _place(group, score, notes[key], deviations)
        for key, group in by_key.items()
        for score in sorted({name for stored in group for name in stored.record.scores})
    ]
    return sorted(places, key=lambda place: _order(place.column))


def _order(column: Column) -> tuple[str, ...]:
    return column.metric, column.note, column.score, column.comparison_key


def _notes(by_key: dict[str, list[Stored]]) -> dict[str, str]:
    """Comparison key -> the settings in which it departs from others of the same metric."""
    by_metric: dict[str, list[str]] = defaultdict(list)
    for key in sorted(by_key):
        by_metric[by_key[key][0].record.metric["name"]].append(key)
    notes: dict[str, str] = {}
    for keys in by_metric.values():
        compared = [by_key[key][0].record.comparison["metric"] for key in keys]
        notes |= zip(keys, differences(compared), strict=True)
    return notes


def _place(group: Sequence[Stored], score: str, note: str, shared: Sequence[str]) -> Place:
    records = tuple(stored for stored in group if score in stored.record.scores)
    directions = {stored.record.scores[score]["better"] for stored in records}
    found = {str(text) for stored in records for text in stored.record.deviations}
    metric = records[0].record.metric
    column = Column(
        metric=metric["name"],
        score=score,
        # records that disagree on the direction cannot be ranked
        better=directions.pop() if len(directions) == 1 else "neither",
        comparison_key=records[0].record.comparison_key,
        config=metric["config"],
        note=note,
        deviations=tuple(sorted(found - set(shared))),
    )
    return Place(column, records)
