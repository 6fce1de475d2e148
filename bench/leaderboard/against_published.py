"""`compare=published`: measured minus reported, with a verdict against the measured interval."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.leaderboard.measurement import Measurement, measurement
from bench.leaderboard.numbers import number
from bench.leaderboard.published import Publication, Published
from bench.leaderboard.stored import Stored

INSIDE, OUTSIDE, NO_INTERVAL = "inside", "outside", "no interval"
NOT_COMPARED = "not compared"
NORMAL = 1.959963984540054  # 97.5 % quantile of the normal distribution
HEADS = ("verdict", "score", "measured", "reported", "difference", "95 % interval", "")


@dataclass(frozen=True)
class Against:
    """One published value and one record of its generator and score.

    Attributes:
        published: the value.
        stored: the record.
        measured: what the record says.
        verdict: inside the measured 95 % interval, outside, no interval, or not compared. The
            interval is that of one measurement, and widened by the rounding of the printed
            value; the publication's own sampling error is not known.
        reason: why it is not compared; else empty.
    """

    published: Published
    stored: Stored
    measured: Measurement
    verdict: str
    reason: str = ""


def against_published(records: Sequence[Stored], publication: Publication) -> list[Against]:
    """Every record's scores beside what is published of its generator, by generator and score."""
    found = [
        _against(one, stored, score)
        for stored in records
        if not stored.is_control
        for score in stored.record.scores
        for one in publication.of(stored, score)
    ]
    return sorted(found, key=_order)


def published_lines(found: Sequence[Against], publication: Publication) -> list[str]:
    """A plain-text table, the counts of the verdicts, and why the other values have no place."""
    table = [HEADS, *map(_cells, found)]
    widths = [max(len(row[at]) for row in table) for at in range(len(HEADS))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
    counts = Counter(one.verdict for one in found)
    verdicts = (INSIDE, OUTSIDE, NO_INTERVAL, NOT_COMPARED)
    lines.append(", ".join(f"{counts[verdict]} {verdict}" for verdict in verdicts))
    lines += [f"source: {one}" for one in sorted({one.published.source for one in found})]
    lines += [
        f"{count} published values have no place here: {reason}"
        for reason, count in publication.not_placed.items()
    ]
    return lines


def _against(published: Published, stored: Stored, score: str) -> Against:
    measured = measurement(stored, score)
    obstacle = published.obstacle(stored)
    if obstacle is None and measured.value is None:
        obstacle = f"undefined: {measured.undefined}"
    if obstacle is not None:
        return Against(published, stored, measured, NOT_COMPARED, obstacle)
    return Against(published, stored, measured, _verdict(published, measured))


def _verdict(published: Published, measured: Measurement) -> str:
    ends = _interval(measured)
    if ends is None:
        return NO_INTERVAL
    low, high = ends
    near = low - published.rounding <= published.value <= high + published.rounding
    return INSIDE if near else OUTSIDE


def _interval(measured: Measurement) -> tuple[float, float] | None:
    """The record's own, else the normal one of its standard error."""
    if measured.interval is not None or measured.value is None:
        return measured.interval
    if measured.standard_error is None:
        return None
    half = NORMAL * measured.standard_error
    return measured.value - half, measured.value + half


def _order(one: Against) -> tuple[str, ...]:
    published = one.published
    return published.generator, published.metric, published.score, one.stored.path


def _cells(one: Against) -> tuple[str, ...]:
    published, value = one.published, one.measured.value
    record = one.stored.record
    where = (
        f"{published.generator} {record.dataset['name']} {record.backbone['name']} "
        f"{record.protocol['name']} {published.metric}.{published.score} seed {one.measured.seed}"
    )
    ends = _interval(one.measured)
    return (
        one.verdict,
        where,
        "" if value is None else number(value, 6),
        published.printed,
        "" if value is None or one.reason else f"{value - published.value:+.3g}",
        "" if ends is None else f"[{number(ends[0])}, {number(ends[1])}]",
        one.reason,
    )
