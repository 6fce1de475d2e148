"""Reads the records of a results folder; files that are not good records are named, not used."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas

from bench.errors import StoreError
from bench.leaderboard.long_form import long_form
from bench.leaderboard.rivals import set_aside
from bench.leaderboard.stored import LeftOut, Stored
from bench.printable import printable
from bench.records import read_record, record_paths
from bench.whole_record import fault

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """What a results folder holds.

    Attributes:
        records: the good ones, in the order of their paths.
        left_out: the other files, in the order of their paths.
    """

    records: list[Stored]
    left_out: list[LeftOut]


def load(results: Path | str) -> pandas.DataFrame:
    """All good records as one long table, one row per (record, score), sorted by content.

    The files that were left out are logged, and are in `frame.attrs["left_out"]` as
    (path, reason) pairs.

    Args:
        results: the folder that holds runs/.
    """
    reading = read_results(Path(results))
    frame = long_form(reading.records)
    for item in reading.left_out:
        log.warning("left out %s: %s", printable(item.path), printable(item.reason))
    frame.attrs["left_out"] = [(item.path, item.reason) for item in reading.left_out]
    return frame


def read_results(results: Path) -> Reading:
    """Read every record; leave out what is torn, foreign, newer, duplicated or conflicting."""
    good: list[Stored] = []
    left_out = _conflict_files(results)
    for path in record_paths(results):
        item = _read(results, path)
        if isinstance(item, Stored):
            good.append(item)
        else:
            left_out.append(item)
    kept, rivals = set_aside(good)
    return Reading(kept, sorted(left_out + rivals, key=lambda item: (item.path, item.reason)))


def _read(results: Path, path: Path) -> Stored | LeftOut:
    name = _relative(results, path)
    try:
        stored = Stored(name, path.parent, read_record(path))
        reason = fault(stored.record)
        if reason is None:
            hash(stored.place)
    except StoreError as error:
        # no machine path in the tables: the reason names the file alone
        return LeftOut(name, str(error).replace(str(path), path.name))
    except Exception as error:  # whatever a foreign file does, the others have their tables
        return LeftOut(name, f"not a record: {type(error).__name__}: {error}")
    return LeftOut(name, reason) if reason else stored


def _conflict_files(results: Path) -> list[LeftOut]:
    """A second writer keeps other scores of the same measurement beside the record."""
    reason = "other scores than the record beside it; delete the wrong one"
    paths = sorted((results / "runs").rglob("*.conflict-*"))
    return [LeftOut(_relative(results, path), reason) for path in paths]


def _relative(results: Path, path: Path) -> str:
    """The path below the results folder; a byte that is not UTF-8 is spelt out."""
    name = path.relative_to(results).as_posix()
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
