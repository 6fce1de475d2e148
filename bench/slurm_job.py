"""What runs on a node: the same `salon` job as everywhere, as a child of submitit's process.

The child is a process of its own because submitit raises its time-limit exception inside the code
that it runs, where any `except Exception` around a metric would swallow it.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from submitit import JobEnvironment
from submitit.core.utils import UncompletedJobError
from submitit.helpers import DelayedSubmission

from bench.child import GRACE_SECONDS, LOG, end, end_with_parent, ending, environment
from bench.errors import LauncherError, StoreError
from bench.held_signals import Noted, held
from bench.report import FILE, Line, Report

# the time limit's warning: USR2, unless the user says otherwise
WARNING = signal.Signals[f"SIG{JobEnvironment.USR_SIG}"]
NOTED = Noted()


@dataclass(frozen=True)
class SlurmJob:
    """Pickled by reference to this module; plain values only.

    Attributes:
        command: what the child runs.
        name: of the job, for messages.
        folder: the job's own, absolute: log and report.
        threads: CPU threads.
        sweep: the sweep's name.
    """

    command: tuple[str, ...]
    name: str
    folder: str
    threads: int
    sweep: str

    def __call__(self) -> None:
        """Run the child to its end.

        Raises:
            LauncherError: if a cell failed, so that SLURM too calls the job FAILED; truth is in the
                report and in the records.
            SystemExit: with the child's code, or ours where that was 0, if it left no report; SLURM
                keeps it on no disk of ours.
        """
        folder = Path(self.folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / FILE).unlink(missing_ok=True)  # an earlier attempt's
            _remove_leftovers_of_submitit()
            code = self._child(folder)
        except SystemExit:  # submitit has put the job back into the queue
            (folder / FILE).unlink(missing_ok=True)  # the child's: it ends for this attempt alone
            raise
        except UncompletedJobError as error:
            own = Report.read(folder)
            if own is None or own.cut_short:
                self._report_of_the_end(str(error)).write(folder)
            raise
        except OSError as error:
            _exit(StoreError.code, f"the job could not be started: {error}")
        report = Report.read(folder)
        if report is None:
            _exit(
                code or LauncherError.code,
                f"the job {ending(code)} without a report; see {folder / LOG}",
            )
        if report.code:
            raise LauncherError(report.reasons())

    def checkpoint(self) -> DelayedSubmission:
        """Called before a requeue at the time limit: the records and the cache are the state."""
        return DelayedSubmission(self)

    def _report_of_the_end(self, why: str) -> Report:
        advice = "type a larger cluster.minutes or cluster.attempts."
        reason, code = f"its time limit was reached ({why}); {advice}", LauncherError.code
        return Report([Line("-", self.name, "-", "-", "failed", reason=reason, code=code)])

    def _child(self, folder: Path) -> int:
        started: list[subprocess.Popen] = []
        try:
            with held({WARNING}):  # else a child starts and is not known
                started.append(self._start(folder))
            (process,) = started
            signal.signal(signal.SIGTERM, partial(_pass_on, process))
            if NOTED.came(signal.SIGTERM):
                signal.raise_signal(signal.SIGTERM)
            return process.wait()
        finally:  # submitit's signal handler leaves by an exception
            end(started)

    def _start(self, folder: Path) -> subprocess.Popen:
        with open(folder / LOG, "ab") as log:  # a requeued job goes on in the same log
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | environment(threads=self.threads, sweep=self.sweep),
                preexec_fn=partial(_begin, os.getpid()),
            )

    def __reduce__(self) -> tuple[Callable[..., "SlurmJob"], tuple[Any, ...]]:
        """Unpickled on the node alone, by `_arrived`."""
        return _arrived, (self.command, self.name, self.folder, self.threads, self.sweep)


def _arrived(*values: Any) -> SlurmJob:
    """On the node, before submitit makes SIGTERM a line of its log: it waits for `_pass_on`."""
    NOTED.begin(signal.SIGTERM)
    return SlurmJob(*values)


def _begin(parent: int) -> None:
    """SLURM warns every process of the time limit; the parent then ends this one politely."""
    end_with_parent(parent)
    signal.signal(WARNING, signal.SIG_IGN)


def _exit(code: int, why: str) -> NoReturn:
    """For SLURM to know; submitit's own word of a failure needs room on the disk."""
    with suppress(OSError):
        print(why, file=sys.stderr, flush=True)
    sys.exit(code if code >= 0 else 128 - code)


def _pass_on(process: subprocess.Popen, number: int, frame: FrameType | None) -> None:
    """SIGTERM may be meant for us alone; the child ends for sure, and we with it."""
    process.terminate()
    killer = threading.Timer(GRACE_SECONDS, process.kill)
    killer.daemon = True
    killer.start()


def _remove_leftovers_of_submitit() -> None:
    """Its temporary names are fixed, and one that a killed attempt left stops every later save."""
    paths = JobEnvironment().paths
    for path in (paths.submitted_pickle, paths.result_pickle):
        path.with_name(f"{path.name}.save_tmp").unlink(missing_ok=True)
