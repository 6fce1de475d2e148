"""What SLURM says of our jobs; `sacct` is not asked, since many clusters have none."""

import re
import subprocess
from collections.abc import Iterable

from bench.errors import LauncherError

SECONDS = 60.0  # that one question may take; a busy controller is slow


def alive() -> set[str]:
    """Ids, such as "12" and "12_3", of the user's jobs that wait or run.

    Raises:
        LauncherError: if the controller does not answer; ask again later.
    """
    return set(_ask("squeue", "--me", "--noheader", "--array", "--format=%i").split())


def state(job_id: str) -> str | None:
    """The state of a job that has ended, such as "CANCELLED", or None once SLURM forgot it."""
    try:
        text = _ask("scontrol", "--oneliner", "show", "job", job_id)
    except LauncherError:
        return None
    found = re.search(r"\bJobState=(\w+)", text)
    return found[1] if found else None


def max_array_size() -> int:
    """How many jobs one array may hold on this cluster."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask("scontrol", "show", "config"), re.M)
    return int(found[1]) if found else 1001  # SLURM's default


def cancel(job_ids: Iterable[str]) -> None:
    """Take jobs out of the queue, or end them.

    Raises:
        LauncherError: if the controller does not answer.
    """
    ids = sorted(job_ids)
    for start in range(0, len(ids), 500):  # a command line has an end
        _ask("scancel", *ids[start : start + 500])


def _ask(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS)
    except FileNotFoundError:
        raise LauncherError(
            f"{words[0]} is not on this machine: type the command on a login node of the SLURM "
            "cluster, or cluster=local."
        ) from None
    except subprocess.TimeoutExpired:
        raise LauncherError(f"{words[0]} did not answer in {SECONDS:.0f} s.") from None
    if done.returncode:
        raise LauncherError(f"{' '.join(words[:2])}: {' '.join(done.stderr.split())}")
    return done.stdout
