"""Refuses parameters that no data could make sense of.

Metrics ask when they are made, so that a wrong number ends before the work; the plain functions
ask when they are called. `expected` in a message is what the caller may type instead.
"""

from math import inf


def at_least(least: float, hint: str = "", **values: float) -> None:
    """Refuse values below a limit, and NaN.

    Args:
        least: the smallest value that will do.
        hint: what is usual, for the message.
        **values: name -> value.

    Raises:
        ValueError: naming the first value that is too small.
    """
    for name, value in values.items():
        if not value >= least:
            raise ValueError(f"{name} is {value}, expected {least} or more{_after(hint)}.")


def within(low: float, high: float, hint: str = "", **values: float) -> None:
    """Refuse values outside [low, high], and NaN.

    Raises:
        ValueError: naming the first value outside.
    """
    for name, value in values.items():
        if not low <= value <= high:
            raise ValueError(f"{name} is {value}, expected {low} to {high}{_after(hint)}.")


def above_zero(hint: str = "", most: float = inf, **values: float) -> None:
    """Refuse values outside (0, most], and NaN.

    Raises:
        ValueError: naming the first value outside.
    """
    limit = "" if most == inf else f" and at most {most:g}"
    for name, value in values.items():
        if not 0 < value <= most:
            raise ValueError(f"{name} is {value}, expected more than 0{limit}{_after(hint)}.")


def divisor(ddof: int) -> None:
    """Refuse a ddof that belongs to no covariance or deviation in use.

    Raises:
        ValueError: if it is neither 0 nor 1.
    """
    if ddof not in (0, 1):
        raise ValueError(f"ddof is {ddof}, expected 0 (divide by N) or 1 (divide by N - 1).")


def _after(hint: str) -> str:
    return f"; {hint}" if hint else ""
