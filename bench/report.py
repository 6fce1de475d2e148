"""What became of a job: one line per cell and metric, kept as a file for the sweep to read."""

import json
import signal
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.atomic import create_file, replace_file
from bench.printable import printable
from bench.regular_file import read_regular

FILE = "report.json"
NAMES = ("dataset", "generator", "backbone", "metric", "state")
MOST_BYTES = 64 * 1024**2  # of a report that is read; a job of a thousand metrics has one


@dataclass(frozen=True)
class Line:
    """One metric on one cell.

    Attributes:
        dataset, generator, backbone, metric: names; "-" where the job failed before it knew them.
        state: done, reused, skipped or failed.
        scores: score name -> value, None where undefined.
        intervals: score name -> (low, high) of the 95 % interval, where there is one.
        biases: score name -> what finite counts add to the expected value, where it is known.
        reason: why it failed or was skipped, in one line.
        code: the exit code that the failure stands for, 0 otherwise.
        record: the record's path.
    """

    dataset: str
    generator: str
    backbone: str
    metric: str
    state: str
    scores: dict[str, float | None] = field(default_factory=dict)
    intervals: dict[str, list[float]] = field(default_factory=dict)
    biases: dict[str, float] = field(default_factory=dict)
    reason: str | None = None
    code: int = 0
    record: str | None = None


@dataclass
class Report:
    """All lines of a job, in order."""

    lines: list[Line] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code of the first failure, or 0."""
        return next((line.code for line in self.lines if line.state == "failed"), 0)

    @property
    def cut_short(self) -> bool:
        """Whether it is but the last word of a job that SIGTERM has ended."""
        return all(line.code == 128 + signal.SIGTERM for line in self.lines)

    def reasons(self) -> str:
        """Why cells failed or were skipped, each reason once."""
        return "; ".join(dict.fromkeys(line.reason for line in self.lines if line.reason))

    def write(self, folder: Path) -> None:
        """Keep it as report.json in the run's folder."""
        replace_file(folder / FILE, self._encoded())

    def write_unless_there(self, folder: Path) -> None:
        """Likewise, but never over the job's own."""
        create_file(folder / FILE, self._encoded())

    def _encoded(self) -> bytes:
        lines = [asdict(line) for line in self.lines]
        return (json.dumps({"lines": lines}, indent=1) + "\n").encode()

    @classmethod
    def read(cls, folder: Path) -> "Report | None":
        """The report of a job's folder; None where the job died before writing it, or it is none.

        A damaged or foreign one says nothing of the job.
        """
        try:
            content = json.loads(read_regular(folder / FILE, most=MOST_BYTES))
            return cls([line_of(line) for line in content["lines"]])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None


def line_of(content: Any) -> Line:
    """A line from its JSON.

    Raises:
        TypeError: if it is no line of ours.
    """
    line = Line(**content)
    sound = (
        all(isinstance(getattr(line, name), str) for name in NAMES)
        and all(isinstance(text, str | None) for text in (line.reason, line.record))
        and type(line.code) is int
        and _are_numbers(value for value in _values(line.scores) if value is not None)
        and _are_numbers(_values(line.biases))
        and all(_are_numbers(_items(ends)) for ends in _values(line.intervals))
    )
    if not sound:
        raise TypeError("a line holds something else than names, scores and a reason")
    return line


def _values(known: Any) -> Iterable[Any]:
    return known.values() if isinstance(known, dict) else [known]


def _items(ends: Any) -> Iterable[Any]:
    return ends if isinstance(ends, list) else [ends]


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(type(value) is float or type(value) is int for value in values)


def score_table(lines: Iterable[Line]) -> str:
    """Every score of the lines with its error bar, as plain text."""
    rows = [
        (
            line.backbone,
            f"{line.metric}.{score}",
            _number(value),
            _error_bar(line, score),
            line.state,
        )
        for line in lines
        for score, value in line.scores.items()
    ]
    heads = ("backbone", "score", "value", "95 % interval", "state")
    return align([heads, *rows]) if rows else ""


def closing_table(lines: Sequence[Line]) -> str:
    """How many cells were done, reused, skipped, failed; and each reason once per cell."""
    states = Counter(line.state for line in lines)
    counts = ", ".join(f"{states[s]} {s}" for s in ("done", "reused", "skipped", "failed"))
    troubles = [
        (line.state, line.dataset, line.generator, line.backbone, line.metric, line.reason or "")
        for line in lines
        if line.state in ("failed", "skipped")
    ]
    return "\n".join([*([align(troubles)] if troubles else []), counts])


def align(rows: Sequence[Sequence[str]]) -> str:
    """Columns of text, two spaces apart; every row is one line, whatever its cells hold."""
    cells = [list(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _error_bar(line: Line, score: str) -> str:
    interval = " to ".join(map(_number, line.intervals.get(score, [])))
    return f"{interval} (bias {line.biases[score]:.2g})" if score in line.biases else interval


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.6g}"
