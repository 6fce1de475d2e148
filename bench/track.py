"""`salon track`: makes or renews the mirror of a results folder from its records alone."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.build import build
from bench.composed import composed
from bench.errors import ConfigError, StoreError
from bench.quoted import quoted
from bench.records import record_paths
from bench.report import FILE, Report
from bench.tracking import first_line, readable, sweep_of
from bench.wandb_mirror import MirrorError
from bench.wandb_run import runs_of

HELP = """salon track - mirror a results folder to Weights & Biases, from its records alone

  salon track RESULTS                       RESULTS is the folder that holds runs/
  salon track RESULTS tracking.mode=online  or offline; auto: online where there is a login
  salon track RESULTS tracking.project=NAME tracking.group=NAME

One run per generator, dataset, protocol and seed. Tracking again continues the same runs.
Groups are the sweeps of RESULTS/logs, or the name of the folder where there are no logs.
"""
NODES = ("tracking.", "paths.")


def main(words: Sequence[str]) -> int:
    """Run `salon track WORDS`.

    Returns:
        The exit code.

    Raises:
        ConfigError: for words that do not belong here.
        StoreError: if there are no records, or the mirror is not whole.
    """
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    config = composed("score", ["tracking=wandb", *_overrides(words)])
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    results = Path(config.paths.results)
    tracker = build(config.tracking, "tracking")
    records = readable(list(record_paths(results)))
    if not records:
        raise StoreError(f"{results} holds no records; name the folder that holds runs/.")
    group = config.tracking.group
    groups = {} if group else sweeps_of_records(Path(config.paths.logs))
    runs = runs_of(records, groups, group or results.resolve().name)
    try:
        tracker.mirror(runs)
    except MirrorError as error:
        raise StoreError(
            f"tracking failed ({first_line(error)}); the same again goes on."
        ) from error
    print(f"{len(runs)} runs of {len(records)} records tracked ({config.tracking.project})")
    return 0


def sweeps_of_records(logs: Path) -> dict[str, str]:
    """Name of a record's file -> the newest sweep or run below `logs` that reported it."""
    found = {}
    for file in sorted(logs.rglob(FILE)):
        report = Report.read(file.parent)
        for line in report.lines if report else ():
            if line.record:
                found[Path(line.record).name] = sweep_of(file.parent, logs)
    return found


def _overrides(words: Sequence[str]) -> list[str]:
    """RESULTS as paths.results; nothing that would change what was measured."""
    overrides = []
    for word in words:
        if "=" in word and not word.startswith(NODES):
            raise ConfigError(
                f"{word}: salon track reads records; it takes tracking.* and paths.*."
            )
        overrides.append(word if "=" in word else f"paths.results={quoted(word)}")
    return overrides
