"""`salon verify`: our records beside the values that others published, and a verdict on each."""

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.composed import composed
from bench.errors import CellsFailedError, StoreError
from bench.leaderboard.load import read_results
from bench.leaderboard.measurement import measurement
from bench.leaderboard.stored import Stored
from bench.report import align
from bench.stated_values import StatedValue, stated_values

log = logging.getLogger(__name__)

HELP = """salon verify - compare records with the values that others published

  salon fetch backbone=inception
  salon sweep experiment=reference_values paths.results=results/reference
  salon verify paths.results=results/reference

Also experiment=reference_values_256 (a minute), reference_values_train (50,000 images),
reference_values_clip and reference_values_adm (guided-diffusion's files). The
values and their sources are in conf/experiment/reference_values.csv. Verdicts: agrees, differs,
not comparable (other counts, rows or settings, random weights), not measured. Exit code 8 unless
every value that was measured agrees, and at least one was.

  paths.results        the folder that holds runs/              (results)
"""
AGREES, DIFFERS = "agrees", "differs"
NOT_COMPARABLE, NOT_MEASURED = "not comparable", "not measured"
HEADS = ("verdict", "score", "ours", "stated", "difference", "tolerance", "")


@dataclass(frozen=True)
class Verdict:
    """One stated value, and what one record says of it.

    Attributes:
        stated: the published value.
        verdict: agrees, differs, not comparable or not measured.
        ours: the record's value; None where it is undefined or not measured.
        reason: why it is not comparable, or what may explain a difference.
    """

    stated: StatedValue
    verdict: str
    ours: float | None = None
    reason: str = ""


def main(words: Sequence[str]) -> int:
    """Run `salon verify WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    results = Path(composed("leaderboard", words).paths.results)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    found = verdicts(results)
    print(table(found), flush=True)
    return 0 if sound(found) else CellsFailedError.code


def verdicts(results: Path) -> list[Verdict]:
    """A verdict on each stated value for each record of its score, in the table's order.

    Raises:
        StoreError: if there is no record of any stated score.
    """
    reading = read_results(results)
    for item in reading.left_out:
        log.warning("left out %s: %s", item.path, item.reason)
    table = stated_values()
    found = [one for stated in table for one in _verdicts(stated, table, reading.records)]
    if all(one.verdict == NOT_MEASURED for one in found):
        raise StoreError(
            f"{results} holds no record of a stated value; type salon sweep "
            f"experiment=reference_values paths.results={results}"
        )
    return found


def sound(found: Sequence[Verdict]) -> bool:
    """Whether every value that was measured agrees, and at least one was."""
    seen = {one.verdict for one in found} - {NOT_MEASURED}
    return seen == {AGREES}


def table(found: Sequence[Verdict]) -> str:
    """Ours beside the stated value, the sources below, and a last line that counts."""
    rows = [HEADS, *(_cells(one) for one in found)]
    sources = dict.fromkeys(one.stated.source for one in found)
    counts = ", ".join(
        f"{sum(one.verdict == verdict for one in found)} {verdict}"
        for verdict in (AGREES, DIFFERS, NOT_COMPARABLE, NOT_MEASURED)
    )
    return "\n".join([align(rows), *(f"source: {source}" for source in sources), counts])


def _verdicts(
    stated: StatedValue, table: Sequence[StatedValue], records: Sequence[Stored]
) -> Iterator[Verdict]:
    """Records that fit; where there are none, those that fit no line of the table say why not."""
    own = [stored for stored in records if stated.is_of(stored.record)]
    fitting = [stored for stored in own if stated.fits(stored.record)]
    strays = [stored for stored in own if not any(one.fits(stored.record) for one in table)]
    if not fitting and not strays:
        yield Verdict(stated, NOT_MEASURED)
    yield from (_verdict(stated, stored) for stored in fitting or strays)


def _verdict(stated: StatedValue, stored: Stored) -> Verdict:
    measured = measurement(stored, stated.score)
    obstacle = stated.obstacle(stored.record)
    if obstacle:
        return Verdict(stated, NOT_COMPARABLE, measured.value, obstacle)
    if measured.value is None:
        return Verdict(stated, DIFFERS, None, measured.undefined or "")
    agrees = abs(measured.value - stated.stated) <= stated.tolerance
    reason = stated.other_weights(stored.record) or ""
    return Verdict(stated, AGREES if agrees else DIFFERS, measured.value, reason)


def _cells(one: Verdict) -> tuple[str, ...]:
    stated, ours = one.stated, one.ours
    gap = "" if ours is None else f"{ours - stated.stated:+.3g}"
    value = "" if ours is None else f"{ours:.7g}"
    return (
        one.verdict,
        stated.cell,
        value,
        f"{stated.stated:.7g}",
        gap,
        f"{stated.tolerance:g}",
        one.reason,
    )
