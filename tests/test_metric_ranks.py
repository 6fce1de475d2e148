"""Ranks with intervals and tie groups: what is sure, what is not, and that it is not too sure."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import ttest_ind_from_stats

from metrics.pairwise import (
    difference_error,
    estimates,
    lead,
    shared_covariance,
    superiority,
    with_zeros,
)
from metrics.ranks import holm_bound, ranks

UNKNOWN = float("nan")


def intervals(found):
    return list(zip(found.low.tolist(), found.high.tolist(), strict=True))


def test_sure_differences_make_ranks_and_unsure_ones_intervals():
    found = ranks(estimates([10.0, 9.5, 0.0], [1.0, 1.0, 1.0]))
    assert intervals(found) == [(1, 2), (1, 2), (3, 3)]
    assert found.group.tolist() == [1, 1, 2]
    assert found.order.tolist() == [0, 1, 2]


def test_two_generators_are_told_apart_at_the_usual_two_sided_5_percent():
    for gap, group in ((1.95, 1), (1.97, 2)):
        found = ranks(estimates([gap, 0.0], [0.6, 0.8]))
        assert found.group.tolist() == [1, group]


def test_the_bound_is_that_of_holm_taken_one_by_one():
    rng = np.random.default_rng(0)
    for count in (1, 3, 10, 45):
        leads = np.abs(rng.normal(size=count) * 3).astype(np.float32)
        ordered, bound = sorted(leads.tolist(), reverse=True), np.inf
        for rejected, one in enumerate([*ordered, 0.0]):
            bound = -ndtri(0.05 / (2 * count - rejected))
            if one < bound:
                break
        assert holm_bound([leads]) == pytest.approx(bound, rel=1e-12)


def test_ranks_of_equal_generators_are_hardly_ever_told_apart():
    rng = np.random.default_rng(1)
    wrong = sum(ranks(estimates(rng.normal(size=6), np.ones(6))).low.max() > 1 for _ in range(1000))
    assert 0.01 < wrong / 1000 < 0.065  # at most 5 %; 1,000 draws know it to 0.7 %


def test_rank_intervals_hold_for_all_generators_at_once():
    rng = np.random.default_rng(2)
    true = np.array([3.0, 2.0, 2.0, 0.0, -3.0])
    best, worst = np.array([1, 2, 2, 4, 5]), np.array([1, 3, 3, 4, 5])
    held = 0
    for _ in range(500):
        found = ranks(estimates(true + rng.normal(size=5), np.ones(5)))
        held += bool((found.low <= best).all() and (found.high >= worst).all())
    assert held / 500 > 0.94


def test_a_generator_without_error_is_undecided_and_ties_with_equal_values_only():
    found = ranks(estimates([5.0, 5.0, 0.0, 4.9], [UNKNOWN, 0.1, 0.1, UNKNOWN]))
    assert intervals(found) == [(0, 0), (1, 3), (2, 4), (0, 0)]
    assert found.group.tolist() == [1, 1, 3, 2]


def test_one_known_error_alone_compares_with_nothing():
    assert intervals(ranks(estimates([5.0, 4.0], [0.1, UNKNOWN]))) == [(0, 0), (0, 0)]
    assert intervals(ranks(estimates([5.0], [0.1]))) == [(0, 0)]


def test_ties_are_with_the_best_of_the_group_not_along_a_chain():
    merit = [4.0, 3.0, 2.0, 1.0, 0.0]  # each is unsure of the next, sure of the one after the next
    assert ranks(estimates(merit, [0.5] * 5)).group.tolist() == [1, 1, 2, 2, 3]


def test_a_worse_generator_of_larger_error_may_tie_where_a_better_one_does_not():
    assert ranks(estimates([10.0, 5.0, 4.0], [0.5, 0.5, 9.0])).group.tolist() == [1, 2, 1]


def test_the_order_in_which_generators_come_does_not_matter():
    rng = np.random.default_rng(3)
    merit, error = rng.normal(size=12).round(1) * 2, rng.uniform(0.1, 1, size=12)
    error[::5] = UNKNOWN
    here = ranks(estimates(merit, error))
    for _ in range(5):
        moved = rng.permutation(12)
        there = ranks(estimates(merit[moved], error[moved]))
        for name in ("low", "high", "group"):
            assert (getattr(there, name) == getattr(here, name)[moved]).all()


def test_what_the_reference_adds_to_both_scores_cancels():
    rng = np.random.default_rng(4)
    real = rng.normal(size=(3, 5000)).astype(np.float32) * 0.2 + rng.normal(size=5000)
    of = replace(
        estimates([0.0, 0.1, 0.2], real.std(1, ddof=1) / 5000**0.5),
        shared=with_zeros(shared_covariance(list(real))),
        place=np.array([0, 1, -1]),
    )
    wanted = ((real[0] - real[1]).var(ddof=1) / 5000) ** 0.5
    assert difference_error(of, 0, 1) == pytest.approx(wanted, rel=1e-4)  # influences are float32
    assert difference_error(of, 0, 2) == pytest.approx(np.hypot(*of.error[[0, 2]]))
    assert lead(of, 1, 0) == pytest.approx(0.1 / wanted, rel=1e-4)


def test_a_spread_over_few_seeds_is_judged_by_welch():
    of = replace(
        estimates([3.0, 1.0], np.array([1.0, 2.0]) / np.array([3, 5]) ** 0.5),
        freedom=np.array([2.0, 4.0]),
    )
    wanted = ttest_ind_from_stats(3, 1, 3, 1, 2, 5, equal_var=False, alternative="greater").pvalue
    assert superiority(lead(of, 0, 1)) == pytest.approx(1 - wanted, rel=1e-9)
    assert superiority(lead(of, 1, 0)) == pytest.approx(wanted, rel=1e-9)
