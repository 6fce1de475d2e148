"""`salon status`: how a sweep stands, from files alone, on any machine that sees them."""

import os
import signal
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.child import LOG
from bench.composed import composed
from bench.errors import ConfigError
from bench.job_status import FILE, JobStatus
from bench.printable import printable
from bench.report import FILE as REPORT
from bench.report import Line, Report, align
from bench.submitted import place_of, submitted_id
from bench.sweep_folder import PlannedEntry, SweepPlan, job_folder, sweeps_in

HELP = """salon status - how a sweep stands: done, running, failed with the reason, waiting

  salon status                        the newest sweep below results/logs
  salon status paths.results=DIR      of another results folder
  salon status FOLDER                 of one sweep, such as results/logs/20260101-120000-ab12

Only files are read, so it works while the sweep runs, from any machine that shares the folder.
"""

Row = tuple[str, str, str]
UNREADABLE = "cannot be read"
SIGTERM = 128 + signal.SIGTERM  # the exit code: cancelled, or pre-empted


def main(words: Sequence[str]) -> int:
    """Run `salon status WORDS`; returns 0.

    Raises:
        ConfigError: if there is no sweep.
        StoreError: if the folder is no sweep's, or its plan is damaged.
    """
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    folder = _folder(words)
    plan = SweepPlan.read(folder)
    rows = [row for entry in plan.jobs for row in _rows(entry, folder)]
    counts = Counter(state for state, _, _ in rows)
    troubles = [row for row in rows if row[0] not in ("done", "reused")]
    print(printable(f"{folder}  ({' '.join(plan.words)})"))
    if troubles:
        print(align(troubles))
    print(printable(", ".join(f"{count} {state}" for state, count in counts.items())))
    return 0


def _folder(words: Sequence[str]) -> Path:
    named = [word for word in words if "=" not in word]
    if named:
        return Path(named[0])
    logs = Path(composed("score", list(words)).paths.logs)
    found = sweeps_in(logs)
    if not found:
        raise ConfigError(f"{logs} holds no sweep; type salon status FOLDER, or start one.")
    return found[-1]


def _rows(entry: PlannedEntry, folder: Path) -> list[Row]:
    """State, cell and word of every measurement that is known; one row of a job that is not."""
    if entry.number is None:
        return [_of_line(line) for line in entry.lines]
    own = place_of(job_folder(folder, entry.number))
    there = os.path.lexists(own / REPORT)  # asked first: the job may write it just now
    report = Report.read(own)
    if report is not None:
        return [_of_line(line, own / LOG) for line in report.lines]
    if there:  # damaged, or somebody else's: it says nothing of the job
        return [(UNREADABLE, _name(entry), str(own / REPORT))]
    return [_unfinished(entry, own)]


def _of_line(line: Line, log: Path | None = None) -> Row:
    names = " ".join((line.dataset, line.generator, line.backbone, line.metric))
    reason = line.reason or ""
    if line.code == SIGTERM and log is not None and submitted_id(log.parent) is not None:
        reason += "; it begins again where SLURM has put it back into the queue"
    if line.state == "failed" and log is not None and str(log) not in reason:
        reason += f"; its log: {log}"
    return line.state, names, reason


def _name(entry: PlannedEntry) -> str:
    return " ".join(entry.words) or "the one job"


def _unfinished(entry: PlannedEntry, own: Path) -> Row:
    """A job without a report runs, waits, or died; files cannot always tell which."""
    name, there, status = _name(entry), os.path.lexists(own / FILE), JobStatus.read(own)
    if status is None and there:
        return UNREADABLE, name, str(own / FILE)
    if status is not None:
        told = datetime.fromtimestamp((own / FILE).stat().st_mtime, UTC)
        word = f"{status.doing} (at {told:%Y-%m-%d %H:%M} UTC on {status.node}; {own / LOG})"
        ended = status.known_to_run() is False
        return "ended without a report" if ended else "running", name, word
    job_id = submitted_id(own)
    if job_id is not None:
        return "queued", name, f"as {job_id}"
    return ("running", name, str(own / LOG)) if (own / LOG).exists() else ("waiting", name, "")
