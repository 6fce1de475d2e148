"""Jobs of this machine that a launcher has given up go on; they are waited for.

Else the next command would not find what they are about to store, and would measure it once more.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bench.job_status import JobStatus
from bench.report import Report
from bench.started import Started
from bench.writer import process_runs, writer

SUBMITIT = b"submitit.local._local"  # in the command line of what runs a job of submitit_local
POLL_SECONDS = 0.2


def await_jobs(started: Started) -> None:
    """Wait for the jobs that have begun, and for those of submitit_local that are about to."""
    while any(map(process_runs, _children_of_submitit())):
        time.sleep(POLL_SECONDS)
    for own in started.jobs():
        while Report.read(own) is None and _another_runs(JobStatus.read(own)):
            time.sleep(POLL_SECONDS)


def _children_of_submitit() -> Iterator[int]:
    """Process ids; none where the system does not tell."""
    with suppress(OSError):
        for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
            with suppress(OSError):  # ended since
                if SUBMITIT in Path(f"/proc/{word}/cmdline").read_bytes():
                    yield int(word)


def _another_runs(status: JobStatus | None) -> bool:
    """Whether a process of this machine other than ours is at the job."""
    return status is not None and status.writer != writer() and bool(status.known_to_run())
