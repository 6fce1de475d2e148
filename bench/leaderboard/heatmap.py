"""A table of rank correlations, coloured by their size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.leaderboard.cell_text import DASH
from bench.leaderboard.kendall import Floats

SHADES = 4  # to either side of none
LEAST = 3  # rows: two are in the same order or not, and nothing else


@dataclass(frozen=True)
class Square:
    """One cell: its text, its shade as a class of the style, and its hint; "" for none."""

    text: str
    shade: str
    hint: str


@dataclass(frozen=True)
class Heatmap:
    """The table; names label its rows and its columns alike."""

    title: str
    caption: str
    names: tuple[str, ...]
    squares: tuple[tuple[Square, ...], ...]


def heatmap(
    title: str,
    caption: str,
    names: Sequence[str],
    values: Floats,
    hints: Mapping[tuple[int, int], str],
) -> Heatmap:
    """Colour a (c, c) table; NaN becomes a dash. Hints are by row and column."""
    squares = [
        tuple(_square(value, hints.get((at, to), "")) for to, value in enumerate(row))
        for at, row in enumerate(values)
    ]
    return Heatmap(title, caption, tuple(names), tuple(squares))


def _square(value: float, hint: str) -> Square:
    if not math.isfinite(value):
        return Square(DASH, "", hint)
    level = round(value * SHADES)
    return Square(f"{value + 0.0:.2f}".replace("-0.00", "0.00"), f"tau{level}", hint)
