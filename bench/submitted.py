"""Which jobs an earlier command has left in SLURM's queue, so that none is submitted twice."""

import json
import os
from collections.abc import Container, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.atomic import replace_file
from bench.regular_file import read_regular

FILE = "submitted.json"
MOST_BYTES = 64 * 1024  # of one that is read


@dataclass(frozen=True)
class Submitted:
    """One job in the queue.

    Attributes:
        key: hash of what it was asked to do.
        job_id: SLURM's, such as "12_3".
        folder: where it runs, as seen from the folder of this file; another sweep's folder where
            that sweep had submitted it.
    """

    key: str
    job_id: str
    folder: str = "."

    def write(self, folder: Path) -> None:
        """Keep it in the job's own folder."""
        replace_file(folder / FILE, (json.dumps(asdict(self)) + "\n").encode())


def in_queue(logs: Path, keys: Iterable[str], alive: Container[str]) -> dict[str, tuple[Path, str]]:
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
            found[one.key] = (_place(file.parent, one), one.job_id)
    return found


def place_of(folder: Path) -> Path:
    """Where the job of a folder runs: there, unless an earlier sweep had submitted it."""
    one = _read(folder / FILE)
    return folder if one is None or one.folder == "." else _place(folder, one)


def submitted_id(folder: Path) -> str | None:
    """SLURM's id of the job of a folder, or None where it was never submitted."""
    one = _read(folder / FILE)
    return None if one is None else one.job_id


def _place(folder: Path, one: Submitted) -> Path:
    return Path(os.path.normpath(folder / one.folder))


def _read(file: Path) -> Submitted | None:
    try:
        found = Submitted(**json.loads(read_regular(file, most=MOST_BYTES)))
    except (OSError, ValueError, TypeError, RecursionError):  # half of it, or somebody else's
        return None
    sound = all(isinstance(text, str) and "\0" not in text for text in vars(found).values())
    return found if sound else None
