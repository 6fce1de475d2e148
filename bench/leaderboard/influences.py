"""What every image adds to a score, read from the table beside a record."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas
from numpy.typing import NDArray

from bench.leaderboard.beside import artifact, path_beside, table
from bench.leaderboard.extremes import Extreme, ends_of
from bench.leaderboard.stored import LeftOut, Stored

ROLE = "images"
ENDING = "_influence"
MORE = ("U-statistic", "and subsets")  # errors that are not the variance of influences alone
SAME, ALIKE = 1e-3, 4.0  # how far the table's error may be from the record's: relative, factor


@dataclass(frozen=True)
class Influences:
    """One record's.

    Attributes:
        reference: hash of the reference images' names, in their order.
        real: score -> (N,) float32, for the scores that depend on the reference images.
        error: score -> the standard error that the influences of both sides make.
    """

    reference: str
    real: dict[str, NDArray[np.float32]]
    error: dict[str, float]


class Tables:
    """The tables of one board's records, each read once, and only when a comparison needs it.

    Memory holds four bytes per generator, score and reference image of one metric: tables of one
    comparison are kept until another one is asked for.
    """

    def __init__(self, records: Sequence[Stored]) -> None:
        """Reads nothing yet."""
        self._faults: dict[str, LeftOut] = {}
        self._records = {stored.path: stored for stored in records}
        self._kept: dict[str, Influences | None] = {}
        self._ends: dict[str, list[Extreme]] = {}
        self._key = ""

    def of(self, path: str) -> Influences | None:
        """The influences beside a record; None where there are none, or none to rely on."""
        stored = self._records[path]
        if stored.record.comparison_key != self._key:
            self._key, self._kept = stored.record.comparison_key, {}
        if path not in self._kept:
            self._kept[path] = self._read(stored)
        return self._kept[path]

    @property
    def faults(self) -> tuple[LeftOut, ...]:
        """The tables that could not be used, by path."""
        return tuple(self._faults[path] for path in sorted(self._faults))

    @property
    def ends(self) -> dict[str, list[Extreme]]:
        """Record's path -> the images at the ends of its scores, of the tables that were read.

        They are few, and another reading of a large table is dear.
        """
        return self._ends

    def _read(self, stored: Stored) -> Influences | None:
        if ROLE not in stored.record.artifacts:
            return None
        try:
            images = table(artifact(stored, ROLE))
            self._ends[stored.path] = ends_of(stored, images)
            return influences(stored, images)
        except ValueError as error:  # it is unfit, fails to parse, or fails a check below
            path = path_beside(stored, ROLE)
            reason = " ".join(str(error).split())
            self._faults[path] = LeftOut(path, f"{reason}; its record is compared as independent")
            return None


def influences(stored: Stored, images: pandas.DataFrame) -> Influences:
    """Check a record's table of images.

    Raises:
        ValueError: if it is no table of this record: other counts, gaps, another standard error.
    """
    sides = _sides(images)
    _check_counts(stored, sides)
    names = "\n".join(map(str, sides["real"]["image"]))
    found = Influences(hashlib.sha256(names.encode()).hexdigest(), {}, {})
    for column in images.columns[images.columns.str.endswith(ENDING)]:
        score = column.removesuffix(ENDING)
        if stored.record.scores.get(score, {}).get("better", "neither") != "neither":
            _add(found, stored, score, {side: part[column] for side, part in sides.items()})
    return found


def _sides(table: pandas.DataFrame) -> dict[str, pandas.DataFrame]:
    """The rows of either side; nothing where the table has no sides."""
    if not {"image", "side"} <= set(table.columns):
        return {}
    return {side: table[(table["side"] == side).to_numpy()] for side in ("real", "fake")}


def _check_counts(stored: Stored, sides: dict[str, pandas.DataFrame]) -> None:
    """A metric that looks at one side only has no rows of the other."""
    wanted = {"real": stored.record.num_real, "fake": stored.record.num_fake}
    found = {side: len(rows) for side, rows in sides.items()}
    if any(found.get(side) not in (0, wanted[side]) for side in wanted) or not any(found.values()):
        raise ValueError(f"holds rows {found}, expected {wanted}")


def _add(found: Influences, stored: Stored, score: str, columns: dict[str, pandas.Series]) -> None:
    """Take one score's columns over, if they fit the record's own standard error."""
    sides = {
        side: column.to_numpy(np.float64)
        for side, column in columns.items()
        if column.notna().any()
    }
    content = stored.record.scores[score]
    own = content.get("standard_error")
    if not own or len(sides) < 2:
        return  # no error to compare with, or nothing that two generators share
    error = math.sqrt(sum(float(of.var(ddof=1)) / len(of) for of in sides.values()))
    more = any(word in str(content.get("interval_method")) for word in MORE)
    low, high = (1 / ALIKE, ALIKE) if more else (1 - SAME, 1 + SAME)
    if not low < error / own < high:  # also where a gap makes it NaN
        raise ValueError(f"makes {score} ± {error:.5g}, its record says {own:.5g}")
    found.real[score] = sides["real"].astype(np.float32)
    found.error[score] = error
