"""Mirrors of finished records: they come second, and change no score and no exit code."""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from omegaconf import DictConfig

from bench.build import build
from bench.errors import DamagedRecordError
from bench.records import SUFFIX, Record
from bench.report import Report
from bench.wandb_login import has_login
from bench.wandb_mirror import send
from bench.wandb_run import WandbRun, run_id, runs_of
from bench.whole_record import read_whole_record

log = logging.getLogger(__name__)
MODES = ("auto", "online", "offline", "disabled")


class Tracking(Protocol):
    """What a yaml of conf/tracking names."""

    def mirror(self, runs: Sequence[WandbRun]) -> None:
        """Show the runs elsewhere; an exception costs the caller a warning."""


@dataclass(frozen=True)
class NoTracking:
    """Records only."""

    def mirror(self, runs: Sequence[WandbRun]) -> None:
        """Nothing to do."""


@dataclass(frozen=True)
class Wandb:
    """Weights & Biases.

    Attributes:
        project: its project there.
        mode: auto (online where there is a login, else offline), online, offline or disabled.
        group: name shared by the runs of a sweep; None takes the sweep's folder's.
        folder: where wandb keeps its files.
        rows: of each side in a per-image table, at most; histograms count all rows.
        timeout: seconds that a run may take, start of a process and upload included.
    """

    project: str = "salon"
    mode: str = "auto"
    group: str | None = None
    folder: str = "results/logs"
    rows: int = 1000
    timeout: int = 15

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode: found {self.mode!r}, expected one of {', '.join(MODES)}.")
        if self.rows < 0 or self.timeout < 1:
            raise ValueError("rows: expected 0 or more; timeout: expected 1 or more.")

    def mirror(self, runs: Sequence[WandbRun]) -> None:
        """One wandb run each: config, scores, pictures, tables, plots.

        Raises:
            MirrorError: at the first that did not get through.
        """
        mode = self._mode()
        if mode == "disabled":
            return
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        send(
            runs,
            mode=mode,
            project=self.project,
            folder=self.folder,
            rows=self.rows,
            timeout=self.timeout,
        )

    def _mode(self) -> str:
        """WANDB_MODE counts for `auto`, as wandb's users expect."""
        if self.mode != "auto":
            return self.mode
        asked = os.environ.get("WANDB_MODE")
        if asked in MODES[1:]:
            return asked
        if has_login():
            return "online"
        log.info(
            "tracking: no wandb login, so offline: wandb sync %s/wandb/offline-run-*", self.folder
        )
        return "offline"


def mirror(config: DictConfig, report: Report, folder: Path) -> None:
    """Hand a job's records to the tracking of its config; trouble there is one warning line."""
    try:
        tracker: Tracking = build(config.tracking, "tracking")
        if isinstance(tracker, NoTracking):
            return
        logs = Path(config.paths.logs)
        group = config.tracking.get("group") or os.environ.get("SALON_SWEEP")
        files = [Path(line.record) for line in report.lines if line.record]
        if files:
            tracker.mirror(_runs(files, group or sweep_of(folder, logs)))
    except Exception as error:  # whatever a mirror does, the records are stored
        again = f"later: salon track {config.paths.results}"
        log.warning("tracking failed (%s); the records are stored; %s", first_line(error), again)


def first_line(error: Exception) -> str:
    """Of its message, or its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def sweep_of(folder: Path, logs: Path) -> str:
    """The sweep or run below `logs` that a job's folder belongs to; elsewhere the folder's name."""
    with suppress(ValueError, IndexError):
        return folder.resolve().relative_to(logs.resolve()).parts[0]
    return folder.name


def readable(files: Sequence[Path]) -> dict[Path, Record]:
    """Whole records by file; a damaged one is named and left out."""
    found = {}
    for file in files:
        try:
            found[file] = read_whole_record(file)
        except DamagedRecordError as error:
            log.warning("not tracked: %s", error)
    return found


def _runs(files: Sequence[Path], group: str) -> list[WandbRun]:
    """The runs of a job, with what earlier jobs measured on the same images."""
    cells = {file.parents[1] for file in files}  # runs/<dataset>/<generator>
    records = readable([file for cell in sorted(cells) for file in cell.rglob(f"*{SUFFIX}")])
    mine = {run_id(records[file]) for file in files if file in records}
    return [run for run in runs_of(records, {}, group) if run.id in mine]
