"""The generated images at the two ends of each per-image score: names, and pictures if any."""

import math
from dataclasses import dataclass, replace

from bench.ends import COUNT, ENDING, columns_with_ends, ends
from bench.leaderboard.beside import table
from bench.leaderboard.pictures import Picture, picture_of
from bench.leaderboard.stored import Stored

ROLE = "extremes"
DISTANCES = ("nearest_real_distance", "nearest_train_distance", "cosine_distance")
ENDS = {
    "rarity": ("Most common", "Rarest"),
    "realism": ("Least realistic", "Most realistic"),
    "distance_to_centre": ("Nearest to the centre", "Farthest from the centre"),
    "density": ("In the sparsest places", "In the densest places"),
} | dict.fromkeys(DISTANCES, ("Nearest to a real image", "Farthest from real images"))


@dataclass(frozen=True)
class ScoredImage:
    """One generated image: its name, its score, and the real image nearest to it or ""."""

    name: str
    score: float
    nearest: str


@dataclass(frozen=True)
class Strip:
    """A row of a picture of such rows: its top and its height, in pixels."""

    picture: Picture
    top: int
    height: int


@dataclass(frozen=True)
class Extreme:
    """One end of one per-image score: what the images there are, and they, the utmost first."""

    metric: str
    column: str
    title: str
    images: tuple[ScoredImage, ...]
    strip: Strip | None = None


def extremes(stored: Stored) -> list[Extreme]:
    """Both ends of every column of the record's table that has ends."""
    cells = _fakes(table(stored, "images"))
    better = {name: one["better"] for name, one in stored.record.scores.items()}
    found = [
        end
        for column in columns_with_ends(cells, better)
        for end in _ends(stored.record.metric["name"], cells, column)
    ]
    return _with_strips(found, picture_of(stored, ROLE))


def _fakes(cells: dict[str, list[str]]) -> dict[str, list[str]]:
    """The rows of the generated images; empty where the table is none of images."""
    if not {"image", "side"} <= set(cells):
        return {}
    kept = [at for at, side in enumerate(cells["side"]) if side == "fake"]
    return {name: [column[at] for at in kept] for name, column in cells.items()}


def _ends(metric: str, cells: dict[str, list[str]], column: str) -> list[Extreme]:
    values = [_number(text) for text in cells[column]]
    nearest = cells.get("nearest_real", [""] * len(values))
    return [
        Extreme(
            metric,
            column,
            title,
            tuple(ScoredImage(cells["image"][at], values[at], nearest[at]) for at in places),
        )
        for title, places in zip(_titles(column), ends(values) or (), strict=False)
    ]


def _with_strips(found: list[Extreme], picture: Picture | None) -> list[Extreme]:
    """The job drew one row per end, in this order; a picture of another shape is not shown."""
    if picture is None or not found or picture.height % len(found) or picture.width % COUNT:
        return found
    height = picture.height // len(found)
    return [replace(end, strip=Strip(picture, at * height, height)) for at, end in enumerate(found)]


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
