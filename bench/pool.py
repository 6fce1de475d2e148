"""A local pool: one child process per job, so that a killed or exiting job takes no other along."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import torch

from bench.child import (
    LOG,
    command,
    end,
    end_with_parent,
    ending,
    environment,
    lines_of,
    told,
    visible_gpu,
)
from bench.held_signals import held
from bench.place import Place
from bench.plan import PlannedJob
from bench.progress import Progress
from bench.report import Line
from bench.sweep_folder import job_folder
from bench.termination import insist

log = logging.getLogger(__name__)
POLL_SECONDS = 0.1
ENDING = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@dataclass(frozen=True)
class Pool:
    """How many jobs run at the same time on this machine.

    Attributes:
        jobs: at the same time; None: one per GPU, else one per two cores.
        threads: CPU threads per job; None: the cores shared out.
    """

    jobs: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        for key in ("jobs", "threads"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ValueError(f"{key}: found {value}, expected 1 or more, or null.")

    @property
    def place(self) -> Place:
        """This machine."""
        return Place()

    def run(self, jobs: Sequence[PlannedJob], folder: Path) -> list[Line]:
        """Run every job; whatever becomes of one, the others run.

        Args:
            jobs: what is to be done.
            folder: gets one folder per job: config, log, report.

        Returns:
            The lines of all reports, in the order of the jobs.
        """
        if not jobs:
            return []
        waiting = sorted(enumerate(jobs), key=lambda one: one[1].stage)[::-1]
        slots = list(range(self._slots()))
        running: list[_Child] = []
        lines: dict[int, list[Line]] = {}
        progress = Progress("sweep", len(jobs), unit="jobs")
        try:
            while waiting or running:
                insist()
                while waiting and slots and _may_start(waiting[-1][1], running):
                    number, job = waiting.pop()
                    try:
                        with held(ENDING):  # else a child could start and not be known
                            running.append(self._start(number, job, folder, slots[-1]))
                        slots.pop()
                    except OSError as error:  # a full disk, no more processes
                        how = f"could not be started ({error.strerror}) and ended"
                        lines[number] = lines_of(job_folder(folder, number), job.words, how)
                        progress.advance(1)
                for child in [child for child in running if child.process.poll() is not None]:
                    running.remove(child)
                    slots.append(child.slot)
                    lines[child.number] = child.lines()
                    progress.advance(1)
                    _tell(child, lines[child.number], progress)
                time.sleep(POLL_SECONDS)
        finally:
            progress.close()
            _end(running)
        return [line for number in sorted(lines) for line in lines[number]]

    def _slots(self) -> int:
        return self.jobs or torch.cuda.device_count() or max(1, (os.cpu_count() or 1) // 2)

    def _start(self, number: int, job: PlannedJob, folder: Path, slot: int) -> "_Child":
        own = job_folder(folder, number)
        own.mkdir(parents=True, exist_ok=True)
        output = open(own / LOG, "wb")  # noqa: SIM115 - closed when the child has ended
        process = subprocess.Popen(
            command(job.verb, job.command, own),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | self._environment(slot, folder),
            start_new_session=True,  # Ctrl-C reaches us alone, and we end the children
            preexec_fn=partial(end_with_parent, os.getpid()),
        )
        return _Child(number, job, own, slot, process, output, time.monotonic())

    def _environment(self, slot: int, folder: Path) -> dict[str, str]:
        threads = self.threads or max(1, (os.cpu_count() or 1) // self._slots())
        variables = environment(threads=threads, sweep=folder.name)
        gpus = torch.cuda.device_count()
        if gpus:
            variables["CUDA_VISIBLE_DEVICES"] = visible_gpu(slot % gpus)
        return variables


@dataclass
class _Child:
    number: int
    job: PlannedJob
    folder: Path
    slot: int
    process: subprocess.Popen
    output: IO[bytes]
    started: float

    def lines(self) -> list[Line]:
        """The child's report, or one failed line that says how it ended."""
        self.output.close()
        return lines_of(self.folder, self.job.words, ending(self.process.returncode))


def _may_start(job: PlannedJob, running: Sequence[_Child]) -> bool:
    """A stage begins when the earlier ones have ended, however they did."""
    return all(child.job.stage >= job.stage for child in running)


def _tell(child: _Child, lines: Sequence[Line], progress: Progress) -> None:
    seconds = time.monotonic() - child.started
    text = told(child.job.words, lines)
    log.info("[%d/%d] %s, %.0f s", progress.done, progress.total, text, seconds)


def _end(running: Sequence[_Child]) -> None:
    """End what still runs. A second signal must not leave orphans."""
    if not running:
        return
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    end([child.process for child in running])
    for child in running:
        child.output.close()
