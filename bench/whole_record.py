"""Whether a record holds what its readers use: right types, and a comparison key that is true."""

from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any

from bench.errors import DamagedRecordError
from bench.records import Record, digest, read_record

NAMES = ("dataset", "generator", "backbone", "protocol", "metric")  # what has a name and a config
TRUNCATED = "models.samplers.Truncated"
DIRECTIONS = ("lower", "higher", "neither")
COUNT_UNKNOWN = "num_real"  # None: a reference given as moments of nobody knows how many images
INTEGER_BITS = 63  # of seeds and counts: what a column of a table holds
LARGEST = 1e150  # of a score: tables square and add them
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
    "cost": dict,
    "environment": dict,
    "deviations": list,
}


def read_whole_record(path: Path) -> Record:
    """Read one record and look at its parts: a true sha256 does not make them what they should be.

    Raises:
        DamagedRecordError: as `read_record`, and naming the part that is of another kind.
        StoreError: if it cannot be read just now.
    """
    record = read_record(path)
    reason = fault(record)
    if reason is not None:
        raise DamagedRecordError(f"{path}: {reason}.")
    return record


def fault(record: Record) -> str | None:
    """What is wrong with the record, in one line; None where nothing is."""
    for name, kind in TYPES.items():
        if name == COUNT_UNKNOWN and getattr(record, name) is None:
            continue
        if type(getattr(record, name)) is not kind:
            return f"not a record: {name} is not of type {kind.__name__}"
    return (
        _integer_fault(record)
        or _named_fault(record)
        or _identity_fault(record)
        or _scores_fault(record.scores)
        or _comparison_fault(record)
    )


def _integer_fault(record: Record) -> str | None:
    for name in ("num_real", "num_fake", "seed"):
        if (getattr(record, name) or 0).bit_length() > INTEGER_BITS:
            return f"not a record: {name} is no number that a table can hold"
    if record.num_fake < 1 or (record.num_real or 0) < 0:
        return "not a record: it counts no images"
    return None


def _named_fault(record: Record) -> str | None:
    for role in NAMES:
        content = getattr(record, role)
        if not isinstance(content, dict) or not isinstance(content.get("name"), str):
            return f"not a record: {role} has no name"
        if not isinstance(content.get("config"), dict):
            return f"not a record: {role} has no config"
    if type(record.backbone["config"].get("seed")) not in (int, NoneType):
        return "not a record: the backbone's seed is no integer"
    return None


def _identity_fault(record: Record) -> str | None:
    """What duplicates are compared by, and rows of one generator told apart."""
    backbone, generator = (record.identities.get(role) for role in ("backbone", "generator"))
    if not isinstance(backbone, dict | None):
        return "not a record: the backbone's identity is no object"
    if backbone and not isinstance(backbone.get("precision"), str | None):
        return "not a record: the backbone's precision is no text"
    sampler = generator.get("sampler") if isinstance(generator, dict) else None
    if isinstance(sampler, dict) and sampler.get("kind") == TRUNCATED:
        return None if "threshold" in sampler else "not a record: its truncation has no threshold"
    return None


def _scores_fault(scores: Mapping[str, Any]) -> str | None:
    for name, score in scores.items():
        if not isinstance(score, dict) or "value" not in score:
            return f"not a record: score {name} has no value"
        if score.get("better") not in DIRECTIONS:
            return f"not a record: score {name} has no direction"
        if not _numbers(score):
            return f"not a record: score {name} holds something else than numbers up to {LARGEST:g}"
        if not _texts(score):
            return f"not a record: score {name} holds something else than text"
    return None if scores else "not a record: it holds no score"


def _numbers(score: Mapping[str, Any]) -> bool:
    interval = score.get("interval")
    if interval is not None and not (isinstance(interval, list) and len(interval) == 2):
        return False
    values = [score["value"], score.get("standard_error"), score.get("bias"), *(interval or [])]
    return all(value is None or _is_number(value) for value in values)


def _is_number(value: Any) -> bool:
    """Not NaN, and no larger than can be squared; True and False are none."""
    return type(value) in (float, int) and abs(value) <= LARGEST


def _texts(score: Mapping[str, Any]) -> bool:
    return all(isinstance(score.get(name), str | None) for name in ("interval_method", "undefined"))


def _comparison_fault(record: Record) -> str | None:
    if not isinstance(record.comparison.get("metric"), dict):
        return "not a record: its comparison names no metric"
    if digest(record.comparison) != record.comparison_key:
        return "its comparison_key is not the hash of its comparison; measure it again"
    return None
