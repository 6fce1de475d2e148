"""The rows of a board: one per generator, its seeds brought together."""

from collections import defaultdict
from collections.abc import Sequence

from bench.leaderboard.board import Cell, Row
from bench.leaderboard.columns import Place
from bench.leaderboard.differing import differing
from bench.leaderboard.measurement import measurement
from bench.leaderboard.stored import Stored

Identity = tuple[str, str]  # the generator's name, and a hash of what its images come from


def rows_of(records: Sequence[Stored], places: Sequence[Place]) -> list[Row]:
    """The rows, unranked, sorted by name and note."""
    examples = {_identity(stored): stored for stored in reversed(records)}
    settings = _settings(examples)
    cells = [_cells(place) for place in places]
    rows = [
        Row(
            generator=identity[0],
            settings=settings[identity],
            control=stored.is_control,
            ideal=stored.is_ideal,
            cells=tuple(column.get(identity, Cell()) for column in cells),
        )
        for identity, stored in examples.items()
    ]
    return sorted(rows, key=lambda row: (row.generator, row.note))


def _identity(stored: Stored) -> Identity:
    return stored.record.generator["name"], stored.variant_digest


def _settings(examples: dict[Identity, Stored]) -> dict[Identity, dict[str, str]]:
    """How rows of one name differ: another checkpoint, other sampler settings."""
    by_name: dict[str, list[Identity]] = defaultdict(list)
    for identity in sorted(examples):
        by_name[identity[0]].append(identity)
    found: dict[Identity, dict[str, str]] = {}
    for identities in by_name.values():
        variants = [examples[identity].variant for identity in identities]
        found |= zip(identities, differing(variants), strict=True)
    return found


def _cells(place: Place) -> dict[Identity, Cell]:
    groups: dict[Identity, list[Stored]] = defaultdict(list)
    for stored in sorted(place.records, key=_seed_order):
        groups[_identity(stored)].append(stored)
    score = place.column.score
    return {
        identity: Cell(tuple(measurement(stored, score) for stored in group))
        for identity, group in groups.items()
    }


def _seed_order(stored: Stored) -> tuple[int, str, str]:
    return stored.record.seed, str(stored.seeds[1]), stored.path
