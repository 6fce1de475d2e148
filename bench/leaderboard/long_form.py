"""The records as one long table: a row per (record, score)."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas

from bench.leaderboard.measurement import measurement
from bench.leaderboard.stored import Stored
from bench.whole_record import NAMES

COLUMNS = (
    *NAMES,
    "score",
    "value",
    "standard_error",
    "low",
    "high",
    "better",
    "undefined",
    "num_real",
    "num_fake",
    "seed",
    "control",
    "comparison_key",
    "key",
    "path",
    "deviations",
)
TYPES = {  # also where a column is empty, or holds nothing but None
    **dict.fromkeys(("value", "standard_error", "low", "high"), "float64"),
    **dict.fromkeys(("num_fake", "seed"), "int64"),
    "num_real": "Int64",  # empty where a reference is moments of nobody knows how many images
    "control": "bool",
}
ORDER = (*NAMES, "score", "num_real", "num_fake", "seed", "comparison_key", "key", "path")


def long_form(records: Sequence[Stored]) -> pandas.DataFrame:
    """Columns as in COLUMNS; NaN in `value` where a score is undefined, the reason beside it."""
    frame = pandas.DataFrame(long_rows(records), columns=list(COLUMNS))
    return frame.astype(TYPES)


def long_rows(records: Sequence[Stored]) -> list[dict[str, Any]]:
    """The rows as dictionaries in the order of ORDER, None where there is nothing."""
    rows = [row for stored in records for row in _rows(stored)]
    return sorted(rows, key=lambda row: [(row[name] is not None, row[name]) for name in ORDER])


def _rows(stored: Stored) -> Iterator[dict[str, Any]]:
    record = stored.record
    shared = {role: getattr(record, role)["name"] for role in NAMES} | {
        "num_real": record.num_real,
        "num_fake": record.num_fake,
        "seed": record.seed,
        "control": stored.is_control,
        "comparison_key": record.comparison_key,
        "key": record.key,
        "path": stored.path,
        "deviations": "; ".join(map(str, record.deviations)),
    }
    for name, score in record.scores.items():
        yield shared | {"score": name, "better": score["better"]} | _measured(stored, name)


def _measured(stored: Stored, score: str) -> dict[str, Any]:
    found = measurement(stored, score)
    low, high = found.interval or (None, None)
    return {
        "value": found.value,
        "standard_error": found.standard_error,
        "low": low,
        "high": high,
        "undefined": found.undefined,
    }
