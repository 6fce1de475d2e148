"""What `salon leaderboard` does once its config is read."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.errors import CellsFailedError
from bench.leaderboard.against_published import against_published, published_lines
from bench.leaderboard.compare import compare as differences_between
from bench.leaderboard.compare import comparison_lines
from bench.leaderboard.composite import Composite
from bench.leaderboard.drift import drift
from bench.leaderboard.leaderboard import Options
from bench.leaderboard.load import read_results
from bench.leaderboard.published import read_publication
from bench.leaderboard.write import Report, write_all
from bench.printable import printable

log = logging.getLogger(__name__)
PUBLISHED = "published"  # the value of `compare` that names no folder


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        results: the folder that holds runs/.
        out: where the files go.
        name: of the files, without an ending.
        strict: whether a file that was left out or is unfit is a failure.
        compare: a results folder that this one should agree with, or "published".
        check: whether the files in `out` are only compared with what the records give.
        plots: whether figures are written too.
        published: whether published values stand beside the measured ones.
        published_folder: where published values are.
        composite: the composite columns.
    """

    results: Path
    out: Path
    name: str
    strict: bool = False
    compare: str | None = None
    check: bool = False
    plots: bool = False
    published: bool = False
    published_folder: Path = Path("results/published")
    composite: Composite = field(default_factory=Composite)

    def options(self) -> Options:
        """What the tables show beyond the default."""
        found = read_publication(self.published_folder) if self.published else None
        return Options(composite=self.composite, published=found)


def run(request: Request) -> int:
    """Write the leaderboard or check the committed one, and compare its records if asked.

    Returns:
        The exit code: 8 where strict, the check or the comparison failed, else 0.

    Raises:
        bench.errors.StoreError: if there are no records.
    """
    code = _checked(request) if request.check else _written(request)
    return code or _compare(request)


def _write(request: Request, out: Path) -> Report:
    return write_all(
        request.results,
        out,
        request.name,
        request.strict,
        request.options(),
        plots=request.plots,
    )


def _written(request: Request) -> int:
    report = _write(request, request.out)
    for path in report.written:
        _tell(f"wrote {path}")
    _warn(report)
    return report.code


def _checked(request: Request) -> int:
    """The same files, written elsewhere and compared."""
    with TemporaryDirectory() as folder:
        report = _write(request, Path(folder))
        found = drift(Path(folder), request.out)
    _warn(report)
    _tell(*found)
    if not found:
        _tell(f"{request.name} in {request.out} is what the records give")
    return CellsFailedError.code if found else report.code


def _compare(request: Request) -> int:
    if request.compare is None:
        return 0
    if request.compare == PUBLISHED:
        return _compare_published(request)
    found = differences_between(request.results, Path(request.compare))
    _tell(*comparison_lines(found))
    return 0 if all(one.ok for one in found) else CellsFailedError.code


def _compare_published(request: Request) -> int:
    """A finding about two publications, not a failure: the exit code is 0 whatever is found."""
    publication = read_publication(request.published_folder)
    found = against_published(read_results(request.results).records, publication)
    _tell(*published_lines(found, publication))
    return 0


def _warn(report: Report) -> None:
    _warn_of(*report.misordered)
    _warn_of(*(f"left out {item.path}: {item.reason}" for item in report.left_out))
    _warn_of(*(f"{item.path}: {item.reason}" for item in report.unfit))


def _tell(*lines: str) -> None:
    """Names and reasons of records may hold anything, ends of lines included."""
    for line in lines:
        log.info("%s", printable(line))


def _warn_of(*lines: str) -> None:
    for line in lines:
        log.warning("%s", printable(line))
