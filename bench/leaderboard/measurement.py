"""One score of one record, with only finite numbers in it."""

import math
from dataclasses import dataclass

from bench.leaderboard.stored import Stored


@dataclass(frozen=True)
class Measurement:
    """What one record says of one score.

    Attributes:
        seed: the run's seed, and a random backbone's after a slash.
        value: finite, or None where `undefined` says why.
        standard_error: one standard error, or None.
        interval: the 95 % interval, or None.
        interval_method: how it was made, or None.
        undefined: why there is no value, or None.
        path: the record's file, relative to the results folder.
        bias: what finite counts add to the expected value, where the metric knows it.
        replicate: equal where another seed has looked at the same images.
    """

    seed: str
    value: float | None
    standard_error: float | None
    interval: tuple[float, float] | None
    interval_method: str | None
    undefined: str | None
    path: str
    bias: float | None = None
    replicate: str = ""


def measurement(stored: Stored, score: str) -> Measurement:
    """Read one score; NaN and infinity count as undefined, never as a number."""
    content = stored.record.scores[score]
    value = _finite(content["value"])
    reason = None if value is not None else _reason(content)
    low, high = map(_finite, content.get("interval") or (None, None))
    return Measurement(
        seed="/".join(str(seed) for seed in stored.seeds if seed is not None),
        value=value,
        standard_error=_finite(content.get("standard_error")),
        interval=None if low is None or high is None else (low, high),
        interval_method=content.get("interval_method"),
        undefined=reason,
        path=stored.path,
        bias=_finite(content.get("bias")),
        replicate=stored.replicate,
    )


def _reason(content: dict[str, object]) -> str:
    given = content.get("undefined")
    if given:
        return str(given)
    return "no reason given" if content["value"] is None else "not a finite number"


def _finite(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(value)
