"""Finds the records that no table can be made of, where reading them told nothing."""

from collections.abc import Callable, Sequence

from bench.errors import SalonError
from bench.leaderboard.load import Reading
from bench.leaderboard.stored import LeftOut, Stored

Made = Callable[[Reading], object]


def without_culprits(reading: Reading, make: Made) -> Reading:
    """The reading without the records that `make` fails on when each is alone.

    Halves are tried, and halves of those that fail: one bad record among many costs about four
    times what all of them cost once.

    Args:
        reading: on which `make` failed.
        make: makes the tables; its result is thrown away.

    Raises:
        Exception: what `make` raises, where it fails on every record: then none of them is the
            cause, and a leaderboard without them all would hide it.
    """
    found = _culprits(reading.records, make)
    if len(found) == len(reading.records):
        make(reading)
    paths = {item.path for item in found}
    kept = [stored for stored in reading.records if stored.path not in paths]
    left_out = sorted([*reading.left_out, *found], key=lambda item: (item.path, item.reason))
    return Reading(kept, left_out)


def _culprits(records: Sequence[Stored], make: Made) -> list[LeftOut]:
    error = _error(records, make)
    if error is None:
        return []
    if len(records) == 1:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return [LeftOut(records[0].path, f"no table can be made of it: {reason}")]
    middle = len(records) // 2
    return [*_culprits(records[:middle], make), *_culprits(records[middle:], make)]


def _error(records: Sequence[Stored], make: Made) -> Exception | None:
    try:
        make(Reading(list(records), []))
    except (SalonError, OSError, MemoryError):  # of the machine, or of what was typed: of no record
        return None
    except Exception as error:  # whatever a record can make of our tables
        return error
    return None
