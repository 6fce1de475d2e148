"""The generated images at the two ends of each per-image score, by name."""

import math
from dataclasses import dataclass

from bench.leaderboard.beside import table
from bench.leaderboard.stored import Stored

COUNT = 6
ENDING = "_influence"
DISTANCES = ("nearest_real_distance", "nearest_train_distance", "cosine_distance")
ENDS = {
    "rarity": ("Most common", "Rarest"),
    "realism": ("Least realistic", "Most realistic"),
    "density": ("In the sparsest places", "In the densest places"),
} | dict.fromkeys(DISTANCES, ("Nearest to a real image", "Farthest from real images"))
NEAREST = "nearest_real"


@dataclass(frozen=True)
class ScoredImage:
    """One generated image: its name, its score, and the real image nearest to it or ""."""

    name: str
    score: float
    nearest: str


@dataclass(frozen=True)
class Extreme:
    """One end of one per-image score: what the images there are, and they, the utmost first."""

    metric: str
    column: str
    title: str
    images: tuple[ScoredImage, ...]


def extremes(stored: Stored) -> list[Extreme]:
    """Both ends of every column of the record's table that orders the images.

    A column orders them where it has at least twice COUNT values: 0 and 1 do not. Of influences,
    those on distances only (fid, kid): what lowers a share of images is that score itself.
    """
    cells = table(stored, "images")
    if not {"image", "side"} <= set(cells):
        return []
    columns = [name for name in sorted(cells) if _wanted(stored, name)]
    return [end for column in columns for end in _ends(stored, cells, column)]


def _wanted(stored: Stored, column: str) -> bool:
    if column.endswith(ENDING):
        score = stored.record.scores.get(column.removesuffix(ENDING), {})
        return score.get("better") == "lower"
    return column not in ("image", "side", NEAREST)


def _ends(stored: Stored, cells: dict[str, list[str]], column: str) -> list[Extreme]:
    images = _scored(cells, column)
    if len({image.score for image in images}) < 2 * COUNT:
        return []
    images.sort(key=lambda image: image.score)  # stable: equal scores in the order of the table
    low, high = _titles(column)
    metric = stored.record.metric["name"]
    return [
        Extreme(metric, column, low, tuple(images[:COUNT])),
        Extreme(metric, column, high, tuple(reversed(images[-COUNT:]))),
    ]


def _scored(cells: dict[str, list[str]], column: str) -> list[ScoredImage]:
    """The generated images with a finite score."""
    nearest = cells.get(NEAREST, [""] * len(cells["image"]))
    rows = zip(cells["image"], cells["side"], cells[column], nearest, strict=True)
    found = [(name, _number(text), real) for name, side, text, real in rows if side == "fake"]
    return [ScoredImage(*one) for one in found if math.isfinite(one[1])]


def _titles(column: str) -> tuple[str, str]:
    if column.endswith(ENDING):
        score = column.removesuffix(ENDING)
        return f"Lower {score} most", f"Hurt {score} most"
    return ENDS.get(column, (f"Lowest {column}", f"Highest {column}"))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
