"""The generated images at the two ends of each per-image score: names, and pictures if any."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas
from numpy.typing import NDArray

from bench.ends import COUNT, ENDING, columns_with_ends, ends
from bench.leaderboard.beside import table, usable
from bench.leaderboard.pictures import Picture, picture_of
from bench.leaderboard.stored import Stored

ROLES = ("extremes", "nearest")  # pictures of these images, and of the real ones nearest to them
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
    """One end of one per-image score: what the images there are, and they, the utmost first.

    Attributes:
        metric, column: of the score.
        title: what the images there are.
        images: they, the utmost first.
        strip: a picture of them; None where the job made none.
        nearest: a picture of the real image nearest to each, in the same order; None where the
            job made none.
    """

    metric: str
    column: str
    title: str
    images: tuple[ScoredImage, ...]
    strip: Strip | None = None
    nearest: Strip | None = None

    @property
    def strips(self) -> list[tuple[str, Strip]]:
        """The pictures that there are, each with what it shows."""
        named = ((self.title, self.strip), ("The real image nearest to each", self.nearest))
        return [(name, strip) for name, strip in named if strip]

    @property
    def is_distance(self) -> bool:
        """Whether the score is the distance to the nearest real image itself."""
        return self.column in DISTANCES


def extremes(stored: Stored, found: Sequence[Extreme] | None = None) -> list[Extreme]:
    """Both ends of every column of the record's table that has ends, with their pictures.

    Args:
        stored: the record.
        found: its `ends_of`, where somebody has read the table already.
    """
    known = _read(stored) if found is None else found
    drawn = (_strips(len(known), picture_of(stored, role)) for role in ROLES)
    return [
        replace(end, strip=strip, nearest=nearest)
        for end, strip, nearest in zip(known, *drawn, strict=True)
    ]


def ends_of(stored: Stored, images: pandas.DataFrame) -> list[Extreme]:
    """The ends without pictures; none where the table is none of images."""
    if not {"image", "side"} <= set(images):
        return []
    fakes = images[(images["side"] == "fake").to_numpy()]
    better = {name: one["better"] for name, one in stored.record.scores.items()}
    return [
        end
        for column in columns_with_ends(fakes, better)
        for end in _ends(stored.record.metric["name"], fakes, column)
    ]


def _read(stored: Stored) -> list[Extreme]:
    data = usable(stored, "images")
    try:
        return ends_of(stored, table(data)) if data else []
    except ValueError:
        return []


def _ends(metric: str, images: pandas.DataFrame, column: str) -> list[Extreme]:
    values = pandas.to_numeric(images[column], errors="coerce").to_numpy(np.float64)
    return [
        Extreme(metric, column, title, _scored(images.iloc[places], values[places]))
        for title, places in zip(_titles(column), ends(values) or (), strict=False)
    ]


def _strips(count: int, picture: Picture | None) -> Sequence[Strip | None]:
    """The job drew one row per end, in their order; a picture of another shape is not shown."""
    if picture is None or not count or picture.height % count or picture.width % COUNT:
        return [None] * count
    height = picture.height // count
    return [Strip(picture, at * height, height) for at in range(count)]


def _scored(images: pandas.DataFrame, values: NDArray[np.float64]) -> tuple[ScoredImage, ...]:
    nearest = images["nearest_real"].fillna("") if "nearest_real" in images else [""] * len(images)
    return tuple(map(ScoredImage, images["image"], values.tolist(), nearest))


def _titles(column: str) -> tuple[str, str]:
    if column.endswith(ENDING):
        score = column.removesuffix(ENDING)
        return f"Lower {score} most", f"Hurt {score} most"
    return ENDS.get(column, (f"Lowest {column}", f"Highest {column}"))
