"""Mean ranks over the columns, with bounds from the columns' rank intervals."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.leaderboard.column_scores import ColumnScores
from bench.leaderboard.standing import Standing
from bench.leaderboard.standings import standings


@dataclass(frozen=True)
class MeanRank:
    """Of one row.

    Attributes:
        value: mean over the columns with a direction.
        bounds: means of the lowest and of the highest ranks that the columns' intervals allow, a
            column without one allowing all; None where no column has one.
    """

    value: float
    bounds: tuple[float, float] | None


def mean_ranks(
    columns: Sequence[tuple[ColumnScores, dict[int, Standing]]],
) -> dict[int, MeanRank]:
    """Row -> mean rank, of the rows without a gap, ranked among each other.

    Args:
        columns: those with a direction, and the standings in them among all their rows.
    """
    columns = [one for one in columns if one[0].rows]  # undefined for all, it tells none apart
    if not columns:
        return {}
    complete = set.intersection(*(set(scores.rows) for scores, _ in columns))
    among = [
        own if len(own) == len(complete) else standings(scores.take(complete))
        for scores, own in columns
    ]
    return {row: _mean([own[row] for own in among], len(complete)) for row in complete}


def _mean(each: Sequence[Standing], count: int) -> MeanRank:
    mean = statistics.fmean(one.rank for one in each)
    if not any(one.interval for one in each):
        return MeanRank(mean, None)
    ends = [one.interval or (1, count) for one in each]
    low, high = (statistics.fmean(end) for end in zip(*ends, strict=True))
    return MeanRank(mean, (low, high))
