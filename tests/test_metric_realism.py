import numpy as np
import pytest
import torch

import metrics.neighbourhood
import metrics.screen
from metrics.neighbourhood import Neighbours
from metrics.realism import Realism, Variant, realism_scores


def features(*, rows, width=6, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def brute_force(real, fake, k, variant):
    """Each published form in numpy, on whole matrices."""
    within = np.linalg.norm(real[:, None] - real[None], axis=2)
    radius = np.sort(within, axis=1)[:, k]
    d = np.linalg.norm(fake[:, None] - real[None], axis=2)
    if variant is Variant.official:
        return (radius**2 / (d**2 + 1e-5)).max(axis=1)
    if variant is Variant.port:
        return (radius / (d + 1e-6)).max(axis=1)
    kept = radius < np.median(radius)
    return (radius[kept] / d[:, kept]).max(axis=1)


def test_points_on_a_line_by_hand():
    real = torch.tensor([[0.0], [1.0], [4.0], [9.0]])  # radii 1, 1, 3, 5; median 2 keeps two
    fake = torch.tensor([[0.5], [3.0]])
    assert realism_scores(real=real, fake=fake, k=1).tolist() == [2, 0.5]
    official = realism_scores(real=real, fake=fake, k=1, variant=Variant.official)
    assert official.tolist() == pytest.approx([4, 9], rel=1e-4)


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("k", [1, 3])
def test_equals_brute_force(variant, k):
    real, fake = features(rows=120), features(rows=70, seed=1) * 1.2
    found = realism_scores(real=real, fake=fake, k=k, variant=variant)
    expected = brute_force(real.numpy(), fake.numpy(), k, variant)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_neither_tiles_nor_types_of_products_change_a_bit(variant, dtype, monkeypatch):
    real, fake = features(rows=61), torch.cat([features(rows=31, seed=1), features(rows=3)])
    whole = realism_scores(real=real, fake=fake, variant=variant)
    monkeypatch.setattr(metrics.screen, "SIDE", 9)
    monkeypatch.setattr(metrics.neighbourhood, "screening_dtype", lambda *_: dtype)
    assert torch.equal(realism_scores(real=real, fake=fake, variant=variant), whole)


def test_at_least_one_exactly_inside_a_ball():
    real, fake = features(rows=100), features(rows=200, seed=1) * 1.3
    found = Realism(Variant.port).compute(neighbours=Neighbours(real=real, fake=fake))
    d = (fake[:, None] - real[None]).norm(dim=2)
    radius = (real[:, None] - real[None]).norm(dim=2).sort(dim=1).values[:, 3]
    inside = (d < radius - 1e-5).any(dim=1)
    assert torch.equal(found.per_image["fake"]["realism"] >= 1, inside)


def test_copies_of_kept_images_are_infinitely_real_and_said_so():
    real = features(rows=40)
    found = Realism().compute(neighbours=Neighbours(real=real, fake=real))
    assert found.scores["mean"].undefined == (
        "20 generated images copy a kept real image: their realism is infinite"
    )
    assert found.flags == {"infinite_realism": 20}
    assert found.nearest_real.tolist() == list(range(40))
    port = Realism(Variant.port).compute(neighbours=Neighbours(real=real, fake=real))
    assert port.scores["mean"].value > 1e5


def test_the_mean_has_an_interval():
    real, fake = features(rows=100), features(rows=80, seed=1)
    found = Realism().compute(neighbours=Neighbours(real=real, fake=fake))
    values = realism_scores(real=real, fake=fake)
    mean = found.scores["mean"]
    assert mean.value == pytest.approx(float(values.mean()))
    assert mean.standard_error == pytest.approx(float(values.std()) / 80**0.5)


def test_duplicated_reals_follow_the_rule_for_zero_radii():
    real = torch.cat([features(rows=10).repeat(5, 1), features(rows=60, seed=1)])
    found = Realism().compute(neighbours=Neighbours(real=real, fake=real[:3]))
    assert found.flags["zero_radii_real"] == 50
    assert (found.per_image["fake"]["realism"] == 1).all()  # 0 / 0: on the surface of its ball


@pytest.mark.parametrize("real", [torch.eye(6), torch.cat([torch.zeros(9, 6), torch.eye(6)])])
def test_without_a_radius_below_the_median_the_score_is_undefined(real):
    found = Realism().compute(neighbours=Neighbours(real=real, fake=torch.eye(6) + 1))
    assert found.scores["mean"].undefined == "no radius of a real ball is below the median"
    assert found.per_image["fake"]["realism"].isnan().all()
    port = Realism(Variant.port).compute(neighbours=Neighbours(real=real, fake=torch.eye(6) + 1))
    assert port.scores["mean"].value > 0
