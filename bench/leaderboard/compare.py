"""Compares measured records with committed ones, score by score, within stated tolerances."""

import json
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from bench.errors import StoreError
from bench.leaderboard.load import read_results
from bench.leaderboard.measurement import Measurement, measurement
from bench.leaderboard.numbers import number
from bench.leaderboard.stored import Stored
from bench.whole_record import NAMES

# Another CPU moves features in the last bits of float32; that moves smooth scores by this much.
RELATIVE = 1e-3
OF_STANDARD_ERROR = 0.1
ABSOLUTE = 1e-6
# A share of the images moves in steps: an image on the border of a ball may flip between CPUs.
# One and a half images, so that rounding of the step itself never decides.
FLIPPED_IMAGES = 1.5
SHARES: dict[str, frozenset[str]] = {
    "precision_recall": frozenset({"precision", "recall"}),
    "prdc": frozenset({"precision", "recall", "density", "coverage"}),
    "rarity": frozenset({"defined_fraction"}),
}


OF_REALS = frozenset({"recall", "coverage"})  # shares of the reference images


@dataclass(frozen=True)
class Match:
    """What one score of one cell is found again by: names and counts, not hashes.

    Attributes:
        settings: all configs as JSON, only where the other fields do not tell records apart.
    """

    dataset: str
    generator: str
    backbone: str
    protocol: str
    metric: str
    score: str
    seed: int
    num_real: int | None
    num_fake: int
    settings: str = ""


@dataclass(frozen=True)
class Difference:
    """One score, measured minus committed.

    Attributes:
        match: which score of which cell.
        measured, committed: the values; None where undefined or missing.
        difference: measured - committed, or None.
        tolerance: the largest difference that is ok, or None.
        ok: within the tolerance, or undefined on both sides.
        reason: why a score without a difference is not ok; usually empty.
    """

    match: Match
    measured: float | None
    committed: float | None
    difference: float | None
    tolerance: float | None
    ok: bool
    reason: str = ""


def compare(measured: Path, committed: Path) -> list[Difference]:
    """Every score that either results folder holds, sorted by cell and score.

    Args:
        measured: the results folder under test.
        committed: the results folder to agree with.

    Raises:
        bench.errors.StoreError: if there is nothing to agree with.
    """
    sides = [read_results(measured).records, read_results(committed).records]
    if not sides[1]:
        raise StoreError(f"compare={committed} holds no good records, expected a results folder.")
    ambiguous = set().union(*(_ambiguous(side) for side in sides))
    found, expected = (_by_match(side, ambiguous) for side in sides)
    matches = sorted(found.keys() | expected.keys(), key=_in_order)
    return [_difference(match, found.get(match), expected.get(match)) for match in matches]


def _in_order(match: Match) -> list[tuple[bool, object]]:
    """By its fields; an unknown count comes before any number."""
    return [(value is not None, value) for value in astuple(match)]


def tolerance(match: Match, committed: Measurement) -> float:
    """The largest difference by which a score may depart from the committed one."""
    value = committed.value or 0.0
    allowed = RELATIVE * abs(value) + ABSOLUTE
    if committed.standard_error is not None:
        return allowed + OF_STANDARD_ERROR * committed.standard_error
    if match.score in SHARES.get(match.metric, ()) and 0 <= value <= 1:
        count = match.num_real if match.score in OF_REALS else match.num_fake
        return allowed + FLIPPED_IMAGES / (count or match.num_fake)
    return allowed


def comparison_lines(differences: Sequence[Difference]) -> list[str]:
    """A plain-text table for a terminal, and a last line that counts."""
    head = ("", "score", "measured", "committed", "difference", "tolerance", "")
    table = [head, *(_cells(one) for one in differences)]
    widths = [max(len(row[index]) for row in table) for index in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(width) if 2 <= index < 6 else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    num_ok = sum(one.ok for one in differences)
    return [*lines, f"{num_ok} of {len(differences)} scores agree"]


def _ambiguous(records: Sequence[Stored]) -> set[Match]:
    """Matches that several records of one side share, for instance prdc with k=3 and k=5."""
    counts = Counter(match for stored in records for match in _matches(stored).values())
    return {match for match, count in counts.items() if count > 1}


def _by_match(records: Sequence[Stored], ambiguous: Set[Match]) -> dict[Match, Measurement]:
    found: dict[Match, Measurement] = {}
    for stored in records:
        for score, match in _matches(stored).items():
            settings = _settings(stored) if match in ambiguous else ""
            found[_free(replace(match, settings=settings), found)] = measurement(stored, score)
    return found


def _free(match: Match, taken: dict[Match, Measurement]) -> Match:
    """Equal configs with other content, such as a retrained checkpoint: counted, never dropped."""
    while match in taken:
        match = replace(match, settings=f"{match.settings}+")
    return match


def _matches(stored: Stored) -> dict[str, Match]:
    record = stored.record
    match = Match(
        **{role: getattr(record, role)["name"] for role in NAMES},
        score="",
        seed=record.seed,
        num_real=record.num_real,
        num_fake=record.num_fake,
    )
    return {score: replace(match, score=score) for score in record.scores}


def _settings(stored: Stored) -> str:
    configs = {role: getattr(stored.record, role)["config"] for role in NAMES}
    return json.dumps(configs, sort_keys=True)


def _difference(
    match: Match, measured: Measurement | None, committed: Measurement | None
) -> Difference:
    found = measured.value if measured else None
    expected = committed.value if committed else None
    if measured is None or committed is None:
        side = "measured" if measured is None else "committed"
        return Difference(match, found, expected, None, None, False, f"not {side}")
    if found is None or expected is None:
        both = found is expected
        reason = "undefined" if both else "undefined on one side"
        return Difference(match, found, expected, None, None, both, reason)
    allowed = tolerance(match, committed)
    gap = found - expected
    return Difference(match, found, expected, gap, allowed, abs(gap) <= allowed)


def _cells(one: Difference) -> tuple[str, ...]:
    match = one.match
    where = (
        f"{match.dataset} {match.generator} {match.backbone} {match.protocol} "
        f"{match.metric}.{match.score} seed {match.seed} "
        f"N {match.num_real}/{match.num_fake} {match.settings}"
    )
    numbers = (one.measured, one.committed, one.difference, one.tolerance)
    texts = ("–" if value is None else number(value, 6) for value in numbers)  # noqa: RUF001
    verdict = "ok" if one.ok else "DIFFERS"
    return (verdict, " ".join(where.split()), *texts, one.reason)
