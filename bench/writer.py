"""Who writes a temporary file: host, boot and process, so that a later process knows it is gone."""

import hashlib
import os
import socket
from functools import cache
from pathlib import Path


def writer() -> str:
    """This process, e.g. "node7-5e1c09ab-4242"."""
    return f"{_machine()}-{os.getpid()}"


def is_gone(name: str) -> bool:
    """Whether the writer was a process of this machine that runs no more.

    False for a writer elsewhere: nobody here can know.
    """
    process = name.rpartition("-")[2]
    return writes_here(name) and process.isdecimal() and not process_runs(int(process))


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
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process
        return True
    try:  # killed, but its parent has not looked yet
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
