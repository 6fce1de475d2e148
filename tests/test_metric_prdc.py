import pytest
import torch
from prdc import compute_prdc

from metrics.balls import Ties
from metrics.neighbourhood import Neighbours
from metrics.prdc import Prdc, prdc


def features(*, rows, width=8, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def brute_force(real, fake, k):
    def radius(rows):
        apart = (rows[:, None] - rows[None]).square().sum(2).fill_diagonal_(torch.inf)
        return apart.sort(dim=1).values[:, k - 1]

    d = (fake[:, None] - real[None]).square().sum(2)  # (M, N)
    in_real, in_fake = d < radius(real), d < radius(fake)[:, None]
    return {
        "precision": float(in_real.any(1).double().mean()),
        "recall": float(in_fake.any(0).double().mean()),
        "density": float(in_real.sum(1).double().mean()) / k,
        "coverage": float((d.min(0).values < radius(real)).double().mean()),
    }


def test_points_on_a_line_by_hand():
    real = torch.tensor([[0.0], [1.0], [3.0]])  # radii 1, 1, 2 at k = 1
    fake = torch.tensor([[0.5], [0.75]])  # radii 0.25
    expected = {"precision": 1, "recall": 0, "density": 2, "coverage": pytest.approx(2 / 3)}
    assert prdc(real=real, fake=fake, k=1) == expected


def test_collapse_is_dense_and_covers_little():
    real = features(rows=300)
    fake = real[:1] + 1e-3 * features(rows=100, seed=1)
    found = prdc(real=real, fake=fake)
    assert found["precision"] == 1
    assert found["recall"] < 0.02 and found["coverage"] < 0.2


def test_a_copy_scores_one_and_a_far_shift_nothing():
    real = features(rows=100)
    assert set(prdc(real=real, fake=real.clone()).values()) == {1.0}
    assert set(prdc(real=real, fake=real + 100).values()) == {0.0}


@pytest.mark.parametrize(("n", "m", "k"), [(200, 200, 5), (200, 120, 5), (90, 150, 3), (60, 60, 1)])
def test_equals_the_authors_code_and_brute_force(n, m, k):
    real, fake = features(rows=n), features(rows=m, seed=1) * 0.8 + 0.3
    found = prdc(real=real, fake=fake, k=k)
    assert found == pytest.approx(compute_prdc(real.numpy(), fake.numpy(), k), rel=1e-12)
    assert found == pytest.approx(brute_force(real, fake, k), rel=1e-12)


def test_duplicates_follow_the_tie_rule_and_are_flagged():
    real = features(rows=20).repeat(6, 1)
    assert set(prdc(real=real, fake=real).values()) == {0.0}
    inclusive = prdc(real=real, fake=real, ties=Ties.inclusive)
    assert inclusive == pytest.approx(dict(precision=1, recall=1, density=6 / 5, coverage=1))
    flags = Prdc().compute(neighbours=Neighbours(real=real, fake=features(rows=30, seed=1))).flags
    assert flags == {"zero_radii_real": 120}


@pytest.mark.parametrize(("offset", "scale"), [(1e4, 1), (1e6, 1), (0, 1e20)])
def test_offset_and_scale_do_not_matter(offset, scale):
    real, fake = features(rows=100), features(rows=100, seed=1) * 0.8 + 0.3
    moved = prdc(real=real * scale + offset, fake=fake * scale + offset)
    assert moved == prdc(real=real, fake=fake)


def test_order_of_rows_does_not_matter():
    real, fake = features(rows=100), features(rows=80, seed=1) * 0.8 + 0.3
    mixed = prdc(real=real.flip(0), fake=fake.roll(9, 0))
    assert mixed == pytest.approx(prdc(real=real, fake=fake), rel=1e-12)


def test_per_image_columns_average_to_the_scores():
    found = Prdc().compute(
        neighbours=Neighbours(real=features(rows=90), fake=features(rows=70, seed=1) + 0.5)
    )
    columns = {**found.per_image["fake"], **found.per_image["real"]}
    named = {
        "precision": "in_real_manifold",
        "recall": "in_fake_manifold",
        "density": "density",
        "coverage": "covered",
    }
    for score, column in named.items():
        assert float(columns[column].mean()) == pytest.approx(found.scores[score].value)


def test_refuses_k_that_a_side_cannot_serve():
    with pytest.raises(ValueError, match="fake: found 5 rows, k=5 needs at least 6"):
        prdc(real=features(rows=20), fake=features(rows=5))
