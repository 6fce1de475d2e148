import numpy as np
import pytest
import torch
from vendi_score import vendi as peer

from metrics.intervals import standard_error
from metrics.vendi import Vendi, vendi


def features(*, rows, width=12, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def cosines(rows):
    unit = rows.numpy() / np.linalg.norm(rows.numpy(), axis=1, keepdims=True)
    return unit @ unit.T


@pytest.mark.parametrize("rows", [1, 5])
def test_copies_count_as_one(rows):
    found = vendi(fake=torch.ones(rows, 4))
    assert found == pytest.approx(dict.fromkeys(found, 1.0), rel=1e-12)


@pytest.mark.parametrize("copies", [1, 3])
def test_orthogonal_rows_count_each(copies):
    found = vendi(fake=torch.eye(4).repeat(copies, 1))
    assert found == pytest.approx(dict.fromkeys(found, 4.0), rel=1e-12)


def test_three_of_one_kind_and_one_of_another_by_hand():
    rows = torch.tensor([[2.0, 0.0]] * 3 + [[0.0, 5.0]])  # eigenvalues 3/4 and 1/4
    found = vendi(fake=rows)
    assert found["vendi_q1"] == pytest.approx((3 / 4) ** (-3 / 4) * 4 ** (1 / 4))
    assert found["vendi_q2"] == pytest.approx(1 / (9 / 16 + 1 / 16))
    assert found["vendi_qinf"] == pytest.approx(4 / 3)


@pytest.mark.parametrize("rows", [8, 11, 12, 13, 60])
def test_equals_the_authors_package_in_both_forms(rows):
    fake = features(rows=rows) + 0.5
    found = vendi(fake=fake)
    expected = {"vendi_q1": 1, "vendi_q2": 2, "vendi_qinf": "inf"}
    for score, q in expected.items():
        assert found[score] == pytest.approx(peer.score_K(cosines(fake), q=q), rel=1e-10)
    if rows > 12:  # below, their form takes logarithms of rounding
        assert found["vendi_q2"] == pytest.approx(peer.score_dual(fake.numpy(), q=2), rel=1e-10)


def test_lengths_of_rows_and_their_order_do_not_matter():
    fake = features(rows=30)
    lengths = torch.logspace(-200, 150, 30, dtype=torch.float64)[:, None]
    assert vendi(fake=(fake * lengths).flip(0)) == pytest.approx(vendi(fake=fake), rel=1e-10)


def test_collapse_is_less_diverse():
    fake = features(rows=200)
    near = fake[:1] + 0.1 * fake
    assert vendi(fake=near)["vendi_q1"] < 2 < 10 < vendi(fake=fake)["vendi_q1"]


@pytest.mark.parametrize("rows", [10, 50])
def test_influence_is_the_derivative_towards_one_more_weight(rows):
    """A row given a small share more moves the score by that share of its influence."""
    fake = features(rows=rows)
    found = Vendi().compute(fake=fake)
    influence = found.per_image["fake"]["vendi_q1_influence"]
    assert float(influence.mean()) == pytest.approx(0, abs=1e-10)
    more = torch.cat([fake.repeat(2000, 1), fake[3:4]])
    moved = vendi(fake=more)["vendi_q1"]
    share = 1 / len(more)
    slope = (moved - found.scores["vendi_q1"].value) / share
    assert slope == pytest.approx(float(influence[3]), rel=0.02, abs=0.01)


def test_interval_only_where_images_are_many():
    few, many = Vendi().compute(fake=features(rows=119)), Vendi().compute(fake=features(rows=120))
    assert few.scores["vendi_q1"].interval is None
    estimate = many.scores["vendi_q1"]
    assert estimate.standard_error == standard_error(many.per_image["fake"]["vendi_q1_influence"])
    assert estimate.interval[0] < estimate.value < estimate.interval[1]


def test_refuses_a_row_of_zeros():
    fake = features(rows=9)
    fake[4] = 0
    with pytest.raises(ValueError, match=r"fake: 1 of 9 rows are all zeros, the first is row 4"):
        vendi(fake=fake)
