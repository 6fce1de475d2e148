"""Which images stand at the two ends of a per-image score: one rule for pictures and for tables."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

COUNT = 6
ENDING = "_influence"
NO_SCORES = ("image", "side", "nearest_real")


def columns_with_ends(names: Iterable[str], better: Mapping[str, str]) -> list[str]:
    """The columns whose ends are worth a look, sorted.

    Of influences, those on distances only (fid, kid): what lowers a share of images is that score
    itself.

    Args:
        names: of the columns of a per-image table.
        better: score -> "lower", "higher" or "neither".
    """
    return [name for name in sorted(names) if _wanted(name, better)]


def ends(values: NDArray[np.float64]) -> tuple[list[int], list[int]] | None:
    """The places of the COUNT lowest and COUNT highest values, the utmost first.

    Equal values stand in the order of the images. NaN and infinity are left out.

    Args:
        values: (N,) float64.

    Returns:
        None where fewer than twice COUNT different values are known: 0 and 1 order no images.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(np.unique(values[known])) < 2 * COUNT:
        return None
    ordered = known[np.argsort(values[known], kind="stable")].tolist()
    return ordered[:COUNT], ordered[: -COUNT - 1 : -1]


def _wanted(name: str, better: Mapping[str, str]) -> bool:
    if name.endswith(ENDING):
        return better.get(name.removesuffix(ENDING)) == "lower"
    return name not in NO_SCORES
