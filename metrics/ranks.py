"""Ranks with intervals and tie groups, from all pairs of generators under one score."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from metrics.pairwise import Estimates, Floats, Places, lead

ALPHA = 0.05
Counts = NDArray[np.signedinteger[Any]]


@dataclass(frozen=True)
class Ranks:
    """Where n generators stand under one score.

    Attributes:
        order: (n,) the generators, best first; equal ones as they were given.
        low, high: (n,) the ends of the rank's interval; 0 where there is none.
        group: (n,) tie group, 1 for that of the best.
    """

    order: Places
    low: Counts
    high: Counts
    group: Counts


def ranks(of: Estimates) -> Ranks:
    """Rank intervals that hold with 95 % for all generators at once, and tie groups.

    A generator is surely better than another if the one-sided test of their difference rejects
    among those of all pairs, both ways, at 5 % by Holm's method: the chance that one or more of
    these verdicts is wrong is at most 5 %, however the scores depend on each other. The rank lies
    from 1 + (how many are surely better) to n - (how many are surely worse). Without a second
    generator of known error there is no verdict and no interval; one of unknown error has none,
    and counts as undecided for the others.

    The best generator opens a tie group; all that it is not surely better than go with it, then
    the best of the rest opens the next. Equal scores go together; unknown errors tie no others.

    Source: M. Mogstad, J. Romano, A. Shaikh, D. Wilhelm, "Inference for Ranks", Review of Economic
    Studies, 2024 (intervals from pairwise tests, simultaneous); S. Holm, 1979.
    Differs: the paper takes critical values from a bootstrap of the largest difference; Holm's
    need no joint distribution, and are wider. Holds where the scores' own errors do.
    """
    order = np.argsort(-of.merit, kind="stable")
    one = of.take(order)
    known = np.flatnonzero(np.isfinite(one.error))
    leads = _leads(one, known)
    bound = holm_bound(leads)
    low, high = _intervals(len(order), known, leads, bound)
    groups = _groups(one.merit, known, leads, bound)
    return Ranks(order, *(_back(sorted_, order) for sorted_ in (low, high, groups)))


def holm_bound(leads: Sequence[Floats], alpha: float = ALPHA) -> float:
    """The lead, in standard errors, from which a difference is sure.

    Holm's steps: alpha is shared by the hypotheses not yet rejected. Each step rejects all that it
    can, which ends where one at a time would.

    Args:
        leads: leads >= 0, one per pair; the opposite of each is a hypothesis too, never rejected.
        alpha: chance of one or more wrong rejections.
    """
    total, rejected = 2 * sum(map(len, leads)), 0
    while total:
        bound = float(-ndtri(alpha / (total - rejected)))
        found = sum(int(np.count_nonzero(one >= bound)) for one in leads)
        if found == rejected:
            return bound
        rejected = found
    return np.inf


def _leads(one: Estimates, known: Places) -> list[Floats]:
    """Of each generator over all worse ones; float32, as there are n^2 / 2 of them."""
    return [lead(one, at, known[i + 1 :]).astype(np.float32) for i, at in enumerate(known)]


def _intervals(
    count: int, known: Places, leads: Sequence[Floats], bound: float
) -> tuple[Counts, Counts]:
    low, high = np.zeros(count, np.int64), np.zeros(count, np.int64)
    if len(known) < 2:
        return low, high
    low[known], high[known] = 1, count
    for i, ahead in enumerate(leads):
        sure = ahead >= bound
        high[known[i]] -= np.count_nonzero(sure)
        low[known[i + 1 :]] += sure
    return low, high


def _groups(merit: Floats, known: Places, leads: Sequence[Floats], bound: float) -> Counts:
    """Of generators sorted by merit, best first."""
    groups = np.zeros(len(merit), np.int64)
    values = np.cumsum(np.diff(merit, prepend=merit[:1]) != 0)  # the same number for equal scores
    rows = {int(at): i for i, at in enumerate(known)}
    number = 0
    for first in range(len(merit)):
        if groups[first]:
            continue
        number += 1
        joins = np.zeros(len(merit), bool)
        last = int(np.searchsorted(values, values[first], side="right"))
        joins[values[first]] = True
        for leader in range(first, last):
            if leader in rows:
                i = rows[leader]
                joins[values[known[i + 1 :][leads[i] < bound]]] = True
        groups[(groups == 0) & joins[values]] = number
    return groups


def _back(found: Counts, order: Places) -> Counts:
    given = np.empty_like(found)
    given[order] = found
    return given
