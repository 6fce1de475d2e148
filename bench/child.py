"""One job as a child process: its folder, its command, its environment, and how it ended."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.errors import LauncherError, StoreError
from bench.quoted import quoted
from bench.report import Line, Report
from bench.termination import ENDING

LOG = "log.txt"
NO_SPACE = "no space left on its disk"
LEAST_BYTES = 16 * 1024  # a report and a log need more
LAST_BYTES = 4096
GRACE_SECONDS = 10.0
PR_SET_PDEATHSIG = 1  # of prctl(2)
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # no other system has it
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def command(verb: str, words: Sequence[str], folder: Path) -> list[str]:
    """What runs `salon VERB WORDS` in a folder of its own."""
    return [sys.executable, "-m", "bench", verb, *words, f"hydra.run.dir={quoted(folder)}"]


def environment(*, threads: int, sweep: str) -> dict[str, str]:
    """Beside what is inherited: CPU threads, the sweep's name, no module from where one stands."""
    shared = {"PYTHONSAFEPATH": "1", "SALON_SWEEP": sweep}
    return shared | {name: str(threads) for name in THREAD_VARIABLES}


def lines_of(folder: Path, words: Sequence[str], how: str) -> list[Line]:
    """The job's report, or one failed line that says how it ended, which is kept in its place.

    Args:
        folder: the job's own.
        words: what tells it from the other jobs of the sweep.
        how: completes "the job ... without a report", e.g. "was killed by SIGKILL".
    """
    report = Report.read(folder)
    if report is not None:
        return report.lines
    full = _is_full(folder)
    why = f": {NO_SPACE}" if full else _last_error(folder / LOG)
    reason = f"the job {how} without a report{why}; its log: {folder / LOG}"
    name, code = " ".join(words) or "-", StoreError.code if full else LauncherError.code
    report = Report([Line("-", name, "-", "-", "failed", reason=reason, code=code)])
    with suppress(StoreError):  # `salon status` then knows less
        report.write_unless_there(folder)
    return (Report.read(folder) or report).lines  # a slow file system may show its own only now


def ending(code: int) -> str:
    """How a process ended, by its return code as subprocess tells it."""
    if code < 0:
        return f"was killed by {_signal_name(-code)}"
    if code - 128 in ENDING:
        return f"was ended by {_signal_name(code - 128)}"
    return f"exited with {code}"


def told(words: Sequence[str], lines: Sequence[Line]) -> str:
    """E.g. "generator=blur seed=1: 6 done, 1 failed"; "made" of a job that measures nothing."""
    states = [line.state for line in lines]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    return f"{' '.join(words)}: {counts or 'made'}"


def end_with_parent(parent: int) -> None:
    """In a child that has just begun: SIGTERM once the process that started it is gone.

    Else a launcher that is killed leaves its jobs running, and the same command starts them twice.

    Args:
        parent: its process id; it may be gone before one can ask to be told.
    """
    if callable(signal.getsignal(signal.SIGTERM)):  # a handler of the parent's, without effect here
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(128 + signal.SIGTERM)


def end(processes: Sequence[subprocess.Popen]) -> None:
    """End what still runs of them: politely, and after a grace that they share, not."""
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def visible_gpu(index: int) -> str:
    """The index-th of the GPUs that we ourselves may see."""
    own = os.environ.get("CUDA_VISIBLE_DEVICES")
    return own.split(",")[index] if own else str(index)


def _is_full(folder: Path) -> bool:
    """Whether the disk takes no more, so that no job could say what was wrong."""
    try:
        return shutil.disk_usage(folder).free < LEAST_BYTES
    except OSError:  # not even the folder is there
        return False


def _last_error(log: Path) -> str:
    """Of the job's log, after a colon; empty where it told none."""
    try:
        lines = log.read_bytes()[-LAST_BYTES:].decode(errors="replace").splitlines()
    except OSError:
        return ""
    errors = [line.removeprefix("error:") for line in lines if line.startswith("error:")]
    return f":{errors[-1]}" if errors else ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
