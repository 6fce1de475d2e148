"""Made-up records for the tests of the leaderboard."""

import re

from bench.beside import described
from bench.leaderboard.published import Published
from bench.records import Record, digest, record_path, write_record

ENDS = "".join(f"{at},fake,{at}\n" for at in range(30))
TABLES = {  # role -> what lies beside a record
    "images": ("a.images.csv", f"image,side,rarity\n{ENDS}".encode()),
    "curve.prd": ("a.prd.csv", b"precision,recall\n1,0\n0.5,0.5\n0,1\n"),
}
ARTIFACTS = {role: described(*table) for role, table in TABLES.items()}


def record(generator="gan", metric="fid", scores=None, *, k=5, seed=0, backbone="net", **changes):
    comparison = {
        "dataset": {"name": "digits", "fingerprint": "f" * 64},
        "protocol": {"name": changes.pop("protocol", "demo")},
        "backbone": {"name": backbone, "weights_sha256": "a" * 64},
        "metric": {"name": metric, "k": k},
        "num_real": 90,
        "num_fake": changes.get("num_fake", 60),
    }
    config = changes.pop("config", {})
    scores = {metric: 1.0} if scores is None else scores
    fields = {
        "key": digest([comparison, generator, config, seed, changes.get("identities")]),
        "dataset": {"name": "digits", "config": {}},
        "generator": {"name": generator, "config": config},
        "backbone": {"name": backbone, "config": changes.pop("backbone_config", {})},
        "protocol": {"name": comparison["protocol"]["name"], "config": {}},
        "metric": {"name": metric, "config": {"k": k}},
        "scores": {name: score(value) for name, value in scores.items()},
        "num_real": 90,
        "num_fake": 60,
        "seed": seed,
        "identities": {},
        "deviations": [],
        "comparison_key": digest(comparison),
        "comparison": comparison,
        "flags": {},
        "artifacts": {},
        "environment": {"git_commit": "c" * 40, "packages": {"torch": "2.14.1"}},
        "cost": {},
        "created": "2026-01-01T00:00:00Z",
    }
    return Record(**fields | changes)


def score(value, better="lower", **known):
    if isinstance(value, dict):
        return value
    empty = {"standard_error": None, "interval": None, "interval_method": None, "undefined": None}
    return {"value": value, "better": better} | empty | known


def published(generator, *, metric="fid", backbone="net", model="GAN", printed="9.9", source="a"):
    """A published value that fits the made-up record of the same generator, metric and backbone."""
    return Published(
        generator=generator,
        dataset="digits",
        protocol="demo",
        backbone=backbone,
        metric=metric,
        score=metric,
        split=None,
        settings={},
        num_real=None,
        num_fake=None,
        model=model,
        printed=printed,
        source=source,
    )


def folder_name(name):
    """What another lab may call a folder, whatever name the record in it holds."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:90]
    return plain if plain[:1].isalnum() else f"x{plain}"


def store(results, *records):
    for one in records:
        names = {
            role: folder_name(getattr(one, role)["name"])
            for role in ("dataset", "generator", "backbone", "metric")
        }
        write_record(record_path(results, key=one.key, **names), one)
    return results


def beside(folder, **files):
    """Artifacts of a record: writes role=(name, bytes) into the folder."""
    for name, data in files.values():
        (folder / name).write_bytes(data)
    return {role: described(name, data) for role, (name, data) in files.items()}


def path_of(results, pattern="*.json"):
    return sorted((results / "runs").rglob(pattern))[0]
