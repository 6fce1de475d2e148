"""Which images stand at the two ends of a per-image score: one rule for pictures and for tables."""

import math
from collections.abc import Iterable, Mapping, Sequence

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


def ends(values: Sequence[float]) -> tuple[list[int], list[int]] | None:
    """The places of the COUNT lowest and COUNT highest values, the utmost first.

    Equal values stand in the order of the images. NaN and infinity are left out.

    Returns:
        None where fewer than twice COUNT different values are known: 0 and 1 order no images.
    """
    known = [place for place, value in enumerate(values) if math.isfinite(value)]
    if len({values[place] for place in known}) < 2 * COUNT:
        return None
    ordered = sorted(known, key=values.__getitem__)
    return ordered[:COUNT], ordered[: -COUNT - 1 : -1]


def _wanted(name: str, better: Mapping[str, str]) -> bool:
    if name.endswith(ENDING):
        return better.get(name.removesuffix(ENDING)) == "lower"
    return name not in NO_SCORES
