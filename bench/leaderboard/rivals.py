"""Records that claim the same place: duplicates, conflicts, and ambiguous re-measurements."""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from bench.agreement import relative_bound
from bench.leaderboard.stored import LeftOut, Stored
from bench.records import scores_close


def set_aside(records: Sequence[Stored]) -> tuple[list[Stored], list[LeftOut]]:
    """Keep the records whose place in the tables is theirs alone.

    Of equal records under one key the first path stays. Where two hold other scores for one
    place, none can be trusted more than the other, so none is used.

    Args:
        records: in the order of their paths.

    Returns:
        The records that stay, in the same order, and those left out.
    """
    kept, duplicates = _settle(records, lambda stored: stored.record.key, _same_key)
    kept, conflicts = _settle(kept, lambda stored: stored.place, _same_place)
    return kept, duplicates + conflicts


def _settle(
    records: Sequence[Stored],
    place: Callable[[Stored], Hashable],
    judge: Callable[[list[Stored]], list[LeftOut]],
) -> tuple[list[Stored], list[LeftOut]]:
    groups: dict[Hashable, list[Stored]] = defaultdict(list)
    for stored in records:
        groups[place(stored)].append(stored)
    left_out = [item for group in groups.values() if len(group) > 1 for item in judge(group)]
    paths = {item.path for item in left_out}
    return [stored for stored in records if stored.path not in paths], left_out


def _same_key(group: list[Stored]) -> list[LeftOut]:
    first, *others = group
    if all(_equal_scores(first, other) for other in others):
        return [LeftOut(other.path, f"duplicate of {first.path}") for other in others]
    return [_conflict(stored, group, "other scores for the same measurement") for stored in group]


def _same_place(group: list[Stored]) -> list[LeftOut]:
    found = "the same generator, seed and comparison under another key"
    return [_conflict(stored, group, found) for stored in group]


def _conflict(stored: Stored, group: list[Stored], found: str) -> LeftOut:
    other = next(rival for rival in group if rival is not stored)
    return LeftOut(stored.path, f"conflicts with {other.path}: {found}; delete the wrong one")


def _equal_scores(first: Stored, second: Stored) -> bool:
    ours, theirs = first.record.scores, second.record.scores
    bound = relative_bound(first.record.identities.get("backbone", {}))
    return ours.keys() == theirs.keys() and all(
        _close(ours[name]["value"], theirs[name]["value"], bound) for name in ours
    )


def _close(first: float | None, second: float | None, bound: float) -> bool:
    """The bound under which a second writer of a record adopts the first one's scores."""
    both_nan = all(value is not None and math.isnan(value) for value in (first, second))
    return both_nan or scores_close(first, second, bound)
