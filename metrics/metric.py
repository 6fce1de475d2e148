"""What every metric is: named inputs in, named scores out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor


class Better(Enum):
    """The direction in which a score improves."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


@dataclass(frozen=True)
class Estimate:
    """One score with what is known of its uncertainty.

    Attributes:
        value: the score; NaN only where `undefined` says why.
        standard_error: one standard error of `value`, in its own unit.
        interval: the 95 % interval (low, high).
        interval_method: how the interval was made, in a few words.
        undefined: why there is no value, e.g. "no generated image lies in a real ball".
        bias: what finite sample counts add to the expected value, as far as known; in the value's
            unit, and not taken off.
    """

    value: float
    standard_error: float | None = None
    interval: tuple[float, float] | None = None
    interval_method: str | None = None
    undefined: str | None = None
    bias: float | None = None


@dataclass(frozen=True)
class Outcome:
    """Everything one metric measured.

    Attributes:
        scores: score name -> estimate, the names that the class declares.
        per_image: side ("real" or "fake") -> column name -> (n,) tensor; NaN where undefined. A
            column `<score>_influence` holds what each image adds to a score (mean 0 over a side);
            its variances make standard errors, also those of differences (`metrics.paired`).
        nearest_real: (M,) int64, index of the real image nearest to each fake; None if not known.
        curves: curve name -> column name -> (n,) tensor, columns of equal length.
        flags: counts worth a reader's attention, e.g. {"zero_radii": 3}; zero counts are left out.
    """

    scores: dict[str, Estimate]
    per_image: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    nearest_real: Tensor | None = None
    curves: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    flags: dict[str, int] = field(default_factory=dict)


class Metric(Protocol):
    """A frozen dataclass whose fields are the protocol's parameters.

    `compute` names its inputs as keyword arguments; the names that exist are the properties of
    `bench.inputs.Inputs` (real, fake, real_logits, fake_logits, holdout, rng, ...).

    A metric that needs no more of the reference than its moments has a second method,
    `compute_given_moments`, which names `real_moments` or `real_spatial_moments` instead.
    """

    scores: ClassVar[dict[str, Better]]
    version: ClassVar[int] = 1  # raise it when the same inputs give another score

    def compute(self, **inputs: Any) -> Mapping[str, float] | Outcome:
        """Measure; plain floats are enough for a metric without error bars."""


def check_features(*, minimum: int = 1, **sides: Tensor) -> None:
    """Refuse features that no score can be computed from.

    Args:
        minimum: rows that each side needs.
        **sides: name -> (N, D) floating-point tensor; all must have one width.

    Raises:
        ValueError: if a side is not a 2-D floating-point tensor, has too few rows, holds NaN or
            infinity (the first such row is named), or the widths differ.
    """
    for side, rows in sides.items():
        _check_side(side, rows, minimum)
    widths = {side: rows.shape[1] for side, rows in sides.items()}
    if len(set(widths.values())) > 1:
        found = " and ".join(f"{side} has {width}" for side, width in widths.items())
        raise ValueError(f"feature widths differ: {found}; both must come from one backbone.")


def check_range(**sides: Tensor) -> None:
    """Refuse features whose fourth powers leave the range of float64.

    Raises:
        ValueError: naming the side and its largest value.
    """
    for side, rows in sides.items():
        largest = float(rows.abs().max()) if rows.numel() else 0.0
        if largest > 1e70 or 0 < largest < 1e-70:
            raise ValueError(
                f"{side}: features reach {largest:.3g}, expected 1e-70 to 1e70. "
                "Multiply both sides by one constant."
            )


def _check_side(side: str, rows: Tensor, minimum: int) -> None:
    if rows.requires_grad:
        raise ValueError(f"{side}: found features that require a gradient; pass {side}.detach().")
    if rows.ndim != 2 or not rows.is_floating_point() or not rows.shape[1]:
        raise ValueError(
            f"{side}: found {rows.dtype} of shape {tuple(rows.shape)}, "
            "expected floating-point features of shape (N, D), D >= 1."
        )
    if rows.shape[0] < minimum:
        raise ValueError(
            f"{side}: found {rows.shape[0]} rows, this metric needs at least {minimum}."
        )
    if torch.isfinite(rows.sum()):
        return  # NaN and infinity would show in the sum, at a tenth of the cost; it may overflow
    finite = torch.isfinite(rows).all(dim=1)
    if not finite.all():
        row = int((~finite).nonzero()[0])
        raise ValueError(
            f"{side}: {int((~finite).sum())} of {len(rows)} rows hold NaN or infinity, "
            f"the first is row {row}."
        )
