"""Competition ranks, as sports have them."""

from collections.abc import Sequence


def competition_ranks(values: Sequence[float], better: str) -> list[int]:
    """1 + how many values are better; equal values share a rank ("1224").

    Args:
        values: finite numbers.
        better: "lower" or "higher".
    """
    first: dict[float, int] = {}
    for position, value in enumerate(sorted(values, reverse=better == "higher"), start=1):
        first.setdefault(value, position)
    return [first[value] for value in values]
