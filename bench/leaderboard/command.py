"""What `salon leaderboard` does once its config is read."""

import logging
from collections.abc import Sequence
from pathlib import Path

from bench.errors import CellsFailedError
from bench.leaderboard.compare import Difference, comparison_lines
from bench.leaderboard.compare import compare as differences_between
from bench.leaderboard.write import Report, write_all

log = logging.getLogger(__name__)


def run(
    *, results: Path, out: Path, name: str, strict: bool = False, compare: Path | None = None
) -> int:
    """Write the leaderboard, and compare its records with committed ones if asked.

    Args:
        results: the folder that holds runs/.
        out: where the files go.
        name: of the files, without an ending.
        strict: whether a file that was left out is a failure.
        compare: a results folder that this one should agree with.

    Returns:
        The exit code: 8 where strict or the comparison failed, else 0.

    Raises:
        bench.errors.StoreError: if there are no records.
    """
    report = write_all(results, out, name, strict)
    _say(report)
    if compare is None:
        return report.code
    found = differences_between(results, compare)
    for line in comparison_lines(found):
        log.info("%s", line)
    return report.code or _comparison_code(found)


def _say(report: Report) -> None:
    for path in report.written:
        log.info("wrote %s", path)
    for item in report.left_out:
        log.warning("left out %s: %s", item.path, item.reason)
    for item in report.unpaired:
        log.warning("%s: %s", item.path, item.reason)


def _comparison_code(found: Sequence[Difference]) -> int:
    return 0 if all(one.ok for one in found) else CellsFailedError.code
