import numpy as np
import pytest
import torch

from metrics.cmmd import Cmmd, cmmd


def features(*, rows, width=16, seed=0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) + shift


def brute_force(real, fake, *, sigma=10.0, normalise=True):
    x, y = real.numpy().astype(np.longdouble), fake.numpy().astype(np.longdouble)
    if normalise:
        x, y = (side / np.sqrt((side**2).sum(1, keepdims=True)) for side in (x, y))

    def kernel(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(2) / (2 * sigma**2))

    n, m, between = len(x), len(y), kernel(x, y).mean()
    xx, yy = kernel(x, x), kernel(y, y)
    within = (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1))
    return {
        "cmmd": 1000 * float(xx.mean() + yy.mean() - 2 * between),
        "cmmd_unbiased": 1000 * float(within - 2 * between),
    }


def test_opposite_points_by_hand():
    real = torch.tensor([[3.0, 0.0], [1.0, 0.0]])
    found = cmmd(real=real, fake=-real)  # all of one side alike, at distance 2 from the other
    expected = 1000 * (2 - 2 * np.exp(-4 / 200))
    assert found == pytest.approx({"cmmd": expected, "cmmd_unbiased": expected}, rel=1e-12)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("sigma", [10.0, 0.7])
def test_equals_the_plain_formula(sigma, normalise):
    real, fake = features(rows=40, shift=0.2), features(rows=30, seed=1)
    arguments = {"sigma": sigma, "normalise": normalise}
    found = cmmd(real=real, fake=fake, **arguments)
    assert found == pytest.approx(brute_force(real, fake, **arguments), rel=1e-10)


def test_blocks_and_order_do_not_matter():
    real, fake = features(rows=50), features(rows=37, seed=1)
    expected = cmmd(real=real, fake=fake)
    assert cmmd(real=real, fake=fake, entries=49) == pytest.approx(expected, rel=1e-10)
    assert cmmd(real=real.flip(0), fake=fake.roll(5, 0)) == pytest.approx(expected, rel=1e-9)


def test_lengths_do_not_matter_when_normalised():
    real, fake = features(rows=20), features(rows=20, seed=1)
    expected = cmmd(real=real, fake=fake)
    assert cmmd(real=real * 1e200, fake=fake * 1e-200) == pytest.approx(expected, rel=1e-9)


def test_biased_form_is_above_zero_for_one_distribution_and_the_unbiased_is_not():
    found = [
        cmmd(real=features(rows=50, seed=i), fake=features(rows=50, seed=-i)) for i in range(1, 30)
    ]
    unbiased = np.array([one["cmmd_unbiased"] for one in found])
    assert abs(unbiased.mean()) < 3 * unbiased.std() / len(found) ** 0.5
    assert min(one["cmmd"] for one in found) > 0.1


def test_identical_sides_have_biased_form_zero():
    real = features(rows=30)
    assert cmmd(real=real, fake=real)["cmmd"] == pytest.approx(0, abs=1e-9)
    assert cmmd(real=real, fake=real)["cmmd_unbiased"] < 0


def test_interval_covers_the_expected_value_under_a_shift():
    rng = torch.Generator().manual_seed(3)
    found = []
    for _ in range(200):
        real, fake = torch.randn(2, 80, 16, generator=rng, dtype=torch.float64)
        found.append(Cmmd().compute(real=real, fake=fake + 0.3).scores["cmmd_unbiased"])
    truth = np.mean([one.value for one in found])
    covered = np.mean([one.interval[0] <= truth <= one.interval[1] for one in found])
    assert 0.89 <= covered <= 0.99  # 200 draws: 95 % +- 1.5 %


def test_influence_is_what_leaving_an_image_out_takes_away():
    real, fake = features(rows=12, shift=0.5), features(rows=10, seed=1)
    influence = Cmmd().compute(real=real, fake=fake).per_image["fake"]["cmmd_unbiased_influence"]
    every = cmmd(real=real, fake=fake)["cmmd_unbiased"]
    rests = [torch.cat([fake[:i], fake[i + 1 :]]) for i in range(10)]
    steps = [9 * (every - cmmd(real=real, fake=rest)["cmmd_unbiased"]) for rest in rests]
    steps = torch.tensor(steps, dtype=torch.float64)
    assert torch.allclose(influence, steps - steps.mean(), rtol=1e-8, atol=1e-8)


def test_refusals_say_what_to_do():
    ten = features(rows=10)
    zero = ten.clone()
    zero[6] = 0
    with pytest.raises(ValueError, match=r"fake: .*row 6; a row of zeros has no direction"):
        cmmd(real=ten, fake=zero)
    cmmd(real=ten, fake=zero, normalise=False)
    with pytest.raises(ValueError, match="sigma is 0"):
        cmmd(real=ten, fake=ten, sigma=0)
