"""What a sweep set out to do, on disk, so that anyone can see later how it stands."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.atomic import replace_file
from bench.errors import StoreError
from bench.plan import PlannedJob
from bench.regular_file import read_regular
from bench.report import Line, line_of

FILE = "sweep.json"
MOST_BYTES = 1024**3  # of a plan that is read; a hundred thousand jobs have a tenth


@dataclass(frozen=True)
class PlannedEntry:
    """One job of the plan.

    Attributes:
        number: names its folder, None where there was nothing to run.
        words: what tells it from the others.
        key: hash of what it was asked to do.
        lines: what was known when it was planned: reused, skipped, failed.
    """

    number: int | None
    words: list[str]
    key: str
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class SweepPlan:
    """A sweep's jobs.

    Attributes:
        words: of the command `salon sweep`.
        created: UTC time, ISO 8601.
        jobs: in the order of the plan.
    """

    words: list[str]
    created: str
    jobs: list[PlannedEntry]

    def write(self, folder: Path) -> None:
        """Keep it as sweep.json in the sweep's folder."""
        replace_file(folder / FILE, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, folder: Path) -> "SweepPlan":
        """The plan of a sweep's folder.

        Raises:
            StoreError: if there is none, or it is not ours.
        """
        try:
            content = json.loads(read_regular(folder / FILE, most=MOST_BYTES))
            jobs = [_entry(one) for one in content["jobs"]]
            return cls(_words(content["words"]), content["created"], jobs)
        except FileNotFoundError:
            raise StoreError(f"{folder} is no sweep's folder: it has no {FILE}.") from None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise StoreError(f"{folder / FILE} cannot be read: {error}") from error


def planned(words: Sequence[str], jobs: Sequence[PlannedJob]) -> SweepPlan:
    """The plan of jobs; those that run are numbered in their order."""
    numbers = iter(range(len(jobs)))
    entries = [
        PlannedEntry(None if job.settled else next(numbers), job.words, job.key, job.lines)
        for job in jobs
    ]
    return SweepPlan(list(words), datetime.now(UTC).isoformat(timespec="seconds"), entries)


def job_folder(sweep: Path, number: int) -> Path:
    """Of one job: its log, its report, its status."""
    return sweep / f"{number:04d}"


def sweeps_in(logs: Path) -> list[Path]:
    """Folders of sweeps, the oldest first."""
    return sorted(file.parent for file in logs.glob(f"*/{FILE}"))


def _entry(content: dict[str, Any]) -> PlannedEntry:
    number, lines = content["number"], [line_of(line) for line in content["lines"]]
    if number is not None and type(number) is not int:
        raise TypeError("the number of a job is no integer")
    return PlannedEntry(number, _words(content["words"]), content["key"], lines)


def _words(content: Any) -> list[str]:
    if not isinstance(content, list) or not all(isinstance(word, str) for word in content):
        raise TypeError("the words of a command are no list of texts")
    return content
