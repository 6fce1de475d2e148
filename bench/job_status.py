"""A small file that says what a running job is doing, for whoever looks; it decides nothing."""

import json
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.atomic import replace_file
from bench.errors import StoreError
from bench.regular_file import read_regular
from bench.writer import is_gone, writer, writes_here

FILE = "status.json"
MOST_BYTES = 64 * 1024  # of one that is read
SECONDS_BETWEEN = 5.0


@dataclass(frozen=True)
class JobStatus:
    """What a job said last.

    Attributes:
        doing: e.g. "fake features 12800/50000, 310 images/s, 2 min left".
        node: the machine's name, for people.
        writer: the process, as `bench.writer` names it.
    """

    doing: str
    node: str
    writer: str

    @classmethod
    def read(cls, folder: Path) -> "JobStatus | None":
        """None where the job has not begun, or the file is none of ours."""
        try:
            found = cls(**json.loads(read_regular(folder / FILE, most=MOST_BYTES)))
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return found if all(isinstance(text, str) for text in vars(found).values()) else None

    def known_to_run(self) -> bool | None:
        """Whether its process runs; None on another machine, which nobody can ask from here."""
        return not is_gone(self.writer) if writes_here(self.writer) else None


class StatusFile:
    """Keeps the newest word of this process in a folder.

    Args:
        folder: the job's own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = float("-inf")

    def say(self, doing: str) -> None:
        """At most one write in five seconds; a full disk is no reason to end a job."""
        if time.monotonic() - self.written < SECONDS_BETWEEN:
            return
        self.written = time.monotonic()
        status = JobStatus(doing, socket.gethostname(), writer())
        with suppress(StoreError):
            replace_file(self.folder / FILE, (json.dumps(asdict(status)) + "\n").encode())
