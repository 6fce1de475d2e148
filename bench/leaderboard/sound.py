"""Whether a record holds what the tables read: right types, and a comparison key that is true."""

from collections.abc import Mapping
from typing import Any

from bench.leaderboard.stored import NAMES
from bench.records import Record, digest

DIRECTIONS = ("lower", "higher", "neither")
COUNT_UNKNOWN = "num_real"  # None: a reference given as moments of nobody knows how many images
TYPES: dict[str, type] = {
    "key": str,
    "comparison_key": str,
    "num_real": int,
    "num_fake": int,
    "seed": int,
    "scores": dict,
    "comparison": dict,
    "identities": dict,
    "artifacts": dict,
    "environment": dict,
    "deviations": list,
}


def fault(record: Record) -> str | None:
    """What is wrong with the record, in one line; None where nothing is."""
    for name, kind in TYPES.items():
        if name == COUNT_UNKNOWN and getattr(record, name) is None:
            continue
        if type(getattr(record, name)) is not kind:
            return f"not a record: {name} is not of type {kind.__name__}"
    return _named_fault(record) or _scores_fault(record.scores) or _comparison_fault(record)


def _named_fault(record: Record) -> str | None:
    for role in NAMES:
        content = getattr(record, role)
        if not isinstance(content, dict) or not isinstance(content.get("name"), str):
            return f"not a record: {role} has no name"
        if not isinstance(content.get("config"), dict):
            return f"not a record: {role} has no config"
    return None


def _scores_fault(scores: Mapping[str, Any]) -> str | None:
    for name, score in scores.items():
        if not isinstance(score, dict) or "value" not in score:
            return f"not a record: score {name} has no value"
        if score.get("better") not in DIRECTIONS:
            return f"not a record: score {name} has no direction"
        if not _numbers(score):
            return f"not a record: score {name} holds something else than numbers"
    return None if scores else "not a record: it holds no score"


def _numbers(score: Mapping[str, Any]) -> bool:
    interval = score.get("interval")
    if interval is not None and not (isinstance(interval, list) and len(interval) == 2):
        return False
    values = [score["value"], score.get("standard_error"), *(interval or [])]
    return all(value is None or _is_number(value) for value in values)


def _is_number(value: Any) -> bool:
    """A float, or an integer that a float can hold; True and False are neither."""
    return type(value) is float or (type(value) is int and value.bit_length() < 1024)


def _comparison_fault(record: Record) -> str | None:
    if not isinstance(record.comparison.get("metric"), dict):
        return "not a record: its comparison names no metric"
    try:
        found = digest(record.comparison)
        digest([record.generator, record.identities])  # what rows are told apart by
    except ValueError:
        return "its comparison, generator or identities hold NaN or infinity"
    if found != record.comparison_key:
        return "its comparison_key is not the hash of its comparison; measure it again"
    return None
