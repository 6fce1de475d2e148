"""Kendall's rank correlation of every two columns of a table with gaps."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def kendall(values: Floats, least: int = 2) -> Floats:
    """Tau-b of every two columns, over the rows that both have.

    tau = (concordant - discordant) / sqrt(pairs untied in one x pairs untied in the other). All
    columns at once, one row against all later ones at a time: memory stays O(n c).

    Args:
        values: (n, c), NaN where there is no value.
        least: rows that two columns must share.

    Returns:
        (c, c), in [-1, 1]; NaN where a column has no two different values among the shared rows,
        or these are too few.

    Source: M. Kendall, "The treatment of ties in ranking problems", Biometrika 1945.
    """
    columns = values.T
    score, untied = np.zeros((2, len(columns), len(columns)))
    for row in range(columns.shape[1] - 1):
        step = columns[:, row + 1 :] - columns[:, row : row + 1]
        known = np.isfinite(step)
        sign = np.where(known, np.sign(np.where(known, step, 0.0)), 0.0)
        score += sign @ sign.T
        untied += np.abs(sign) @ known.T.astype(float)
    scale = np.sqrt(untied * untied.T)
    has = np.isfinite(columns).astype(float)
    enough = (scale > 0) & (has @ has.T >= least)
    return np.divide(score, scale, out=np.full_like(score, np.nan), where=enough)
