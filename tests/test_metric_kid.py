from dataclasses import replace

import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.kid import poly_mmd

from metrics.intervals import standard_error
from metrics.kernel_sums import kernel_sums
from metrics.kid import (
    Kid,
    centred_kernel,
    in_product_dtype,
    squared_mmd,
    squared_mmd_with_error,
)


def features(*, rows, width=16, seed=0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) + shift


def brute_force(real, fake, *, degree=3, gamma=None, coef0=1.0, dtype=np.float64):
    x, y = real.numpy().astype(dtype), fake.numpy().astype(dtype)
    gamma = 1 / x.shape[1] if gamma is None else gamma
    xx, yy, xy = ((gamma * a @ b.T + coef0) ** degree for a, b in [(x, x), (y, y), (x, y)])
    n, m = len(x), len(y)
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return within - 2 * xy.mean()


def test_linear_kernel_by_hand():
    real, fake = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [3.0]])
    # x.y + 1: within reals 1, within fakes 4, between the mean of 1, 1, 3, 7
    assert squared_mmd(real=real, fake=fake, degree=1) == pytest.approx(1 + 4 - 2 * 3)


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_equals_the_plain_formula(degree):
    real, fake = features(rows=40, shift=0.5), features(rows=30, seed=1)
    arguments = {"degree": degree, "gamma": 0.3, "coef0": 0.7}
    value = squared_mmd(real=real, fake=fake, **arguments)
    assert value == pytest.approx(brute_force(real, fake, **arguments), rel=1e-11)


def test_equals_torch_fidelity_on_one_subset_of_everything():
    real, fake = features(rows=64), features(rows=64, seed=1, shift=0.1)
    peer = kid_features_to_metric(
        fake, real, kid_subsets=1, kid_subset_size=64, kid_kernel="poly", verbose=False
    )["kernel_inception_distance_mean"]
    assert squared_mmd(real=real, fake=fake) == pytest.approx(peer, rel=1e-11)


def test_equals_torchmetrics_on_one_subset_of_everything():
    real, fake = features(rows=64), features(rows=64, seed=1, shift=0.1)
    assert squared_mmd(real=real, fake=fake) == pytest.approx(
        float(poly_mmd(real, fake)), rel=1e-11
    )


@pytest.mark.parametrize("entries", [1, 100, 777, 10**6])
def test_blocks_do_not_matter(entries):
    real, fake = features(rows=50), features(rows=37, seed=1)
    found = squared_mmd_with_error(real=real, fake=fake, entries=entries)
    assert found == pytest.approx(squared_mmd_with_error(real=real, fake=fake), rel=1e-11)


def test_order_of_rows_does_not_matter():
    real, fake = features(rows=50), features(rows=37, seed=1)
    mixed = squared_mmd_with_error(real=real.flip(0), fake=fake.roll(5, 0))
    assert mixed == pytest.approx(squared_mmd_with_error(real=real, fake=fake), rel=1e-9)


def test_a_farther_shift_is_worse():
    real = features(rows=100)
    values = [squared_mmd(real=real, fake=features(rows=100, seed=1, shift=s)) for s in (0, 0.3, 1)]
    assert values == sorted(values)
    assert abs(values[0]) < 0.1 * values[1]


def test_collapse_is_worse_than_fresh_samples():
    real, fresh = features(rows=100), features(rows=100, seed=1)
    collapsed = fresh[:1].expand(100, -1)
    assert squared_mmd(real=real, fake=collapsed) > 10 * abs(squared_mmd(real=real, fake=fresh))


@pytest.mark.parametrize(("offset", "tolerance"), [(1e4, 1e-9), (1e6, 1e-6)])
def test_an_offset_keeps_the_digits(offset, tolerance):
    """Plain float64 keeps 7 and 4 digits here; 80-bit numbers are the judge."""
    real = features(rows=60, width=4) + offset
    fake = features(rows=50, width=4, seed=1, shift=0.5) + offset
    expected = brute_force(real, fake, dtype=np.longdouble)
    assert squared_mmd(real=real, fake=fake) == pytest.approx(float(expected), rel=tolerance)


def test_scale_1e20_is_the_cube_of_the_inner_product():
    real, fake = features(rows=60), features(rows=50, seed=1, shift=0.5)
    value = squared_mmd(real=real * 1e20, fake=fake * 1e20)
    assert value == pytest.approx(brute_force(real, fake, coef0=0.0) * 1e120, rel=1e-9)


def test_duplicates_are_scored():
    same = torch.ones(10, 3)
    found = squared_mmd_with_error(real=same, fake=same)
    assert found == pytest.approx((0, 0), abs=1e-12)


def test_identical_sides_are_below_zero():
    real = features(rows=30)
    assert squared_mmd(real=real, fake=real) == pytest.approx(brute_force(real, real))
    assert squared_mmd(real=real, fake=real) < 0


def simulate(*, shift, rows=100, draws=200):
    rng = torch.Generator().manual_seed(3)
    spread = torch.logspace(0, -1, 16, dtype=torch.float64)
    found = []
    for _ in range(draws):
        real, fake = torch.randn(2, rows, 16, generator=rng, dtype=torch.float64) * spread
        found.append(squared_mmd_with_error(real=real, fake=fake + shift))
    value, error = torch.tensor(found, dtype=torch.float64).T
    return value, error


