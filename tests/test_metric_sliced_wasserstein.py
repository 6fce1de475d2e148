import numpy as np
import pytest
import torch

from metrics.sliced_wasserstein import SlicedWasserstein, sliced_wasserstein


def features(*, rows, width=8, seed=0, shift=0.0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) * scale + shift


def weighted(rows, weights):
    mean = weights @ rows
    return mean, weights @ ((rows - mean) ** 2).sum(axis=1)


def closed_form(real, fake):
    width = len(real[0])
    gap = ((real[0] - fake[0]) ** 2).sum() / width
    return np.sqrt(gap + (np.sqrt(real[1] / width) - np.sqrt(fake[1] / width)) ** 2)


def numpy_form(real, fake):
    return closed_form(*(weighted(x.numpy(), np.full(len(x), 1 / len(x))) for x in (real, fake)))


def test_on_a_line_by_hand():
    real = torch.tensor([[-1.0], [1.0]])  # mean 0, deviation 1
    fake = torch.tensor([[0.0], [10.0]])  # mean 5, deviation 5
    assert sliced_wasserstein(real=real, fake=fake) == pytest.approx((25 + 16) ** 0.5)


def test_equals_numpy():
    real, fake = features(rows=90), features(rows=70, seed=1, shift=0.3, scale=1.4)
    found = sliced_wasserstein(real=real, fake=fake)
    assert found == pytest.approx(numpy_form(real, fake), rel=1e-12)


def test_a_shift_of_every_feature_is_the_distance():
    real = features(rows=90)
    assert sliced_wasserstein(real=real, fake=real + 2.5) == pytest.approx(2.5, rel=1e-12)


def test_is_the_mean_over_directions_for_round_gaussians():
    real, fake = features(rows=4000), features(rows=4000, seed=1, shift=0.5, scale=1.5)
    rng = torch.Generator().manual_seed(0)
    directions = torch.randn(8, 300, generator=rng, dtype=torch.float64)
    directions /= directions.norm(dim=0)
    lines = [(x @ directions).sort(dim=0).values for x in (real, fake)]
    sliced = float((lines[0] - lines[1]).square().mean().sqrt())
    # sorted draws and 300 directions, good to a few percent
    assert sliced_wasserstein(real=real, fake=fake) == pytest.approx(sliced, rel=0.05)


@pytest.mark.parametrize("changed", ["real", "fake"])
def test_influence_is_the_change_of_the_score_by_a_little_more_of_an_image(changed):
    given = {"real": features(rows=60), "fake": features(rows=50, seed=1, shift=0.3, scale=1.4)}
    influence = SlicedWasserstein().compute(**given).per_image[changed]["sw_influence"]

    def moved(image, share):
        sides = {}
        for name, rows in given.items():
            weights = np.full(len(rows), 1 / len(rows))
            if name == changed:
                weights *= 1 - share
                weights[image] += share
            sides[name] = weighted(rows.numpy(), weights)
        return closed_form(sides["real"], sides["fake"])

    for image in (0, 31):
        slope = (moved(image, 1e-6) - moved(image, -1e-6)) / 2e-6
        assert float(influence[image]) == pytest.approx(slope, rel=1e-6)


def test_standard_error_is_the_spread_over_new_draws():
    found = [
        SlicedWasserstein().compute(
            real=features(rows=200, seed=seed),
            fake=features(rows=150, seed=1000 + seed, shift=0.3, scale=1.2),
        )
        for seed in range(200)
    ]
    values = torch.tensor([outcome.scores["sw"].value for outcome in found])
    errors = torch.tensor([outcome.scores["sw"].standard_error for outcome in found])
    # the spread of 200 draws is known to 5 %
    assert float(errors.mean()) == pytest.approx(float(values.std()), rel=0.2)


def test_equal_sides_and_sides_without_spread_have_no_error():
    real = features(rows=20)
    for fake in (real.clone(), real[:1].repeat(9, 1)):
        assert SlicedWasserstein().compute(real=real, fake=fake).scores["sw"].standard_error is None
    assert sliced_wasserstein(real=real, fake=real.clone()) == 0


def test_refuses_one_row():
    with pytest.raises(ValueError, match="fake: found 1 rows"):
        sliced_wasserstein(real=features(rows=9), fake=features(rows=1))
