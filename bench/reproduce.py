"""`salon reproduce`: measures a record's cell again from nothing, and compares the scores."""

import logging
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from omegaconf import DictConfig, OmegaConf

from bench.agreement import ABSOLUTE, FLOAT32, relative_bound
from bench.cell import Measurement
from bench.errors import CellsFailedError, ConfigError, SalonError, StoreError
from bench.job import finished, run
from bench.prepare import prepare
from bench.recorded_config import recorded_config
from bench.records import Record
from bench.report import align
from bench.whole_record import read_whole_record

HELP = """salon reproduce - measure one record's cell again, and compare

  salon reproduce results/runs/digits/holdout/resnet18_random/fid-842b76d7c349.json
  salon reproduce RECORD.json dataset.path=DIR generator.path=FILE

The config is the record's. A record keeps only the last part of a path, so those that salon's own
yamls do not give are typed: the message says which. So is whatever would run code that is not
salon's: the record's word is not enough. Nothing is read from the cache unless paths.cache=DIR says
so, and no record is written. Exit code 8 unless every score agrees within 1e-5 relative (the bound
of the cache and of records too; 1 % at tf32 and fp16, 5 % at bf16, which each kind of processor
rounds otherwise), 2 where the record gives no config.
"""
VERSIONS = (("comparison", "backbone", "extraction"), ("comparison", "metric", "version"))
HEADS = ("verdict", "score", "recorded", "measured", "difference", "tolerance")


@dataclass(frozen=True)
class Reproduced:
    """One score, then and now.

    Attributes:
        score: its name.
        recorded, measured: the values; None where undefined.
        bound: the largest relative difference that agrees, as for two jobs that race.
    """

    score: str
    recorded: float | None
    measured: float | None
    bound: float = FLOAT32

    @property
    def tolerance(self) -> float:
        """The largest difference that agrees."""
        return self.bound * abs(self.recorded or 0.0) + ABSOLUTE

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance, or both are undefined."""
        if self.recorded is None or self.measured is None:
            return self.recorded is self.measured
        return math.isclose(self.measured, self.recorded, rel_tol=0, abs_tol=self.tolerance)


def main(words: Sequence[str]) -> int:
    """Run `salon reproduce WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    if not words or "=" in words[0]:
        raise ConfigError("name the record's file: salon reproduce RECORD.json [key=value ...]")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    record = _record(Path(words[0]))
    measured = _measured(record, recorded_config(record, words[1:]))
    print(table(record, measured), flush=True)
    changed = list(departures(record, measured))
    for line in changed:
        print(line, flush=True)
    sound = all(one.agrees for one in reproduced(record, measured)) and not changed
    return 0 if sound else CellsFailedError.code


def reproduced(record: Record, measured: Record) -> list[Reproduced]:
    """Every score of either record, by name."""
    bound = relative_bound(record.identities.get("backbone", {}))
    return [
        Reproduced(name, _value(record, name), _value(measured, name), bound)
        for name in sorted(record.scores.keys() | measured.scores.keys())
    ]


def departures(record: Record, measured: Record) -> Iterator[str]:
    """What was measured now that is not what the record measured: other images, other weights.

    What this version of salon tells and the record's did not is no departure, nor is a newer
    version of our own code: whether that moves a score is what is asked here.
    """
    for name in ("num_real", "num_fake", "comparison", "identities"):
        for place in _different(getattr(record, name), getattr(measured, name)):
            if (name, *place) not in VERSIONS:
                yield f"not the same measurement: {'.'.join((name, *place))} differs"


def table(record: Record, measured: Record) -> str:
    """Both numbers of every score, their difference and the tolerance."""
    return align([HEADS, *map(_cells, reproduced(record, measured))])


def _record(path: Path) -> Record:
    """The record; whatever is wrong with it, there is no config to measure."""
    try:
        return read_whole_record(path)
    except StoreError as error:
        raise ConfigError(str(error)) from error


def _measured(record: Record, config: DictConfig) -> Record:
    with TemporaryDirectory() as folder:
        config.paths.results = folder
        if OmegaConf.is_missing(config.paths, "cache"):
            config.paths.cache = f"{folder}/cache"
        job = prepare(config)
        report = run(job, config, record.deviations)
        own = _own(record, job.measurements)
        found = finished(own[0], Path(folder)) if own else None
    if found is None:
        line = next((one for one in report.lines if one.code), None)
        failed = SalonError(line.reason if line else "nothing was measured")
        failed.code = line.code if line else CellsFailedError.code
        raise failed
    return found


def _own(record: Record, measurements: Sequence[Measurement]) -> list[Measurement]:
    names = record.backbone["name"], record.metric["name"]
    return [one for one in measurements if (one.backbone, one.metric) == names]


def _value(record: Record, score: str) -> float | None:
    entry = record.scores.get(score)
    value: float | None = entry["value"] if entry else None
    return value


def _different(recorded: Any, found: Any) -> Iterator[tuple[str, ...]]:
    """Places of the recorded values at which the others are not equal."""
    if isinstance(recorded, dict) and isinstance(found, dict):
        for name in sorted(recorded):
            for place in _different(recorded[name], found.get(name)):
                yield (name, *place)
    elif recorded != found:
        yield ()


def _cells(one: Reproduced) -> tuple[str, ...]:
    known = one.recorded is not None and one.measured is not None
    gap = f"{(one.measured or 0.0) - (one.recorded or 0.0):+.3g}" if known else ""
    return (
        "agrees" if one.agrees else "DIFFERS",
        one.score,
        *("undefined" if value is None else repr(value) for value in (one.recorded, one.measured)),
        gap,
        f"{one.tolerance:.3g}",
    )
