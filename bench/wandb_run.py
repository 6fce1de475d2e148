"""What one wandb run holds, made from records alone: live mirror and `salon track` share it."""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.beside import UnfitError, read_artifact
from bench.overrides import SECRET
from bench.records import Record, digest

log = logging.getLogger(__name__)
CREDENTIALS = re.compile(
    r"(?<=://)[^/@\s]+@|[?#]\S*$"
)  # user:password@ and a signed address's tail
SCORE_HEADS = (
    *("backbone", "metric", "score", "value", "standard_error", "low", "high", "interval_method"),
    *("better", "undefined", "num_real", "num_fake", "deviations", "record"),
)
TAG = 64  # characters, wandb's bound


@dataclass(frozen=True)
class WandbRun:
    """One generator on one dataset under one protocol and seed, all backbones and metrics.

    Attributes:
        id: hash of what was measured, so that tracking again continues the same run.
        name: for people.
        group: shared by the runs of a sweep.
        tags: dataset, generator, protocol, backbones, and `deviates` where a value departs.
        config: as the records show it: resolved, without paths and secrets.
        summary: flat scores, "backbone/metric.score", its error and the ends of its interval.
        scores: one row of SCORE_HEADS per score.
        pictures: of the first images.
        tables: per-image scores, "backbone/metric" -> CSV file.
        curves: "backbone/metric.curve" -> CSV file.
    """

    id: str
    name: str
    group: str
    tags: list[str]
    config: dict[str, Any]
    summary: dict[str, float]
    scores: list[list[Any]]
    pictures: list[str]
    tables: dict[str, str]
    curves: dict[str, str]


def run_id(record: Record) -> str:
    """16 digits: equal for the records that share images, protocol and seed."""
    sides = {role: record.identities.get(role) for role in ("dataset", "generator")}
    names = [record.dataset["name"], record.generator["name"]]
    return digest([names, sides, record.protocol, record.seed])[:16]


def runs_of(
    records: Mapping[Path, Record], groups: Mapping[str, str], group: str
) -> list[WandbRun]:
    """Records as runs, in the order of the files.

    Args:
        records: file -> its record.
        groups: name of a record's file -> the sweep it came from.
        group: of the runs that `groups` does not know.
    """
    found: dict[str, dict[Path, Record]] = {}
    for path, record in sorted(records.items()):
        found.setdefault(run_id(record), {})[path] = record
    return [
        _run(key, members, next((groups[p.name] for p in members if p.name in groups), group))
        for key, members in found.items()
    ]


def without_secrets(value: Any) -> Any:
    """Keys that name a secret are left out, and so are credentials within addresses."""
    if isinstance(value, dict):
        return {k: without_secrets(v) for k, v in value.items() if not SECRET.search(str(k))}
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return CREDENTIALS.sub("", value) if isinstance(value, str) and "://" in value else value


def _run(key: str, members: Mapping[Path, Record], group: str) -> WandbRun:
    named = _named(members)
    first = next(iter(members.values()))
    seed = f"/seed{first.seed}" if first.seed else ""
    return WandbRun(
        id=key,
        name=f"{first.dataset['name']}/{first.generator['name']}{seed}",
        group=group,
        tags=_tags(list(members.values())),
        config=without_secrets(_config(list(members.values()))),
        summary={k: v for n, p in named.items() for k, v in _summary(n, members[p]).items()},
        scores=[row for p in named.values() for row in _rows(p, members[p])],
        pictures=_pictures(members),
        tables={k: v for n, p in named.items() for k, v in _tables(n, p, members[p]).items()},
        curves={k: v for n, p in named.items() for k, v in _curves(n, p, members[p]).items()},
    )


def _named(members: Mapping[Path, Record]) -> dict[str, Path]:
    """Under backbone/metric; of several (another k, say) all but the newest carry a hash."""
    named: dict[str, Path] = {}
    for path, record in sorted(members.items(), key=lambda item: item[1].created, reverse=True):
        name = f"{record.backbone['name']}/{record.metric['name']}"
        named[f"{name}@{record.comparison_key[:6]}" if name in named else name] = path
    return dict(sorted(named.items()))


def _config(records: Iterable[Record]) -> dict[str, Any]:
    """One config for all; a backbone or metric of several settings shows the newest."""
    config: dict[str, Any] = {"backbone": {}, "metrics": {}}
    networks: dict[str, Any] = {}
    for record in sorted(records, key=lambda one: one.created):
        for role in ("dataset", "generator", "protocol"):
            config[role] = {"name": getattr(record, role)["name"]} | getattr(record, role)["config"]
        config["backbone"][record.backbone["name"]] = record.backbone["config"]
        config["metrics"][record.metric["name"]] = record.metric["config"]
        networks[record.backbone["name"]] = record.identities.get("backbone")
        config |= {"seed": record.seed, "software": record.environment}
        config["identities"] = record.identities | {"backbone": networks}
    return config


def _tags(records: Iterable[Record]) -> list[str]:
    tags: dict[str, None] = {}
    for record in records:
        for role in ("dataset", "generator", "protocol", "backbone"):
            tags[getattr(record, role)["name"][:TAG]] = None
        if record.generator["config"].get("control"):
            tags["control"] = None
        if record.deviations:
            tags["deviates"] = None
    return list(tags)


def _summary(name: str, record: Record) -> dict[str, float]:
    """Undefined scores are absent here; the table of scores has their reason."""
    found: dict[str, float] = {}
    for score, entry in record.scores.items():
        low, high = entry["interval"] or (None, None)
        values = {"": entry["value"], ".standard_error": entry["standard_error"]}
        values |= {".low": low, ".high": high}
        found |= {f"{name}.{score}{part}": v for part, v in values.items() if v is not None}
    return found


def _rows(path: Path, record: Record) -> list[list[Any]]:
    return [
        [
            *(record.backbone["name"], record.metric["name"], score),
            *(entry["value"], entry["standard_error"], *(entry["interval"] or (None, None))),
            *(entry["interval_method"], entry["better"], entry["undefined"]),
            *(record.num_real, record.num_fake, "; ".join(record.deviations), path.name),
        ]
        for score, entry in record.scores.items()
    ]


def _pictures(members: Mapping[Path, Record]) -> list[str]:
    """Equal pictures have equal names; each is shown once."""
    grids = {
        file.name: str(file)
        for path, record in members.items()
        if (file := _file(path, "grid", record))
    }
    return list(grids.values())


def _file(path: Path, role: str, record: Record) -> Path | None:
    """What lies beside a record; None where there is none, or none to rely on."""
    try:
        there = read_artifact(path.parent, record.artifacts, role)
    except UnfitError as error:
        log.warning("%s: its %s file %s; it is not mirrored", path.name, role, error)
        return None
    return path.parent / record.artifacts[role]["file"] if there else None


def _tables(name: str, path: Path, record: Record) -> dict[str, str]:
    found = _file(path, "images", record)
    return {name: str(found)} if found else {}


def _curves(name: str, path: Path, record: Record) -> dict[str, str]:
    roles = [role for role in record.artifacts if role.startswith("curve.")]
    files = {role.removeprefix("curve."): _file(path, role, record) for role in roles}
    return {f"{name}.{curve}": str(file) for curve, file in files.items() if file}
