"""Reading a record whose parts are to be used: names, configs, and numbers of the right type."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import DamagedRecordError
from bench.records import Record, read_record

ROLES = ("dataset", "generator", "backbone", "protocol", "metric")
TYPES = {
    "key": str,
    "num_fake": int,
    "seed": int,
    "identities": dict,
    "comparison": dict,
    "deviations": list,
}


def read_whole_record(path: Path) -> Record:
    """Read one record and look at its parts: a true sha256 does not make them what they should be.

    Raises:
        DamagedRecordError: as `read_record`, and naming the part that is of another kind.
        StoreError: if it cannot be read just now.
    """
    try:
        record = read_record(path)
    except RecursionError as error:
        raise DamagedRecordError(f"{path} is not a record: nested too deeply.") from error
    fault = next(_faults(record), None)
    if fault is not None:
        raise DamagedRecordError(f"{path} is not a whole record: {fault}.")
    return record


def _faults(record: Record) -> Iterator[str]:
    for name, kind in TYPES.items():
        if type(getattr(record, name)) is not kind:
            yield f"{name} is not of type {kind.__name__}"
    for role in ROLES:
        part = getattr(record, role)
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            yield f"{role} has no name"
        elif not isinstance(part.get("config"), dict):
            yield f"{role} has no config; it cannot be measured again"
    if not isinstance(record.scores, dict) or not record.scores:
        yield "it holds no score"
    elif not all(map(_is_score, record.scores.values())):
        yield "a score has no value and interval, or they are no numbers"


def _is_score(entry: Any) -> bool:
    if not isinstance(entry, dict) or not {"value", "interval"} <= entry.keys():
        return False
    interval = entry["interval"]
    if interval is not None and not (isinstance(interval, list) and len(interval) == 2):
        return False
    return all(map(_is_number, (entry["value"], entry.get("bias"), *(interval or ()))))


def _is_number(value: Any) -> bool:
    return value is None or type(value) in (int, float)
