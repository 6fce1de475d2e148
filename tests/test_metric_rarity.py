import numpy as np
import pytest
import torch
from sklearn.metrics import pairwise_distances

from metrics.neighbourhood import Neighbours
from metrics.rarity import Rarity, rarity_scores


def features(*, rows, width=8, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def brute_force(real, fake, k):
    real, fake = real.numpy(), fake.numpy()
    radius = np.sort(pairwise_distances(real), axis=1)[:, k]
    d = pairwise_distances(fake, real)
    smallest = np.where(d < radius, radius, np.inf).min(axis=1)
    return np.where(np.isfinite(smallest), smallest, np.nan)


def test_points_on_a_line_by_hand():
    real = torch.tensor([[0.0], [1.0], [4.0]])  # radii 1, 1, 3 at k = 1
    fake = torch.tensor([[0.5], [1.5], [2.5], [8.0]])
    found = rarity_scores(real=real, fake=fake, k=1)
    assert found[:3].tolist() == [1, 1, 3] and found[3].isnan()


@pytest.mark.parametrize("k", [1, 3, 5])
def test_equals_brute_force(k):
    real, fake = features(rows=150), features(rows=90, seed=1) * 1.3
    found = rarity_scores(real=real, fake=fake, k=k).numpy()
    np.testing.assert_allclose(found, brute_force(real, fake, k), rtol=1e-12)
    assert np.isnan(found).any() and np.isfinite(found).any()


def test_images_in_a_sparse_region_are_rarer():
    dense, sparse = features(rows=100) * 0.1, features(rows=100, seed=1) + 50
    real = torch.cat([dense, sparse])
    common = rarity_scores(real=real, fake=dense[:20] + 1e-6)
    rare = rarity_scores(real=real, fake=sparse[:20] + 1e-6)
    assert common.max() < rare.min()


def test_collapse_onto_a_typical_image_has_one_low_score():
    real = features(rows=200)
    typical = real[real.norm(dim=1).argmin()]
    found = Rarity().compute(neighbours=Neighbours(real=real, fake=typical.expand(30, -1))).scores
    assert found["max"].value == pytest.approx(found["mean"].value)
    whole = Rarity().compute(neighbours=Neighbours(real=real, fake=real)).scores
    assert found["mean"].value < whole["mean"].value


def test_no_ball_is_undefined_and_not_zero():
    found = Rarity().compute(
        neighbours=Neighbours(real=features(rows=50), fake=features(rows=10, seed=1) + 100)
    )
    for name in ("mean", "median", "max"):
        assert np.isnan(found.scores[name].value)
        assert found.scores[name].undefined == "no generated image lies in a real ball"
    assert found.scores["defined_fraction"].value == 0
    assert found.per_image["fake"]["rarity"].isnan().all()


def test_summary_leaves_undefined_images_out():
    real = torch.tensor([[0.0], [1.0], [4.0]])
    fake = torch.tensor([[0.5], [1.5], [2.5], [8.0]])
    found = Rarity(k=1).compute(neighbours=Neighbours(real=real, fake=fake)).scores
    values = {name: estimate.value for name, estimate in found.items()}
    assert values == pytest.approx({"mean": 5 / 3, "median": 1, "max": 3, "defined_fraction": 0.75})


def test_duplicates_have_balls_that_hold_nothing_and_are_flagged():
    real = features(rows=10).repeat(4, 1)
    found = Rarity().compute(neighbours=Neighbours(real=real, fake=real))
    assert found.scores["defined_fraction"].value == 0
    assert found.flags == {"zero_radii_real": 40}


@pytest.mark.parametrize(("offset", "scale"), [(1e4, 1), (1e6, 1), (0, 1e20)])
def test_offset_does_not_matter_and_scale_scales(offset, scale):
    real, fake = features(rows=100), features(rows=60, seed=1) * 1.2
    moved = rarity_scores(real=real * scale + offset, fake=fake * scale + offset)
    expected = rarity_scores(real=real, fake=fake) * scale
    np.testing.assert_allclose(moved, expected, rtol=1e-8)


def test_order_of_reals_does_not_matter_and_of_fakes_permutes():
    real, fake = features(rows=100), features(rows=60, seed=1)
    mixed = rarity_scores(real=real.flip(0), fake=fake.flip(0)).flip(0)
    np.testing.assert_allclose(mixed, rarity_scores(real=real, fake=fake), rtol=1e-9)


def test_one_generated_image_is_enough():
    real = features(rows=20)
    assert len(rarity_scores(real=real, fake=real[:1])) == 1
    with pytest.raises(ValueError, match="real: found 3 rows, k=3 needs at least 4"):
        rarity_scores(real=real[:3], fake=real)


def test_one_generated_image_has_scores_without_error_bars():
    real = features(rows=20)
    found = Rarity().compute(neighbours=Neighbours(real=real, fake=real[:1] * 1.01))
    assert found.scores["defined_fraction"].value == 1
    assert all(each.standard_error is None for each in found.scores.values())
    assert found.scores["median"].interval is None
