"""A SLURM cluster: job arrays through submitit; what became of them is told by their reports."""

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from submitit import SlurmExecutor
from submitit.core.utils import DelayedSubmission, JobPaths, temporary_save_path

from bench import intent, slurm_queue
from bench.child import command
from bench.errors import LauncherError
from bench.intent import Intent
from bench.place import Place
from bench.plan import PlannedJob
from bench.report import Line
from bench.slurm_job import SlurmJob
from bench.slurm_watch import Watched, take_out, watch
from bench.submitted import Submitted, in_queue
from bench.sweep_folder import job_folder
from bench.termination import undisturbed
from bench.warning_time import MARGIN_SECONDS, comes_too_early, longest_warning

log = logging.getLogger(__name__)
SUBMITIT = "slurm"  # folder within the sweep's, for submitit's files


@dataclass(frozen=True)
class Slurm:
    """Where and with what a job runs.

    Attributes:
        partition, account, qos, constraint: as sbatch takes them; None is the cluster's default.
        gpus: per job.
        cpus: per job, and CPU threads.
        memory_gb: per job; None is the cluster's default.
        minutes: time limit of one attempt. A job that reaches it is requeued and goes on.
        attempts: how often a job may reach its time limit before it counts as failed.
        warning_seconds: before the limit, in which a job ends politely and requeues itself.
        parallel: jobs of an array at the same time; None: as many as the cluster gives.
        array: jobs per array at most; the cluster's own limit counts as well.
        setup: shell lines that run before each job, such as "module load cuda".
        options: further options of sbatch, such as {nice: 100}.
        wait: whether the command stays until the jobs have ended. If not, `salon status` tells.
        poll_seconds: between two looks at the queue.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    gpus: int = 1
    cpus: int = 4
    memory_gb: float | None = None
    minutes: int = 240
    attempts: int = 10
    warning_seconds: int = 120
    parallel: int | None = None
    array: int = 1000
    setup: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    wait: bool = True
    poll_seconds: float = 5.0

    def __post_init__(self) -> None:
        intent.refuse_own_name(list(self.options))
        for name in ("cpus", "minutes", "attempts", "array", "parallel"):
            self._at_least(name, 1)
        for name in ("gpus", "warning_seconds", "memory_gb", "poll_seconds"):
            self._at_least(name, 0)
        if comes_too_early(self.minutes, self.warning_seconds):
            raise ValueError(
                f"cluster.minutes={self.minutes} with cluster.warning_seconds="
                f"{self.warning_seconds}: SLURM may warn {MARGIN_SECONDS} s early, and would do so "
                "before the job has begun; type a longer limit or a shorter warning."
            )
        if self.warning_seconds > (most := longest_warning(self.minutes)):
            raise ValueError(
                f"cluster.warning_seconds={self.warning_seconds}: so long before a limit of "
                f"{self.minutes} minutes, submitit takes it for pre-emption and does not count the "
                f"attempt; type {most:.0f} or less, or a longer limit."
            )

    def _at_least(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if value is not None and value < least:
            raise ValueError(f"cluster.{name}: found {value}, expected {least} or more.")

    @property
    def place(self) -> Place:
        """Its nodes: a login node has other devices."""
        return Place("cuda" if self.gpus else "cpu")

    def run(self, jobs: Sequence[PlannedJob], folder: Path) -> list[Line]:
        """Submit what is not in the queue yet, then wait, if asked to.

        Args:
            jobs: what is to be done.
            folder: gets one folder per job: log, report, and the id that SLURM gave.

        Returns:
            The lines of all reports, in the order of the jobs; none without `wait`.

        Raises:
            LauncherError: if SLURM refuses the jobs.
        """
        if not jobs:
            return []
        folder = folder.absolute()
        watched = self._watched(jobs, folder)
        if not self.wait:
            log.info("%d jobs are in the queue; salon status tells how they do", len(watched))
            return []
        return watch(watched, self.poll_seconds)

    def _watched(self, jobs: Sequence[PlannedJob], folder: Path) -> list[Watched]:
        """All jobs with their ids: those of an earlier command, and those submitted now."""
        intent.note_forgotten(folder.parent)
        queued = in_queue(folder.parent, [job.key for job in jobs], slurm_queue.alive())
        if queued:
            log.info("%d jobs are in the queue already", len(queued))
        new = [(number, job) for number, job in enumerate(jobs) if job.key not in queued]
        places = {n: queued[job.key] for n, job in enumerate(jobs) if job.key in queued}
        for number, (place, job_id) in places.items():
            self._hand_over(jobs[number], place, job_id)
            _point(job_folder(folder, number), jobs[number].key, place, job_id)
        ids: dict[int, str] = {}
        try:
            for stage in sorted({job.stage for _, job in new}):
                earlier = [n for n in (*places, *ids) if jobs[n].stage < stage]
                after = _arrays(ids.get(n) or places[n][1] for n in earlier)
                self._submit([one for one in new if one[1].stage == stage], folder, after, ids)
        except BaseException:  # half a sweep in the queue is nobody's wish
            take_out([Watched(n, jobs[n], job_folder(folder, n), ids[n]) for n in ids])
            raise
        places |= {number: (job_folder(folder, number), job_id) for number, job_id in ids.items()}
        return [Watched(number, job, *places[number]) for number, job in enumerate(jobs)]

    def _submit(
        self,
        jobs: Sequence[tuple[int, PlannedJob]],
        folder: Path,
        after: Sequence[str],
        ids: dict[int, str],
    ) -> None:
        """Adds number -> id, array by array, each no longer than we and the cluster allow."""
        ahead = iter(jobs)
        while chunk := list(islice(ahead, min(self.array, slurm_queue.max_array_size()))):
            planned = Intent([number for number, _ in chunk], [job.key for _, job in chunk])
            planned.write(folder)
            try:
                found = self._array(chunk, folder, self._executor(folder, after, planned.name))
                planned.note(folder, found)
            except BaseException:  # what SLURM has of it has no id that we know
                with undisturbed():
                    intent.take_back(planned, folder)
                raise
            ids |= dict(zip(planned.numbers, found, strict=True))
            log.info("submitted %d jobs as %s", len(chunk), found[0].partition("_")[0])

    def _array(
        self, jobs: Sequence[tuple[int, PlannedJob]], folder: Path, executor: SlurmExecutor
    ) -> list[str]:
        """Submit some jobs; their ids."""
        try:
            with executor.batch():
                handles = [executor.submit(self._task(job, n, folder)) for n, job in jobs]
        except Exception as error:  # submitit passes on what sbatch said
            text = " ".join(str(error).split())
            raise LauncherError(f"SLURM refused the jobs: {text}") from error
        return [handle.job_id for handle in handles]

    def _hand_over(self, job: PlannedJob, place: Path, job_id: str) -> None:
        """A launcher killed right after sbatch has not said what to do; jobs wait a minute for it.

        Args:
            job: what it is to do.
            place: its folder.
            job_id: SLURM's.
        """
        pickle = JobPaths(place.parent / SUBMITIT, job_id).submitted_pickle
        if pickle.exists():
            return
        given = DelayedSubmission(self._task(job, int(place.name), place.parent))
        given.set_timeout(self.minutes, self.attempts - 1)
        with temporary_save_path(pickle) as temporary:
            given.dump(temporary)

    def _task(self, job: PlannedJob, number: int, folder: Path) -> SlurmJob:
        own = job_folder(folder, number)
        child = tuple(command(job.verb, job.command, own))
        return SlurmJob(child, " ".join(job.words) or "-", str(own), self.cpus, folder.name)

    def _executor(self, folder: Path, after: Sequence[str], name: str) -> SlurmExecutor:
        executor = SlurmExecutor(folder / SUBMITIT, max_num_timeout=self.attempts - 1)
        given = {
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "constraint": self.constraint,
            "gpus_per_node": self.gpus or None,
            "mem": None if self.memory_gb is None else f"{round(self.memory_gb * 1024)}M",
            "array_parallelism": self.parallel or self.array,  # submitit's own default is 256
            "setup": self.setup or None,
            "dependency": f"afterany:{':'.join(after)}" if after else None,
        }
        executor.update_parameters(
            job_name=name,
            time=self.minutes,
            cpus_per_task=self.cpus,
            srun_args=[f"--cpus-per-task={self.cpus}"],  # since SLURM 22.05 not sbatch's for srun
            signal_delay_s=self.warning_seconds,
            **{name: value for name, value in given.items() if value is not None},
            additional_parameters={"requeue": True, "open-mode": "append", **self.options},
        )
        return executor


def _point(own: Path, key: str, place: Path, job_id: str) -> None:
    """So that `salon status` of this sweep finds a job that an earlier one has submitted."""
    Submitted(key, job_id, os.path.relpath(place, own)).write(own)


def _arrays(ids: Iterable[str]) -> list[str]:
    """The arrays' own ids, each once."""
    return sorted({job_id.partition("_")[0] for job_id in ids})
