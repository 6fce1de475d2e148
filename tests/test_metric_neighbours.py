import numpy as np
import pytest
import torch

import metrics.distances
from metrics.balls import Ties, overlap
from metrics.distances import place, squared_distance_bounds, squared_distances
from metrics.neighbours import nearest_distances, radii, squared_radii

HARD = {
    "plain": lambda x: x,
    "float32": lambda x: x.float(),
    "duplicates": lambda x: x[:3].repeat(len(x) // 3 + 1, 1)[: len(x)],
    "all_equal": lambda x: x[:1].expand(len(x), -1),
    "grid": lambda x: x.round(),
    "offset_1e4": lambda x: x.float() + 1e4,
    "offset_1e6": lambda x: x + 1e6,
    "scale_1e20": lambda x: x.float() * 1e20,
    "two_far_clusters": lambda x: x + 1e9 * (torch.arange(len(x))[:, None] % 2),
    "last_bits": lambda x: 1 + torch.finfo(torch.float64).eps * (4 * x).round(),
}


def features(*, rows, width=5, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def pairwise(a, b):
    """(n, m) directly summed squared distances."""
    return (a.double()[:, None] - b.double()[None]).square().sum(dim=2)


def squared_kth(rows, k):
    return pairwise(rows, rows).fill_diagonal_(torch.inf).sort(dim=1).values[:, k - 1]


@pytest.mark.parametrize("kind", HARD)
def test_bounds_enclose_the_direct_sums(kind):
    a, b = HARD[kind](features(rows=40)), HARD[kind](features(rows=30, seed=1))
    centre = a.double().mean(dim=0)
    points, others = place(a, centre=centre), place(b, centre=centre)
    low, high = squared_distance_bounds(points, others, slice(10, 40))
    direct = pairwise(a[10:], b)
    assert (low <= direct).all() and (direct <= high).all()


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("k", [1, 3])
def test_radii_equal_brute_force_to_the_bit(kind, k):
    rows = HARD[kind](features(rows=47))
    expected = squared_kth(rows, k)
    for entries in (1, 100, 500, 10**6):
        assert torch.equal(squared_radii(rows, k, entries=entries), expected)
    assert torch.equal(radii(rows, k), expected.sqrt())


@pytest.mark.parametrize("ties", Ties)
@pytest.mark.parametrize("kind", HARD)
def test_overlap_equals_brute_force_whatever_the_block(kind, ties):
    real, fake = HARD[kind](features(rows=41)), HARD[kind](features(rows=29, seed=1))
    fake = torch.cat([fake, real[:5]])  # copies decide by the tie rule
    reals, fakes = squared_kth(real, 2), squared_kth(fake, 2)
    d = pairwise(fake, real)
    below = torch.lt if ties is Ties.strict else torch.le
    held, held_back = below(d, reals[None, :]), below(d, fakes[:, None])
    for entries in (1, 100, 10**6):
        found = overlap(
            real=real,
            fake=fake,
            real_squared_radii=reals,
            fake_squared_radii=fakes,
            ties=ties,
            entries=entries,
        )
        assert torch.equal(found.real_balls, held.sum(dim=1))
        assert torch.equal(found.fakes_held, held.sum(dim=0))
        assert torch.equal(found.fake_balls, held_back.sum(dim=0))
        smallest = torch.where(held, reals, torch.inf).min(dim=1).values
        assert torch.equal(found.smallest_ball, smallest)
        inside = found.smallest_ball_index >= 0
        assert torch.equal(inside, held.any(dim=1))
        assert torch.equal(reals[found.smallest_ball_index[inside]], smallest[inside])


@pytest.mark.parametrize("width", [1, 3, 64, 1280, 2049, 50_000])
def test_a_distance_is_the_same_from_both_ends_and_in_any_company(width):
    rows = features(rows=6, width=width)
    points = place(rows, centre=rows.mean(dim=0))
    i, j = torch.cartesian_prod(torch.arange(6), torch.arange(6)).T
    together = squared_distances(points, points, i, j).reshape(6, 6)
    assert torch.equal(together, together.T)
    assert torch.equal(together.diagonal(), torch.zeros(6, dtype=torch.float64))
    alone = [squared_distances(points, points, i[n : n + 1], j[n : n + 1]) for n in range(36)]
    assert torch.equal(torch.cat(alone).reshape(6, 6), together)


def test_looking_for_copies_changes_nothing(monkeypatch):
    rows = HARD["duplicates"](features(rows=30))
    plain = squared_radii(rows, 12)
    monkeypatch.setattr(metrics.distances, "MANY", 0)
    assert torch.equal(squared_radii(rows, 12), plain)


def test_nearest_distances_are_zero_for_copies_only():
    rows, among = features(rows=20), features(rows=15, seed=1)
    among = torch.cat([among, rows[3:4]])
    expected = pairwise(rows, among).min(dim=1).values.sqrt()
    for entries in (1, 50, 10**6):
        found = nearest_distances(rows=rows, among=among, entries=entries)
        assert torch.equal(found, expected)
    assert (found == 0).nonzero().flatten().tolist() == [3]


def test_neighbours_by_hand():
    rows = torch.tensor([[0.0], [1.0], [3.0], [3.0]])
    assert radii(rows, 1).tolist() == [1, 1, 0, 0]
    assert radii(rows, 2).tolist() == [3, 2, 2, 2]


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match=r"rows: found 3 rows, k=3 needs at least 4. Lower k"):
        radii(features(rows=3), 3)
    with pytest.raises(ValueError, match="k is 0"):
        radii(features(rows=3), 0)
    with pytest.raises(ValueError, match="Divide both sides"):
        radii(features(rows=9) * 1e200, 3)
    assert np.isfinite(radii(features(rows=9) * 1e100, 3)).all()
