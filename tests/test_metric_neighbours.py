import numpy as np
import pytest
import torch

import metrics.distances
import metrics.k_nearest
import metrics.neighbourhood
import metrics.neighbours
import metrics.screen
from metrics.balls import Ties
from metrics.distances import Rows, squared_distances
from metrics.neighbourhood import Balls, NearestFake, NearestReal, Neighbours, RealBalls
from metrics.neighbours import nearest, nearest_distances, radii, squared_radii
from metrics.rounded import frame, side
from metrics.screen import Tile

HARD = {
    "plain": lambda x: x,
    "float32": lambda x: x.float(),
    "duplicates": lambda x: x[:3].repeat(len(x) // 3 + 1, 1)[: len(x)],
    "all_equal": lambda x: x[:1].expand(len(x), -1),
    "grid": lambda x: x.round(),
    "offset_1e4": lambda x: x.float() + 1e4,
    "offset_1e6": lambda x: x + 1e6,
    "scale_1e20": lambda x: x.float() * 1e20,
    "scale_1e-120": lambda x: x * 1e-120,
    "two_far_clusters": lambda x: x + 1e9 * (torch.arange(len(x))[:, None] % 2),
    "last_bits": lambda x: 1 + torch.finfo(torch.float64).eps * (4 * x).round(),
}
SHORT = (torch.bfloat16, torch.float32, torch.float64)


def features(*, rows, width=5, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def pairwise(a, b):
    """(n, m) directly summed squared distances."""
    return (a.double()[:, None] - b.double()[None]).square().sum(dim=2)


def sorted_within(rows):
    return pairwise(rows, rows).fill_diagonal_(torch.inf).sort(dim=1).values


@pytest.fixture(params=[(9, kind) for kind in SHORT] + [(2048, None)], ids=str)
def screened(request, monkeypatch):
    """Small tiles in every type, and what small work gets by itself."""
    edge, dtype = request.param
    monkeypatch.setattr(metrics.screen, "SIDE", edge)
    if dtype is not None:
        for module in (metrics.neighbours, metrics.neighbourhood):
            monkeypatch.setattr(module, "screening_dtype", lambda *_: dtype)


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("kind", HARD)
def test_bounds_enclose_the_direct_sums(kind, dtype):
    a, b = HARD[kind](features(rows=40)), HARD[kind](features(rows=30, seed=1))
    shared = frame(a, b)
    tile = Tile(
        side(Rows(a), shared, dtype), side(Rows(b), shared, dtype), slice(10, 40), slice(5, 30)
    )
    pairs = tile.pairs(torch.ones(30, 25, dtype=torch.bool))
    direct = pairwise(a, b)[pairs.i, pairs.j]
    assert (pairs.low <= direct).all() and (direct <= pairs.high).all()


@pytest.mark.parametrize("dtype", SHORT)
@pytest.mark.parametrize("width", [64, 2048, 20_000])
def test_bounds_hold_and_are_tight_for_wide_features(width, dtype):
    rows = features(rows=80, width=width).float().relu()
    one = side(Rows(rows), frame(rows), dtype)
    pairs = Tile(one, one, slice(0, 80), slice(0, 80)).pairs(~torch.eye(80, dtype=torch.bool))
    direct = pairwise(rows, rows)[pairs.i, pairs.j]
    assert (pairs.low <= direct).all() and (direct <= pairs.high).all()
    loose = {torch.bfloat16: 0.05, torch.float32: 0.02, torch.float64: 1e-8}[dtype]
    assert ((pairs.high - pairs.low) / direct).max() < loose


@pytest.mark.parametrize("kind", HARD)
def test_radii_equal_brute_force_to_the_bit(kind, screened):
    rows = HARD[kind](features(rows=47))
    assert torch.equal(squared_radii(rows, 3), sorted_within(rows)[:, :3])
    assert torch.equal(radii(rows, 2), sorted_within(rows)[:, 1].sqrt())


@pytest.mark.parametrize("kind", HARD)
def test_nearest_equals_brute_force_and_the_smallest_index_wins(kind, screened):
    rows, among = HARD[kind](features(rows=20)), HARD[kind](features(rows=31, seed=1))
    among = torch.cat([among, rows[3:4]])
    direct = pairwise(rows, among)
    found = nearest(rows=rows, among=among)
    assert torch.equal(found.distances, direct.min(dim=1).values.sqrt())
    ties = direct == direct.min(dim=1, keepdim=True).values
    assert torch.equal(found.indices, ties.int().argmax(dim=1))
    assert found.distances[3] == 0


@pytest.mark.parametrize("kind", HARD)
def test_one_pass_equals_brute_force_for_everything_asked(kind, screened):
    real, fake = HARD[kind](features(rows=41)), HARD[kind](features(rows=29, seed=1))
    fake = torch.cat([fake, real[:5]])  # copies decide by the tie rule
    balls = (Balls(2, Ties.strict), Balls(3, Ties.inclusive), RealBalls(4, Ties.strict))
    found = Neighbours(real=real, fake=fake, wants=(*balls, NearestReal(), NearestFake()))
    direct = pairwise(fake, real)
    for want in balls:
        check_balls(found[want], want, real, fake, direct)
    assert torch.equal(found.nearest_real.distances, direct.min(dim=1).values.sqrt())
    assert torch.equal(found.nearest_fake.distances, direct.min(dim=0).values.sqrt())


def check_balls(found, want, real, fake, direct):
    reals, fakes = (sorted_within(rows)[:, want.k - 1] for rows in (real, fake))
    below = torch.lt if want.ties is Ties.strict else torch.le
    held = below(direct, reals[None, :])
    held_back = below(direct, fakes[:, None]) & (type(want) is Balls)
    assert torch.equal(found.real_balls, held.sum(dim=1))
    assert torch.equal(found.fakes_held, held.sum(dim=0))
    assert torch.equal(found.fake_balls, held_back.sum(dim=0))
    smallest = torch.where(held, reals, torch.inf).min(dim=1).values
    assert torch.equal(found.smallest_ball, smallest)
    at_smallest = held & (reals[None, :] == smallest[:, None])
    first = at_smallest.int().argmax(dim=1).where(held.any(dim=1), -1)
    assert torch.equal(found.smallest_ball_index, first)
    some, other = found.fakes_held > 0, found.fake_balls > 0
    columns = torch.arange(len(real))
    assert held[found.held_fake[some], columns[some]].all()
    assert held_back[found.smallest_fake_ball_index[other], columns[other]].all()


def test_what_was_not_announced_is_found_all_the_same():
    real, fake = features(rows=30), features(rows=20, seed=1)
    found = Neighbours(real=real, fake=fake)
    whole = Neighbours(real=real, fake=fake, wants=[Balls(5, Ties.strict), Balls(3, Ties.strict)])
    for k in (3, 5):
        want = Balls(k, Ties.strict)
        assert torch.equal(found[want].real_balls, whole[want].real_balls)


def test_a_metric_that_asks_too_much_does_not_harm_the_others():
    real, fake = features(rows=30), features(rows=4, seed=1)
    found = Neighbours(real=real, fake=fake, wants=[Balls(5, Ties.strict), NearestReal()])
    assert len(found.nearest_real.indices) == 4
    with pytest.raises(ValueError, match="fake: found 4 rows, k=5 needs at least 6"):
        found[Balls(5, Ties.strict)]


def test_all_pairs_are_seen_once_for_all_wants(monkeypatch):
    seen = []
    whole = metrics.neighbourhood.tiles
    monkeypatch.setattr(
        metrics.neighbourhood, "tiles", lambda a, b: (seen.append(1), whole(a, b))[1]
    )
    real, fake = features(rows=30), features(rows=20, seed=1)
    wants = [Balls(3, Ties.inclusive), Balls(5, Ties.strict), NearestReal(), NearestFake()]
    found = Neighbours(real=real, fake=fake, wants=wants)
    for want in wants:
        found[want]
    assert len(seen) == 1


def test_waiting_pairs_are_settled_early_without_changing_anything(monkeypatch):
    monkeypatch.setattr(metrics.screen, "SIDE", 9)
    monkeypatch.setattr(metrics.k_nearest, "PENDING", 40)
    for make in HARD.values():
        rows = make(features(rows=60))
        assert torch.equal(squared_radii(rows, 3), sorted_within(rows)[:, :3])


@pytest.mark.parametrize("width", [1, 3, 64, 1280, 2049, 50_000])
def test_a_distance_is_the_same_from_both_ends_and_in_any_company(width):
    rows = Rows(features(rows=6, width=width))
    i, j = torch.cartesian_prod(torch.arange(6), torch.arange(6)).T
    together = squared_distances(rows, rows, i, j).reshape(6, 6)
    assert torch.equal(together, together.T)
    assert torch.equal(together.diagonal(), torch.zeros(6, dtype=torch.float64))
    alone = [squared_distances(rows, rows, i[n : n + 1], j[n : n + 1]) for n in range(36)]
    assert torch.equal(torch.cat(alone).reshape(6, 6), together)


def test_looking_for_copies_changes_nothing(monkeypatch):
    rows = HARD["duplicates"](features(rows=30))
    plain = squared_radii(rows, 12)
    monkeypatch.setattr(metrics.distances, "MANY", 0)
    assert torch.equal(squared_radii(rows, 12), plain)


def test_many_copies_of_few_images_stay_cheap(monkeypatch):
    sums = []
    direct = metrics.distances._sum_pairs
    monkeypatch.setattr(
        metrics.distances,
        "_sum_pairs",
        lambda *given: (sums.append(len(given[2])), direct(*given))[1],
    )
    rows = features(rows=10).repeat(600, 1)  # 6000 rows, 18 million pairs, nearly all undecided
    assert torch.equal(squared_radii(rows, 5), torch.zeros(6000, 5, dtype=torch.float64))
    assert sum(sums) < 10_000


def test_neighbours_by_hand():
    rows = torch.tensor([[0.0], [1.0], [3.0], [3.0]])
    assert radii(rows, 1).tolist() == [1, 1, 0, 0]
    assert radii(rows, 2).tolist() == [3, 2, 2, 2]
    assert nearest_distances(rows=rows, among=rows[1:2]).tolist() == [1, 0, 2, 2]


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match=r"rows: found 3 rows, k=3 needs at least 4. Lower k"):
        radii(features(rows=3), 3)
    with pytest.raises(ValueError, match="k is 0"):
        radii(features(rows=3), 0)
    with pytest.raises(ValueError, match="Divide both sides"):
        radii(features(rows=9) * 1e200, 3)
    assert np.isfinite(radii(features(rows=9) * 1e100, 3)).all()
