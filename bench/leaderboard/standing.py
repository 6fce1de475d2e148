"""Where a generator stands in a column: its rank, how sure that is, and with whom it ties."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rival:
    """Another generator, next to this one in rank.

    Attributes:
        name: its row's.
        probability: that this one is better than it; None where the pair is unknown.
        kind: paired, independent, seeds or unknown.
    """

    name: str
    probability: float | None
    kind: str


@dataclass(frozen=True)
class Standing:
    """One generator in one column.

    Attributes:
        rank: 1 + how many values are better.
        interval: lowest and highest rank that the comparisons allow; None where nothing is known.
        tie_group: 1 for the best and all that it is not surely better than.
        rivals: the next better and the next worse generator.
    """

    rank: int
    interval: tuple[int, int] | None
    tie_group: int
    rivals: tuple[Rival, ...] = ()


@dataclass(frozen=True)
class Comparisons:
    """All pairs of a column's generators.

    Attributes:
        generators: names, best first; rows and columns of the tables below are in this order.
        kinds: of each pair.
        probability: row better than column; None where the pair is unknown.
        standard_error: of the difference; None where unknown.
    """

    generators: tuple[str, ...]
    kinds: list[list[str | None]]
    probability: list[list[float | None]]
    standard_error: list[list[float | None]]
