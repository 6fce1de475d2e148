"""The sentences that explain a leaderboard, the same in every format that has room for them."""

import json
from collections.abc import Sequence
from typing import Any

from bench.leaderboard.board import Board, Column
from bench.leaderboard.differing import flat, parameters
from bench.leaderboard.stored import Stored

TIED_WITH_BEST = "not surely worse than the best"
MISORDERED = "Controls out of order"
HOW_TO_READ = (
    "↓ lower is better, ↑ higher is better; a score without an arrow is neither and is not ranked.",
    "The mean rank is taken over the columns with an arrow, among the rows without a gap; "
    "equal values share the better rank. Beside it, from the mean of the lowest to the mean of the "
    "highest ranks that the columns' intervals allow: outer bounds, not a 95 % interval.",
    "The ranks in a cell hold the rank in its column with 95 %, for all generators of the column "
    "at once: from 1 + the number that are surely better to n - the number that are surely worse, "
    "by one-sided tests of all pairs, corrected by Holm's method (after Mogstad, Romano, Shaikh, "
    "Wilhelm 2024). Columns are not corrected for each other.",
    "† stands at all that the best is not surely better than, by the same tests; these share its "
    "tie group, and the best of the rest opens the next.",
    "Two generators are compared paired where the influences of their common reference images "
    "lie beside the records: what these images add to both cancels. Where not, the comparison is "
    "independent: errors squared and added. Over several seeds with images of their own it is "
    "Welch's test of the means, given these reference images; seeds that share images (a stored "
    "set, a random network's seeds) are no replicates, and have the mean of their own errors. "
    "Without an error bar there is no interval.",
    "± is one standard error, or, where it says sd, the standard deviation over the seeds; "
    "brackets hold the 95 % interval.",
    "Controls are not generators but known distortions of the data: they say what the scores "
    "can see, and are never ranked.",
    "Controls out of order: nothing can be better than held-out images. A score that prefers a "
    "control to them (by 1.645 standard errors, or at all where it has none) does not see that "
    "distortion on this dataset; some do not claim to: precision is blind to dropped classes, "
    "FID to copies.",
    "Numbers may be compared within one table only: every table has its own reference images, "
    "backbone, protocol and counts.",
)


def metric_lines(boards: Sequence[Board]) -> list[tuple[str, str]]:
    """(metric, description and parameters) for each setting of each metric, sorted."""
    columns = (column for board in boards for column in board.columns)
    return sorted({(column.metric, _metric_text(column)) for column in columns})


def composite_lines(boards: Sequence[Board]) -> list[tuple[str, str]]:
    """(name, rule) of each composite column, sorted."""
    return sorted({(one.name, one.rule) for board in boards for one in board.composites})


def provenance(records: Sequence[Stored]) -> dict[str, list[str]]:
    """Environment field, such as a git commit or a package's version -> the values seen."""
    environments = {json.dumps(stored.record.environment): stored for stored in records}
    seen: dict[str, set[str]] = {}
    for stored in environments.values():  # few, of however many records
        for name, value in flat(stored.record.environment).items():
            seen.setdefault(name, set()).add(value)
    return {name: sorted(seen[name]) for name in sorted(seen)}


def _metric_text(column: Column) -> str:
    description: Any = column.config.get("description")
    said = [str(description).strip()] if description else []
    settings = parameters(column.config)
    return " ".join([*said, f"({settings or 'no settings'})"])
