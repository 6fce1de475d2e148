"""Who writes a temporary file: host, boot and process, so that a later process knows it is gone.

Process ids come round again, and threads have such numbers too, so its start stands beside it.
"""

import hashlib
import os
import socket
from functools import cache
from pathlib import Path

STATE, START = 0, 19  # of `_statistics`


def writer() -> str:
    """This process, e.g. "node7-5e1c09ab-4242_81723"; without a start where nobody tells it."""
    start = _start(os.getpid())
    return f"{_machine()}-{os.getpid()}" + ("" if start is None else f"_{start}")


def is_gone(name: str) -> bool:
    """Whether the writer was a process of this machine that runs no more.

    False for a writer elsewhere: nobody here can know.
    """
    process, _, start = name.rpartition("-")[2].partition("_")
    if not (writes_here(name) and process.isdecimal() and (start.isdecimal() or not start)):
        return False
    another = bool(start) and _start(int(process)) not in (None, start)
    return another or not process_runs(int(process))


def writes_here(name: str) -> bool:
    """Whether the writer is or was a process of this machine."""
    return name.rpartition("-")[0] == _machine()


@cache
def _machine() -> str:
    """Host name and a hash of boot and process namespace.

    Two containers can share a host name and see different processes; a process id says something
    only within one namespace of one boot.
    """
    known = []
    for read in (_boot, _namespace):
        try:
            known.append(read())
        except OSError:  # not Linux: the host name must do
            known.append("")
    return f"{socket.gethostname()}-{hashlib.sha256(' '.join(known).encode()).hexdigest()[:8]}"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text()


def _namespace() -> str:
    return os.readlink("/proc/self/ns/pid")


def process_runs(process: int) -> bool:
    """Whether a process of this machine has not ended."""
    try:
        os.kill(process, 0)  # signal 0 only asks
    except (ProcessLookupError, OverflowError):  # or no number of a process at all
        return False
    except OSError:  # somebody else's process
        return True
    try:  # killed, but its parent has not looked yet
        return _statistics(process)[STATE] != "Z"
    except OSError:
        return True


def _start(process: int) -> str | None:
    """When it began, in clock ticks since the boot; None where it is gone, or this is not Linux."""
    try:
        return _statistics(process)[START]
    except OSError:
        return None


def _statistics(process: int) -> list[str]:
    """The fields of proc(5) behind the command's name, which may hold anything."""
    text = Path(f"/proc/{process}/stat").read_text(errors="replace")
    return text.rpartition(")")[2].split()
