"""One record per metric and cell: a JSON file that is written once and never overwritten."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.agreement import ABSOLUTE, relative_bound
from bench.atomic import create_file
from bench.errors import DamagedRecordError, StoreError
from bench.labels import check_name
from bench.nesting import MOST_DEEP, is_deeper
from bench.regular_file import OddFileError, read_regular

SCHEMA = 2
SUFFIX = ".json"
MOST_BYTES = 4 * 1024**2  # of a record that is read; ours have thousands


@dataclass(frozen=True)
class Record:
    """What one metric measured on one cell, and everything needed to measure it again.

    Attributes:
        schema: version of this layout.
        key: hash of all that was measured; the same key means the same measurement.
        dataset, generator, backbone, protocol, metric: {"name": ..., "config": {...}}; paths are
            replaced by names and content hashes. A generator that draws latents has its sampler's
            config beside: generator["sampler"].
        scores: score name -> {value, standard_error, interval, interval_method, better,
            undefined}, and `bias` where a metric knows it; an undefined score has value None and
            the reason.
        num_real, num_fake: rows on each side; num_real is None where the reference is given as
            moments of nobody knows how many images.
        seed: the run's seed; image k comes from (seed, k).
        identities: dataset fingerprint, generator content, weights sha256.
        deviations: "field: found (preset: expected)" for each value that departs from the preset.
        comparison_key: hash of `comparison`; only records that share it may be ranked together.
        comparison: what the scores' meaning depends on, generator and seeds left out.
        flags: counts such as {"real.grey": 897, "duplicates": 3}.
        artifacts: role -> a file beside the record, e.g. {"images": {"file": "fid-0a1b.images.csv",
            "sha256": ..., "size": bytes}}.
        environment: git commit, dirty flag, package versions, device, dtype, threads, the CPU's
            instructions, images per batch.
        cost: seconds and images/s per stage, peak memory in MB.
        created: UTC time, ISO 8601.
        sha256: of all other fields as canonical JSON, filled in on writing; a hand-edited record
            is found out by it.
    """

    key: str
    dataset: dict[str, Any]
    generator: dict[str, Any]
    backbone: dict[str, Any]
    protocol: dict[str, Any]
    metric: dict[str, Any]
    scores: dict[str, dict[str, Any]]
    num_real: int | None
    num_fake: int
    seed: int
    identities: dict[str, Any]
    deviations: list[str]
    comparison_key: str
    comparison: dict[str, Any]
    flags: dict[str, int]
    artifacts: dict[str, dict[str, Any]]
    environment: dict[str, Any]
    cost: dict[str, Any]
    created: str
    schema: int = SCHEMA
    sha256: str = ""


def digest(value: object) -> str:
    """sha256 of the value's canonical JSON: keys sorted, no spaces, NaN refused."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def record_path(
    results: Path, *, dataset: str, generator: str, backbone: str, metric: str, key: str
) -> Path:
    """runs/<dataset>/<generator>/<backbone>/<metric>-<first 12 digits of the key>.json.

    Raises:
        ConfigError: if one of the names is not plain.
    """
    names = {"dataset": dataset, "generator": generator, "backbone": backbone, "metric": metric}
    for role, name in names.items():
        check_name(name, f"{role}.name")
    return results / "runs" / dataset / generator / backbone / f"{metric}-{key[:12]}{SUFFIX}"


def write_record(path: Path, record: Record) -> Record:
    """Store the record, or adopt the one that another job stored first.

    Raises:
        StoreError: if a record of the same key holds other scores; the new one is kept beside it
            as .conflict-<hash>.
    """
    data = encode(record)
    if create_file(path, data):
        return record
    stored = read_record(path)
    if stored.key == record.key and _scores_agree(stored, record):
        return stored
    other = path.with_suffix(f".conflict-{hashlib.sha256(data).hexdigest()[:8]}")
    create_file(other, data)
    raise StoreError(
        f"{path} holds other scores for the same measurement; the new ones are in {other.name}. "
        "Delete the wrong one."
    )


def read_record(path: Path) -> Record:
    """Read one record.

    Raises:
        DamagedRecordError: if it is truncated, foreign, of another schema, or no file at all; the
            reason is named.
        StoreError: if it cannot be read just now.
    """
    content = _content(path)
    if not isinstance(content, dict) or "schema" not in content:
        raise DamagedRecordError(f"{path} is not a record: it has no schema.")
    if content["schema"] != SCHEMA:
        found = f"{content['schema']!r:.40}"  # whatever it may be
        raise DamagedRecordError(
            f"{path} has schema {found}, this version of salon reads {SCHEMA}."
        )
    try:
        record = Record(**content)
    except TypeError as error:
        raise DamagedRecordError(f"{path} is not a whole record: {error}") from error
    if record.sha256 != _checked_sha256(path, record):
        raise DamagedRecordError(f"{path} was changed after it was written: its sha256 differs.")
    return record


def _content(path: Path) -> Any:
    """What the file holds, as JSON."""
    try:
        data = read_regular(path, most=MOST_BYTES)
        content = json.loads(data)
    except OddFileError as error:
        raise DamagedRecordError(f"{path} is not a record: {error.strerror}") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DamagedRecordError(f"{path} is not a record: {error}") from error
    except RecursionError:
        raise DamagedRecordError(f"{path} is not a record: nested too deeply") from None
    # fewer brackets than levels: nothing to look for, as in all records of ours
    if data.count(b"{") + data.count(b"[") > MOST_DEEP and is_deeper(content, MOST_DEEP):
        raise DamagedRecordError(f"{path} is not a record: nested too deeply")
    return content


def _checked_sha256(path: Path, record: Record) -> str:
    try:
        return _own_sha256(record)
    except ValueError:
        raise DamagedRecordError(
            f"{path} was changed after it was written: it holds NaN or infinity."
        ) from None


def record_paths(results: Path) -> Iterator[Path]:
    """Every record file below results/runs, in a fixed order."""
    yield from sorted((results / "runs").rglob(f"*{SUFFIX}"))


def encode(record: Record) -> bytes:
    """The record as its file holds it, with its own hash.

    Raises:
        ValueError: if it holds NaN or infinity, which JSON has no words for.
    """
    whole = replace(record, sha256=_own_sha256(record))
    text = json.dumps(vars(whole), indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def _own_sha256(record: Record) -> str:
    return digest({k: v for k, v in vars(record).items() if k != "sha256"})


def _scores_agree(first: Record, second: Record) -> bool:
    if first.scores.keys() != second.scores.keys():
        return False
    bound = relative_bound(first.identities.get("backbone", {}))
    return all(
        scores_close(first.scores[name]["value"], second.scores[name]["value"], bound)
        for name in first.scores
    )


def scores_close(first: float | None, second: float | None, bound: float) -> bool:
    """Features of two jobs may differ by their rounding; the bound is the cache's too."""
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=bound, abs_tol=ABSOLUTE)
