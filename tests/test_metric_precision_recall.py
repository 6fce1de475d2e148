import pytest
import torch
from torch_fidelity.metric_prc import prc_features_to_metric

from metrics.balls import Ties
from metrics.held_shares import HeldShare
from metrics.neighbourhood import Neighbours
from metrics.precision_recall import PrecisionRecall, precision_recall


def features(*, rows, width=8, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def brute_force(real, fake, k=3):
    def inside(points, centres):
        apart = (centres[:, None] - centres[None]).square().sum(2).fill_diagonal_(torch.inf)
        radius = apart.sort(dim=1).values[:, k - 1]
        d = (points[:, None] - centres[None]).square().sum(2)
        return float((d <= radius).any(dim=1).double().mean())

    return {"precision": inside(fake, real), "recall": inside(real, fake)}


def test_points_on_a_line_by_hand():
    real = torch.tensor([[0.0], [1.0], [2.0]])  # radii 1 at k = 1
    fake = torch.tensor([[3.0], [3.5], [9.0]])  # radii 0.5, 0.5, 5.5
    found = precision_recall(real=real, fake=fake, k=1)
    assert found == {"precision": pytest.approx(1 / 3), "recall": 0}  # 3 lies on the ball of 2
    strict = precision_recall(real=real, fake=fake, k=1, ties=Ties.strict)
    assert strict["precision"] == 0


def test_collapse_keeps_precision_and_loses_recall():
    real = features(rows=300)
    fake = real[:1] + 1e-3 * features(rows=100, seed=1)
    found = precision_recall(real=real, fake=fake)
    assert found["precision"] == 1 and found["recall"] < 0.02


def test_a_copy_is_perfect_and_a_far_shift_is_nothing():
    real = features(rows=100)
    assert precision_recall(real=real, fake=real) == {"precision": 1, "recall": 1}
    assert precision_recall(real=real, fake=real + 100) == {"precision": 0, "recall": 0}


@pytest.mark.parametrize(("n", "m"), [(200, 200), (200, 120)])
def test_equals_torch_fidelity_and_brute_force(n, m):
    real, fake = features(rows=n), features(rows=m, seed=1) * 0.8 + 0.3
    peer = prc_features_to_metric(fake, real, verbose=False)
    found = precision_recall(real=real, fake=fake)
    assert found == pytest.approx({name: peer[name] for name in found})
    assert found == brute_force(real, fake)


def test_duplicates_follow_the_tie_rule_and_are_flagged():
    real = features(rows=10).repeat(6, 1)
    assert precision_recall(real=real, fake=real) == {"precision": 1, "recall": 1}
    strict = PrecisionRecall(ties=Ties.strict).compute(neighbours=Neighbours(real=real, fake=real))
    assert {name: each.value for name, each in strict.scores.items()} == {
        "precision": 0,
        "recall": 0,
    }
    assert strict.flags == {"zero_radii_real": 60, "zero_radii_fake": 60}


@pytest.mark.parametrize(("offset", "scale"), [(1e4, 1), (1e6, 1), (0, 1e20)])
def test_offset_and_scale_do_not_matter(offset, scale):
    real, fake = features(rows=100), features(rows=100, seed=1) * 0.8 + 0.3
    moved = precision_recall(real=real * scale + offset, fake=fake * scale + offset)
    assert moved == precision_recall(real=real, fake=fake)


def test_per_image_columns_average_to_the_scores():
    real, fake = features(rows=90), features(rows=70, seed=1) + 0.7
    found = PrecisionRecall().compute(neighbours=Neighbours(real=real, fake=fake))
    columns = (
        found.per_image["fake"]["in_real_manifold"],
        found.per_image["real"]["in_fake_manifold"],
    )
    assert [len(column) for column in columns] == [70, 90]
    assert float(columns[0].mean()) == found.scores["precision"].value
    assert float(columns[1].mean()) == found.scores["recall"].value


def test_the_error_covers_the_spread_also_with_many_points_a_ball():
    """Other balls grow where one is left out; without that the error was 0.7 of the spread here."""
    found = []
    for draw in range(80):
        rng = torch.Generator().manual_seed(draw)
        real, fake = (torch.randn(rows, 64, generator=rng) for rows in (750, 150))
        metric = PrecisionRecall()
        neighbours = Neighbours(real=real, fake=fake, wants=metric.wants())
        found.append(metric.compute(neighbours=neighbours).scores["recall"])
    spread = float(torch.tensor([one.value for one in found], dtype=torch.float64).std())
    error = sum(one.standard_error for one in found) / len(found)
    assert 0.95 * spread < error < 1.6 * spread  # 80 draws know a spread to 8 %


def test_an_error_counts_where_every_point_is_held_too():
    """Fakes of one place in one ball: all held, and all lost with it."""
    share = HeldShare(1.0, torch.zeros(100), torch.tensor([99.0] + [-1.0] * 99))
    estimate = share.estimate()
    assert (
        estimate.standard_error > 0.9 and estimate.interval[0] < 0.3 and estimate.interval[1] == 1
    )


def test_the_error_does_not_depend_on_the_order_of_rows_or_on_which_side_is_which():
    def measured(real, fake):
        metric = PrecisionRecall()
        return metric.compute(neighbours=Neighbours(real=real, fake=fake, wants=metric.wants()))

    real, fake = features(rows=300, width=32), features(rows=150, width=32, seed=1)
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0))
    found, mixed, swapped = measured(real, fake), measured(real, fake[order]), measured(fake, real)
    error = found.scores["recall"].standard_error
    assert mixed.scores["recall"].standard_error == pytest.approx(error, rel=1e-12)
    assert swapped.scores["precision"].standard_error == pytest.approx(error, rel=1e-12)
    influence = found.per_image["fake"]["recall_influence"]
    assert torch.equal(mixed.per_image["fake"]["recall_influence"], influence[order])
