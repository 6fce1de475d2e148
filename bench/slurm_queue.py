"""What SLURM says of our jobs; `sacct` is not asked, since many clusters have none."""

import logging
import re
import subprocess
from collections.abc import Iterable

from bench.errors import LauncherError

log = logging.getLogger(__name__)
SECONDS = 60.0  # that one question may take; a busy controller is slow


def alive() -> dict[str, str]:
    """Ids, such as "12" and "12_3", of the user's jobs that wait or run, each with its reason.

    The reason is SLURM's word for why a job waits, such as "Resources" or "JobHeldUser".

    Raises:
        LauncherError: if the controller does not answer; ask again later.
    """
    lines = _ask("squeue", "--me", "--noheader", "--array", "--format=%i %r").splitlines()
    return {job_id: reason for job_id, _, reason in (line.partition(" ") for line in lines)}


def named(name: str) -> list[str]:
    """Ids of the user's jobs of this name that wait or run.

    Raises:
        LauncherError: if the controller does not answer.
    """
    return _ask("squeue", "--me", "--noheader", "--array", "--format=%i", f"--name={name}").split()


def state(job_id: str) -> str | None:
    """How a job has ended, such as "CANCELLED" or "FAILED, exit code 6"; None: SLURM forgot it."""
    try:
        text = _ask("scontrol", "--oneliner", "show", "job", job_id)
    except LauncherError:
        return None
    found = re.search(r"\bJobState=(\w+)", text)
    code = re.search(r"\bExitCode=([2-9]|[1-9]\d+):", text)  # 1 says nothing
    return f"{found[1]}, exit code {code[1]}" if found and code else found and found[1]


def max_array_size() -> int:
    """How many jobs one array may hold on this cluster."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _ask("scontrol", "show", "config"), re.M)
    return max(1, int(found[1])) if found else 1001  # SLURM's default; 0: no arrays at all


def cancel(job_ids: Iterable[str]) -> None:
    """Take jobs out of the queue, or end them; what cannot be done is told, not raised.

    It is called when something else is the news.
    """
    ids = sorted(job_ids)
    for start in range(0, len(ids), 500):  # a command line has an end
        some = ids[start : start + 500]
        try:
            _ask("scancel", "--quiet", *some)
        except LauncherError as error:
            log.warning("%s The jobs stay; by hand: scancel %s", error, " ".join(some))


def _ask(*words: str) -> str:
    try:
        done = subprocess.run(  # in a session of its own: Ctrl-C is for us, not for scancel
            words, capture_output=True, text=True, timeout=SECONDS, start_new_session=True
        )
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
