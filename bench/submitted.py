"""Which jobs an earlier command has left in SLURM's queue, so that none is submitted twice."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.atomic import replace_file

FILE = "submitted.json"


@dataclass(frozen=True)
class Submitted:
    """One job in the queue.

    Attributes:
        key: hash of what it was asked to do.
        job_id: SLURM's, such as "12_3".
    """

    key: str
    job_id: str

    def write(self, folder: Path) -> None:
        """Keep it in the job's own folder."""
        replace_file(folder / FILE, (json.dumps(asdict(self)) + "\n").encode())


def in_queue(logs: Path, keys: Iterable[str], alive: set[str]) -> dict[str, tuple[Path, str]]:
    """Of the keys, those with a job that still waits or runs.

    Args:
        logs: the folder of all sweeps' folders.
        keys: what is to be done.
        alive: ids of the jobs that wait or run.

    Returns:
        Key -> the job's folder and id.
    """
    wanted, found = set(keys), {}
    for file in sorted(logs.glob(f"*/*/{FILE}")):
        one = _read(file)
        if one is not None and one.key in wanted and one.job_id in alive:
            found[one.key] = (file.parent, one.job_id)
    return found


def submitted_id(folder: Path) -> str | None:
    """SLURM's id of the job of a folder, or None where it was never submitted."""
    one = _read(folder / FILE)
    return None if one is None else one.job_id


def _read(file: Path) -> Submitted | None:
    try:
        return Submitted(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):  # half of it, or somebody else's
        return None
