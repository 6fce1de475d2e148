import math

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from metrics.data_copying import DataCopying, Roles, data_copying, mann_whitney_z


def features(*, rows, width=8, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=draw, dtype=torch.float64)


def sides():
    return {
        "real": features(rows=400, seed=1),
        "fake": features(rows=300, seed=2) * 0.95 + 0.1,
        "holdout": features(rows=200, seed=3),
    }


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def literal_c_t(train, test, samples, *, seed, components=None):
    """The published procedure in scikit-learn and scipy."""
    if components is not None:
        fitted = PCA(components, svd_solver="full").fit(train)
        train, test, samples = (fitted.transform(side) for side in (train, test, samples))
    cut = KMeans(3, n_init=10, random_state=seed).fit(train)
    labels = [cut.predict(side) for side in (train, test, samples)]
    total, weights = 0.0, 0
    for cell in range(3):
        inside = [
            side[label == cell] for side, label in zip((train, test, samples), labels, strict=True)
        ]
        if len(inside[2]) <= 20:
            continue
        nearest = NearestNeighbors(n_neighbors=1).fit(inside[0])
        of_test, of_samples = (nearest.kneighbors(side)[0][:, 0] for side in inside[1:])
        u = mannwhitneyu(of_samples, of_test, alternative="less").statistic
        n, m = len(of_test), len(of_samples)
        z = (u - (n * m / 2 - 0.5)) / np.sqrt(n * m * (n + m + 1) / 12)
        total, weights = total + n * z, weights + n
    return total / weights


def seed_of(generator):
    return int(torch.randint(2**31 - 1, (), generator=generator))


def test_equals_the_published_procedure_in_scipy_and_sklearn():
    given = sides()
    train, samples, test = (given[side].numpy() for side in ("real", "fake", "holdout"))
    expected = literal_c_t(train, test, samples, seed=seed_of(rng()))
    assert data_copying(**given, rng=rng()) == pytest.approx(expected, rel=1e-9)


def test_wide_features_are_projected_as_by_sklearn():
    scale = torch.linspace(3, 0.2, 30, dtype=torch.float64)  # distinct variances: one basis
    given = {
        "real": features(rows=300, width=30, seed=1) * scale,
        "fake": features(rows=250, width=30, seed=2) * scale,
        "holdout": features(rows=200, width=30, seed=3) * scale,
    }
    train, samples, test = (given[side].numpy() for side in ("real", "fake", "holdout"))
    expected = literal_c_t(train, test, samples, seed=seed_of(rng()), components=5)
    assert data_copying(**given, rng=rng(), dimensions=5) == pytest.approx(expected, rel=1e-9)


def test_z_of_four_distances_by_hand():
    # samples 1, 3 exceed tests 2, 4 in one of four pairs: U = 1
    z, _ = mann_whitney_z(torch.tensor([1.0, 3.0]), torch.tensor([2.0, 4.0]))
    assert z == pytest.approx((1 - 1.5) / math.sqrt(2 * 2 * 5 / 12))


def test_ties_count_as_halves():
    z, error = mann_whitney_z(torch.ones(3), torch.ones(5))
    assert z == pytest.approx(0.5 / math.sqrt(3 * 5 * 9 / 12)) and error == 0


def test_error_is_the_spread_over_new_draws():
    draw = torch.Generator().manual_seed(0)
    found = [
        mann_whitney_z(torch.rand(80, generator=draw) + 0.2, torch.rand(60, generator=draw))
        for _ in range(300)
    ]
    values, errors = np.array(found).T
    # the spread of 300 draws is known to 4 %, so 15 % is more than three errors
    assert errors.mean() == pytest.approx(values.std(), rel=0.15)


def test_copies_are_far_below_zero_and_outliers_far_above():
    given = sides()
    copied = given["real"][:300] + 1e-6
    assert data_copying(**{**given, "fake": copied}, rng=rng()) < -8
    assert data_copying(**{**given, "fake": features(rows=300, seed=5) * 2}, rng=rng()) > 5


def test_fresh_draws_from_the_same_distribution_are_near_zero():
    given = {**sides(), "fake": features(rows=300, seed=4)}
    assert abs(data_copying(**given, rng=rng())) < 2


def test_cells_with_few_fakes_are_left_out_and_flagged():
    corners = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]], dtype=torch.float64)
    far = corners.repeat_interleave(60, 0)
    real, holdout = far + features(rows=180, width=2), far + features(rows=180, width=2, seed=1)
    fake = (far + features(rows=180, width=2, seed=2))[:140]  # 60, 60, 20
    found = DataCopying().compute(real=real, fake=fake, holdout=holdout, rng=rng())
    assert found.flags == {"cells_left_out": 1}
    assert abs(found.scores["c_t"].value) < 3
    assert not found.per_image["fake"]["nearest_train_distance"].isnan().any()


def test_too_few_fakes_everywhere_is_undefined_with_a_reason():
    given = {**sides(), "fake": features(rows=20, seed=2)}
    found = DataCopying().compute(**given, rng=rng())
    assert math.isnan(found.scores["c_t"].value)
    assert found.scores["c_t"].undefined == "no cell holds more than 20 samples"
    assert found.flags == {"cells_left_out": 3}


def test_a_cell_without_test_rows_is_refused():
    real = torch.cat([features(rows=50), features(rows=50) + 100])
    fake = torch.cat([features(rows=50, seed=1), features(rows=50, seed=1) + 100])
    with pytest.raises(ValueError, match="holds 50 samples but no test row"):
        data_copying(real=real, fake=fake, holdout=features(rows=50, seed=2), rng=rng(), cells=2)


def test_column_is_the_distance_to_the_nearest_training_row():
    given = {**sides(), "fake": sides()["real"][:100]}
    column = DataCopying().compute(**given, rng=rng()).per_image["fake"]["nearest_train_distance"]
    assert column.tolist() == [0.0] * 100


def test_roles_are_those_of_dgm_eval():
    given = sides()
    arrays = {side: rows.numpy() for side, rows in given.items()}
    swapped = DataCopying(roles=Roles.swapped).compute(**given, rng=rng())
    expected = literal_c_t(arrays["fake"], arrays["holdout"], arrays["real"], seed=seed_of(rng()))
    assert swapped.scores["c_t"].value == pytest.approx(expected, rel=1e-9)
    assert len(swapped.per_image["real"]["nearest_train_distance"]) == 400
    halves = DataCopying(roles=Roles.test_halves).compute(**given, rng=rng())
    first, second = np.array_split(arrays["holdout"], 2)
    expected = literal_c_t(first, second, arrays["fake"], seed=seed_of(rng()))
    assert halves.scores["c_t"].value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": 500}, "cells is 500, expected 1 to 400"),
        ({"dimensions": 0}, "dimensions is 0"),
        ({"min_fakes": -1}, "min_fakes is -1"),
    ],
)
def test_refuses_parameters_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        data_copying(**sides(), rng=rng(), **change)
