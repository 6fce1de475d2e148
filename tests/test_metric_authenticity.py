import pytest
import torch

from metrics.authenticity import Authenticity, authenticity
from metrics.neighbourhood import Neighbours


def features(*, rows, width=6, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def brute_force(real, fake):
    """dgm-eval's AuthPct / 100, on whole matrices."""
    within = (real[:, None] - real[None]).norm(dim=2).fill_diagonal_(torch.inf).min(dim=1).values
    nearest = (fake[:, None] - real[None]).norm(dim=2).min(dim=1)
    return float((nearest.values > within[nearest.indices]).double().mean())


def measure(real, fake):
    return Authenticity().compute(neighbours=Neighbours(real=real, fake=fake))


def test_points_on_a_line_by_hand():
    real = torch.tensor([[0.0], [1.0], [5.0]])  # nearest real neighbours at 1, 1, 4
    fake = torch.tensor([[0.25], [2.5], [8.0], [10.0]])  # at 0.25, 1.5, 3, 5 of their nearest
    found = measure(real, fake)
    assert found.per_image["fake"]["authentic"].tolist() == [0, 1, 0, 1]
    assert found.nearest_real.tolist() == [0, 1, 2, 2]
    assert found.scores["authenticity"].value == authenticity(real=real, fake=fake) == 0.5


@pytest.mark.parametrize(("n", "m"), [(80, 80), (60, 150), (150, 40)])
def test_equals_brute_force_for_unequal_counts(n, m):
    real, fake = features(rows=n), features(rows=m, seed=1)
    assert authenticity(real=real, fake=fake) == brute_force(real, fake)


@pytest.mark.parametrize(("width", "expected"), [(2, 0.39), (32, 0.75)])
def test_copies_score_nothing_bad_images_one_and_new_ones_something_between(width, expected):
    real, other = features(rows=400, width=width), features(rows=400, width=width, seed=1)
    assert authenticity(real=real, fake=real + 1e-6) == 0
    assert authenticity(real=real, fake=real + 100) == 1
    low, high = measure(real, other).scores["authenticity"].interval
    assert abs(expected - (low + high) / 2) < 0.1


def test_exact_copies_are_counted():
    real = features(rows=30)
    found = measure(real, torch.cat([real[:4], features(rows=6, seed=1)]))
    assert found.flags == {"exact_copies": 4}
    assert measure(real.repeat(2, 1), real).flags == {"zero_radii_real": 60, "exact_copies": 30}


def test_images_near_one_real_count_as_one_cluster():
    real = features(rows=50)
    lone = measure(real, features(rows=100, seed=1) * 0.8).scores["authenticity"]
    crowd = measure(real, (features(rows=5, seed=1) * 0.8).repeat(20, 1)).scores["authenticity"]
    width = lone.interval[1] - lone.interval[0]
    assert crowd.interval[1] - crowd.interval[0] > 1.5 * width


def test_one_real_image_has_no_neighbour():
    with pytest.raises(ValueError, match="real: found 1 rows, k=1 needs at least 2"):
        authenticity(real=features(rows=1), fake=features(rows=5))