def coverage(value, error, truth):
    return float(((value - truth).abs() <= 1.96 * error).double().mean())


def test_error_is_wide_but_bounded_when_both_sides_are_alike():
    value, error = simulate(shift=0.0)
    assert abs(float(value.mean())) < 3 * float(value.std()) / len(value) ** 0.5  # unbiased
    assert coverage(value, error, 0.0) >= 0.95
    assert 0.9 < float(error.square().mean()) ** 0.5 / float(value.std()) < 1.45


@pytest.mark.parametrize("shift", [0.1, 0.5])
def test_interval_covers_the_truth_under_a_shift(shift):
    value, error = simulate(shift=shift)
    assert 0.89 <= coverage(value, error, float(value.mean())) <= 0.98
    assert 0.88 < float(error.square().mean()) ** 0.5 / float(value.std()) < 1.12


def test_interval_lies_around_the_value():
    estimate = Kid().compute(real=features(rows=20), fake=features(rows=9, seed=1)).scores["kid"]
    low, high = estimate.interval
    assert low < estimate.value < high
    assert high - low == pytest.approx(2 * 1.96 * estimate.standard_error, rel=1e-4)
    assert "standard errors" in estimate.interval_method


def test_refusals_say_what_to_do():
    ten = features(rows=10)
    with pytest.raises(ValueError, match="degree is 0"):
        squared_mmd(real=ten, fake=ten, degree=0)
    with pytest.raises(ValueError, match="real: found 1 rows"):
        squared_mmd(real=ten[:1], fake=ten)
    with pytest.raises(ValueError, match="Divide both sides"):
        squared_mmd(real=ten * 1e60, fake=ten * 1e60)


def in_both_precisions(real, fake):
    kernel = centred_kernel(real=real, fake=fake)
    narrow = replace(kernel, dtype=torch.float32)
    return [kernel_sums(k, real=real, fake=fake, entries=2**18) for k in (narrow, kernel)]


@pytest.mark.parametrize("offset", [0.0, 0.4, 30.0])
def test_float32_products_keep_six_digits_of_a_distance(offset):
    real = features(rows=1500, width=64).relu() + offset
    fake = features(rows=1500, width=64, seed=1, shift=0.2).relu() + offset
    narrow, wide = in_both_precisions(real, fake)
    assert narrow.squared_mmd() == pytest.approx(wide.squared_mmd(), rel=1e-6)
    assert narrow.variance() == pytest.approx(wide.variance(), rel=1e-5)


@pytest.mark.parametrize("offset", [0.0, 0.4, 30.0])
def test_float32_products_cannot_be_seen_where_both_sides_are_alike(offset):
    real = features(rows=1500, width=64).relu() + offset
    fake = features(rows=1500, width=64, seed=1).relu() + offset
    narrow, wide = in_both_precisions(real, fake)
    gap = abs(narrow.squared_mmd() - wide.squared_mmd())
    assert gap < 1e-5 * wide.variance() ** 0.5
    within = (1 + offset**2) ** 3  # at least the mean kernel of two reals
    assert gap < 1e-6 * within


def test_float32_is_for_many_rows_of_ordinary_size():
    def dtype(rows, scale=1.0):
        side = features(rows=rows, width=4) * scale
        kernel = centred_kernel(real=side, fake=side)
        return in_product_dtype(kernel, real=side, fake=side, pairs=rows**2).dtype

    assert dtype(2048) is torch.float32
    assert dtype(2047) is torch.float64
    assert dtype(2048, 1e-6) is dtype(2048, 1e6) is torch.float64


def test_influence_is_what_leaving_an_image_out_takes_away():
    real, fake = features(rows=30, shift=3.0), features(rows=20, seed=1, shift=3.5)
    columns = Kid().compute(real=real, fake=fake).per_image
    every = squared_mmd(real=real, fake=fake)

    def without(rows):
        return [torch.cat([rows[:i], rows[i + 1 :]]) for i in range(len(rows))]

    real_steps = [29 * (every - squared_mmd(real=rest, fake=fake)) for rest in without(real)]
    fake_steps = [19 * (every - squared_mmd(real=real, fake=rest)) for rest in without(fake)]
    for side, steps in (("real", real_steps), ("fake", fake_steps)):
        steps = torch.tensor(steps, dtype=torch.float64)
        influence = columns[side]["kid_influence"]
        assert torch.allclose(influence, steps - steps.mean(), rtol=1e-7, atol=1e-7)
        assert float(influence.mean()) == pytest.approx(0, abs=1e-9)


def test_influence_error_is_the_whole_error_under_a_large_shift():
    real, fake = features(rows=300), features(rows=300, seed=1, shift=1.0)
    found = Kid().compute(real=real, fake=fake)
    influences = [found.per_image[side]["kid_influence"] for side in ("real", "fake")]
    assert standard_error(*influences) == pytest.approx(found.scores["kid"].standard_error, rel=0.1)


def test_a_negative_gamma_is_the_plain_formula_too():
    real, fake = features(rows=30, shift=0.5), features(rows=20, seed=1)
    expected = brute_force(real, fake, gamma=-0.1)
    assert squared_mmd(real=real, fake=fake, gamma=-0.1) == pytest.approx(expected, rel=1e-10)
