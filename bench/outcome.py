"""What a metric returned, checked against what it declares, as the entries of a record."""

import math
from collections.abc import Mapping
from typing import Any

from bench.errors import UndefinedError
from metrics.metric import Better, Estimate, Outcome


def as_outcome(result: Mapping[str, float] | Outcome, declared: Mapping[str, Better]) -> Outcome:
    """Plain floats become estimates; names must be the declared ones.

    Raises:
        UndefinedError: if a score is NaN or infinite without a reason, or its error bar is, or a
            name is not declared.
    """
    if not isinstance(result, Outcome):
        result = Outcome({name: Estimate(float(value)) for name, value in result.items()})
    if result.scores.keys() != declared.keys():
        raise UndefinedError(
            f"the metric gave {sorted(result.scores)}, and declares {sorted(declared)}."
        )
    for name, estimate in result.scores.items():
        if not math.isfinite(estimate.value) and estimate.undefined is None:
            raise UndefinedError(f"{name} is {estimate.value}, and the metric does not say why.")
        if not all(map(math.isfinite, _errors(estimate))):
            raise UndefinedError(
                f"{name} is {estimate.value}, with an error bar that is not finite."
            )
    return result


def _errors(estimate: Estimate) -> list[float]:
    known = [estimate.standard_error, estimate.bias, *(estimate.interval or ())]
    return [value for value in known if value is not None]


def score_entries(outcome: Outcome, declared: Mapping[str, Better]) -> dict[str, dict[str, Any]]:
    """Score name -> the entry of a record; an undefined score has value None and its reason."""
    return {name: _entry(estimate, declared[name]) for name, estimate in outcome.scores.items()}


def _entry(estimate: Estimate, better: Better) -> dict[str, Any]:
    undefined = estimate.undefined is not None
    return {
        "value": None if undefined else float(estimate.value),
        "standard_error": estimate.standard_error,
        "interval": list(estimate.interval) if estimate.interval else None,
        "interval_method": estimate.interval_method,
        "better": better.value,
        "undefined": estimate.undefined,
        **({} if estimate.bias is None else {"bias": estimate.bias}),
    }
