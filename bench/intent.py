"""What is about to be submitted, on disk before SLURM is told, so that a kill forgets no job.

A launcher that dies after sbatch and before it has noted the jobs' ids leaves jobs that nobody
knows. The next one finds them in the queue by the name that only this array has.
"""

import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import slurm_queue
from bench.atomic import replace_file
from bench.errors import LauncherError
from bench.submitted import Submitted
from bench.sweep_folder import job_folder
from bench.writer import is_gone, writer, writes_here

log = logging.getLogger(__name__)
PREFIX = "intent-"


def unique_name() -> str:
    """For the jobs of one array, such as "salon-01234567"."""
    return f"salon-{secrets.randbelow(10**8):08d}"


@dataclass(frozen=True)
class Intent:
    """One array that may have been submitted.

    Attributes:
        numbers: of its jobs within the sweep, in the order of the array.
        keys: hashes of what they were asked to do, likewise.
        name: theirs in SLURM.
        writer: the launcher.
    """

    numbers: list[int]
    keys: list[str]
    name: str = field(default_factory=unique_name)
    writer: str = field(default_factory=writer)

    def write(self, sweep: Path) -> None:
        """Keep it in the sweep's folder."""
        replace_file(self._file(sweep), (json.dumps(asdict(self)) + "\n").encode())

    def note(self, sweep: Path, job_ids: Sequence[str]) -> None:
        """Keep each job's id in its own folder, and forget the intent.

        Args:
            sweep: the sweep's folder.
            job_ids: in any order: "12_3" is the job at place 3, "12" the only one.
        """
        for job_id in job_ids:
            place = int(job_id.partition("_")[2] or 0)
            own = job_folder(sweep, self.numbers[place])
            Submitted(self.keys[place], job_id).write(own)
        self._file(sweep).unlink(missing_ok=True)

    def _file(self, sweep: Path) -> Path:
        return sweep / f"{PREFIX}{self.name}.json"


def note_forgotten(logs: Path) -> None:
    """Note the jobs of every launcher that was killed in between; nothing where none is queued.

    Args:
        logs: the folder of all sweeps' folders.

    Raises:
        LauncherError: if SLURM does not answer.
    """
    for file in sorted(logs.glob(f"*/{PREFIX}*.json")):
        intent = _read(file)
        if intent is None or (writes_here(intent.writer) and not is_gone(intent.writer)):
            continue
        job_ids = slurm_queue.named(intent.name)
        if not job_ids and not writes_here(intent.writer):
            continue  # a launcher on another node may be about to submit it, or another user has
        if job_ids:
            log.info("%d jobs of a killed sweep are in the queue", len(job_ids))
        intent.note(file.parent, job_ids)


def refuse_own_name(options: Sequence[str]) -> None:
    """Jobs are found by our name.

    Raises:
        ValueError: if one of the options of sbatch is another.
    """
    if {"job-name", "job_name", "J"} & set(options):
        raise ValueError(
            "cluster.options.job_name: jobs are found in the queue by a name of salon's own; "
            "take +cluster.options.comment=TEXT to tell yours."
        )


def take_back(intent: Intent, sweep: Path) -> None:
    """Take an array out of the queue, whatever of it is there, and forget the intent.

    Where SLURM does not answer, the intent stays, for the next launcher to find the jobs.
    """
    try:
        job_ids = slurm_queue.named(intent.name)
    except LauncherError as error:
        log.warning("%s If jobs stay; by hand: scancel --name=%s", error, intent.name)
        return
    slurm_queue.cancel({job_id.partition("_")[0] for job_id in job_ids})
    intent.note(sweep, [])


def _read(file: Path) -> Intent | None:
    try:
        return Intent(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):  # somebody else's
        return None
