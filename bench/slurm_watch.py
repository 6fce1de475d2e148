"""Waits for jobs in SLURM's queue, and says how each one ended."""

import logging
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from bench import slurm_queue
from bench.child import lines_of, told
from bench.errors import HangUpError, LauncherError
from bench.plan import PlannedJob
from bench.progress import Progress
from bench.report import FILE, Line
from bench.termination import insist, undisturbed

log = logging.getLogger(__name__)
SETTLING_SECONDS = 10.0  # a shared file system may show a report later than SLURM the end
HELD = re.compile(r"held|hold", re.IGNORECASE)  # reasons that only a person takes away
SIGTERM = 128 + signal.SIGTERM  # the exit code
INTERRUPTED = "was taken out of the queue when the sweep was interrupted, and ended"


@dataclass(frozen=True)
class Watched:
    """A job in the queue.

    Attributes:
        number: its place in the sweep.
        job: what it does.
        folder: its own.
        job_id: SLURM's, such as "12_3".
    """

    number: int
    job: PlannedJob
    folder: Path
    job_id: str


def watch(watched: Sequence[Watched], poll_seconds: float) -> list[Line]:
    """Wait until every job has left the queue.

    Ctrl-C and SIGTERM take the others out of the queue. When the terminal goes away, or this
    process fails or is killed, they stay: the same command waits for them again.

    Returns:
        The lines of all reports, in the order of the jobs.

    Raises:
        HangUpError: if the terminal went away.
    """
    progress = Progress("sweep", len(watched), unit="jobs")
    found: dict[int, list[Line]] = {}
    try:
        with _hang_up_is_an_error():
            for one in _ended(watched, poll_seconds):
                found[one.number] = _lines(one)
                progress.advance(1)
                text = told(one.job.words, found[one.number])
                log.info("[%d/%d] %s", progress.done, progress.total, text)
    except Exception:
        log.warning("%d jobs stay in the queue", len(watched) - len(found))
        raise
    except BaseException:
        take_out([one for one in watched if one.number not in found])
        raise
    finally:
        progress.close()
    return [line for number in sorted(found) for line in found[number]]


@contextmanager
def _hang_up_is_an_error() -> Iterator[None]:
    """A lost connection is no wish to end days of work."""

    def hang_up(number: int, frame: FrameType | None) -> None:
        raise HangUpError("the terminal went away; the same command waits for the jobs again.")

    before = signal.getsignal(signal.SIGHUP)
    if before != signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def take_out(waiting: Sequence[Watched]) -> None:
    """Take jobs out of the queue and say so in their folders; a second Ctrl-C waits for it."""
    if not waiting:
        return
    log.info("taking %d jobs out of the queue", len(waiting))
    with undisturbed():
        slurm_queue.cancel(one.job_id for one in waiting)
        for one in waiting:
            lines_of(one.folder, one.job.words, INTERRUPTED)


def _ended(watched: Sequence[Watched], poll_seconds: float) -> Iterator[Watched]:
    """Each job once it has left the queue, in the order in which they do."""
    waiting = list(watched)
    gone: dict[int, float] = {}  # when a job without a report was first missed
    queue = _Queue()
    while waiting:
        insist()
        alive = queue.alive()
        for one in list(waiting):
            if alive is None or one.job_id in alive:
                gone.pop(one.number, None)
                continue
            missed = gone.setdefault(one.number, time.monotonic())
            if _has_report(one.folder) or time.monotonic() - missed > SETTLING_SECONDS:
                waiting.remove(one)
                yield one
        queue.tell_of_held([one.job_id for one in waiting])
        if waiting:
            time.sleep(poll_seconds)


class _Queue:
    """SLURM's queue as it was last seen; says each trouble once."""

    def __init__(self) -> None:
        self.answers = True
        self.seen: Mapping[str, str] = {}
        self.told: set[str] = set()

    def alive(self) -> Mapping[str, str] | None:
        """None while the controller does not answer: no job is declared dead for that."""
        try:
            self.seen = slurm_queue.alive()
        except LauncherError as error:
            if self.answers:
                log.warning("%s Asking again until it answers.", error)
            self.answers = False
            return None
        if not self.answers:
            log.info("SLURM answers again")
        self.answers = True
        return self.seen

    def tell_of_held(self, job_ids: Sequence[str]) -> None:
        """Held jobs wait for a person, and a sweep with one would wait for ever in silence."""
        for job_id in job_ids:
            reason = self.seen.get(job_id, "")
            if HELD.search(reason) and job_id not in self.told:
                self.told.add(job_id)
                log.warning("job %s is held (%s): scontrol release %s", job_id, reason, job_id)


def _has_report(folder: Path) -> bool:
    """By listing the folder, which NFS reads anew; that a name is absent it may remember."""
    with suppress(OSError):
        return FILE in os.listdir(folder)
    return False


def _lines(one: Watched) -> list[Line]:
    """Its report; a job that SIGTERM ended does not know why, and SLURM may."""
    how = _ending(one.job_id)
    lines = lines_of(one.folder, one.job.words, how)
    if any(line.code != SIGTERM for line in lines):
        return lines
    return [replace(line, reason=f"{line.reason}; it {how}") for line in lines]


def _ending(job_id: str) -> str:
    state = slurm_queue.state(job_id)
    if state is None:
        return f"left the queue ({job_id})"
    limit = " at its time limit" if state.startswith("TIMEOUT") else ""
    return f"ended{limit} in the state {state} ({job_id})"
