"""Hands runs to a child process that speaks to wandb, and waits for it no longer than allowed."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import IO

from bench.wandb_run import WandbRun

CHILD = [sys.executable, "-m", "bench.wandb_child"]


class MirrorError(Exception):
    """Why a mirror is not whole, in one line."""


def send(
    runs: Sequence[WandbRun], *, mode: str, project: str, folder: str, rows: int, timeout: float
) -> None:
    """Mirror runs, one after the other.

    Args:
        runs: what they hold.
        mode: online or offline.
        project: its name at wandb.
        folder: where wandb keeps its files.
        rows: of each side in a per-image table, at most.
        timeout: seconds for the first run with the start of Python, and for each further one.

    Raises:
        MirrorError: at the first run that did not get through.
    """
    order = {"mode": mode, "project": project, "folder": folder, "rows": rows, "timeout": timeout}
    content = json.dumps({**order, "runs": [asdict(run) for run in runs]}).encode()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
        given.write(content)
        given.seek(0)
        with _started(given, told) as child:
            done = sum(1 for _ in _answers(child, timeout))
        if done < len(runs):
            raise MirrorError(f"wandb's process died: {_last_line(told)}")


@contextmanager
def _started(given: IO[bytes], told: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A session of its own: what stops us does not reach it, and it never outlives this block."""
    child = subprocess.Popen(
        CHILD,
        stdin=given,
        stdout=subprocess.PIPE,
        stderr=told,
        env={"WANDB_ERROR_REPORTING": "false"} | os.environ | {"PYTHONSAFEPATH": "1"},
        start_new_session=True,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()


def _answers(child: subprocess.Popen[bytes], timeout: float) -> Iterator[str]:
    """The ids of finished runs, until the child has closed its end."""
    deadline = time.monotonic() + timeout
    rest = b""
    while part := _read(child, deadline, timeout):
        *lines, rest = (rest + part).split(b"\n")
        for answer in map(json.loads, lines):
            if "trouble" in answer:
                raise MirrorError(answer["trouble"])
            deadline = time.monotonic() + timeout
            yield answer["done"]


def _read(child: subprocess.Popen[bytes], deadline: float, timeout: float) -> bytes:
    """What there is; nothing at the child's end."""
    assert child.stdout is not None
    with selectors.DefaultSelector() as waiting:  # `select` knows no descriptor beyond 1023
        waiting.register(child.stdout, selectors.EVENT_READ)
        if not waiting.select(max(0.0, deadline - time.monotonic())):
            raise MirrorError(f"no answer within tracking.timeout={timeout:g} s")
    return os.read(child.stdout.fileno(), 65536)


def _last_line(told: IO[bytes]) -> str:
    told.seek(0)
    lines = told.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
