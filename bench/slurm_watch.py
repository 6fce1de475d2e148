"""Waits for jobs in SLURM's queue, and says how each one ended."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import slurm_queue
from bench.child import lines_of, told
from bench.errors import LauncherError
from bench.plan import PlannedJob
from bench.progress import Progress
from bench.report import FILE, Line

log = logging.getLogger(__name__)
SETTLING_SECONDS = 10.0  # a shared file system may show a report later than SLURM the end


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
    """Wait until every job has left the queue; what interrupts that takes the others out of it.

    Returns:
        The lines of all reports, in the order of the jobs.
    """
    progress = Progress("sweep", len(watched), unit="jobs")
    found: dict[int, list[Line]] = {}
    try:
        for one in _ended(watched, poll_seconds):
            found[one.number] = lines_of(one.folder, one.job.words, _ending(one.job_id))
            progress.advance(1)
            log.info(
                "[%d/%d] %s", progress.done, progress.total, told(one.job.words, found[one.number])
            )
    except BaseException:
        waiting = [one.job_id for one in watched if one.number not in found]
        log.info("taking %d jobs out of the queue", len(waiting))
        slurm_queue.cancel(waiting)
        raise
    finally:
        progress.close()
    return [line for number in sorted(found) for line in found[number]]


def _ended(watched: Sequence[Watched], poll_seconds: float) -> Iterator[Watched]:
    """Each job once it has left the queue, in the order in which they do."""
    waiting = list(watched)
    gone: dict[int, float] = {}  # when a job without a report was first missed
    while waiting:
        alive = _alive_or_none()
        for one in list(waiting):
            if alive is None or one.job_id in alive:
                gone.pop(one.number, None)
                continue
            missed = gone.setdefault(one.number, time.monotonic())
            if (one.folder / FILE).exists() or time.monotonic() - missed > SETTLING_SECONDS:
                waiting.remove(one)
                yield one
        if waiting:
            time.sleep(poll_seconds)


def _alive_or_none() -> set[str] | None:
    """None while the controller does not answer: no job is declared dead for that."""
    try:
        return slurm_queue.alive()
    except LauncherError as error:
        log.warning("%s Asking again.", error)
        return None


def _ending(job_id: str) -> str:
    state = slurm_queue.state(job_id)
    return f"ended in the state {state} ({job_id})" if state else f"left the queue ({job_id})"
