import numpy as np
import pytest
import scipy.linalg
import torch
from pytorch_fid.fid_score import calculate_frechet_distance
from torch_fidelity.metric_fid import fid_statistics_to_metric
from torchmetrics.image.fid import _compute_fid

from metrics.fid import Fid, frechet_distance, frechet_distance_from_moments
from metrics.moments import Moments, moments


def features(*, rows, width=16, seed=0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    spread = torch.logspace(0, -2, width, dtype=torch.float64)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) * spread + shift


def statistics(rows):
    rows = rows.numpy()
    return {"mu": rows.mean(axis=0), "sigma": np.cov(rows, rowvar=False)}


def brute_force(real, fake):
    a, b = statistics(real), statistics(fake)
    root = scipy.linalg.sqrtm(a["sigma"] @ b["sigma"]).real
    gap = a["mu"] - b["mu"]
    return gap @ gap + np.trace(a["sigma"] + b["sigma"] - 2 * root)


def test_one_dimension_by_hand():
    real = torch.tensor([[0.0], [2.0]])  # mean 1, variance 2 with ddof 1 and 1 with ddof 0
    fake = torch.tensor([[0.0], [4.0]])  # mean 2, variance 8 and 4
    assert frechet_distance(real=real, fake=fake) == pytest.approx(1 + (8**0.5 - 2**0.5) ** 2)
    assert frechet_distance(real=real, fake=fake, ddof=0) == pytest.approx(1 + (2 - 1) ** 2)


def test_a_pure_shift_costs_its_squared_length():
    real = features(rows=50)
    shift = torch.zeros(16, dtype=torch.float64)
    shift[:2] = torch.tensor([3.0, 4.0])
    assert frechet_distance(real=real, fake=real + shift) == pytest.approx(25)


def test_collapse_onto_the_mean_costs_the_trace():
    real = features(rows=50)
    fake = real.mean(dim=0).expand(20, -1)
    trace = float(torch.cov(real.T).trace())
    assert frechet_distance(real=real, fake=fake) == pytest.approx(trace, rel=1e-9)


@pytest.mark.parametrize("rows", [3, 10, 16, 17, 400])
def test_identical_sides_are_at_zero(rows):
    real = features(rows=rows)
    trace = float(torch.cov(real.T).trace())
    assert 0 <= frechet_distance(real=real, fake=real.clone()) < 1e-12 * trace


def test_order_of_rows_does_not_matter():
    real, fake = features(rows=100), features(rows=80, seed=1, shift=0.1)
    mixed = frechet_distance(real=real.flip(0), fake=fake.roll(7, 0))
    assert mixed == pytest.approx(frechet_distance(real=real, fake=fake), rel=1e-9)


@pytest.mark.parametrize("peer", ["torch_fidelity", "pytorch_fid", "torchmetrics", "numpy"])
def test_equals_peers_on_full_rank(peer):
    real, fake = features(rows=300), features(rows=200, seed=1, shift=0.1)
    a, b = statistics(real), statistics(fake)
    expected = {
        "torch_fidelity": lambda: fid_statistics_to_metric(a, b, False)[
            "frechet_inception_distance"
        ],
        "pytorch_fid": lambda: calculate_frechet_distance(a["mu"], a["sigma"], b["mu"], b["sigma"]),
        "torchmetrics": lambda: float(
            _compute_fid(*(torch.from_numpy(s[k]) for s in (a, b) for k in ("mu", "sigma")))
        ),
        "numpy": lambda: brute_force(real, fake),
    }[peer]()
    assert frechet_distance(real=real, fake=fake) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("n", "m"), [(8, 8), (8, 300), (300, 8), (16, 17)])
def test_low_rank_equals_the_nuclear_norm_of_the_cross_product(n, m):
    real, fake = features(rows=n), features(rows=m, seed=1)
    x, y = (real - real.mean(0)).numpy(), (fake - fake.mean(0)).numpy()
    cross = np.linalg.svd(x @ y.T, compute_uv=False).sum() / np.sqrt((n - 1) * (m - 1))
    gap = (real.mean(0) - fake.mean(0)).numpy()
    traces = (x**2).sum() / (n - 1) + (y**2).sum() / (m - 1)
    expected = gap @ gap + traces - 2 * cross
    assert frechet_distance(real=real, fake=fake) == pytest.approx(expected, rel=1e-9)


def test_moments_give_the_distance_of_the_features():
    real, fake = features(rows=300), features(rows=200, seed=1, shift=0.1)
    value = frechet_distance_from_moments(real=moments(real), fake=moments(fake))
    assert value == pytest.approx(frechet_distance(real=real, fake=fake), rel=1e-8)


def test_moments_equal_numpy_whatever_the_block():
    rows = features(rows=50, shift=1e6)
    for entries in (1, 100, 10**6):
        found = moments(rows, entries=entries, ddof=0)
        np.testing.assert_allclose(found.mean, rows.numpy().mean(axis=0), rtol=1e-14)
        expected = np.cov(rows.numpy(), rowvar=False, ddof=0)
        np.testing.assert_allclose(found.covariance, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("offset", "scale", "tolerance"), [(1e4, 1, 1e-9), (1e6, 1, 1e-7), (0, 1e20, 1e-9)]
)
def test_offset_and_scale_keep_the_digits(offset, scale, tolerance):
    real, fake = features(rows=100), features(rows=100, seed=1, shift=0.1)
    expected = frechet_distance(real=real, fake=fake) * scale**2
    moved = frechet_distance(real=real * scale + offset, fake=fake * scale + offset)
    assert moved == pytest.approx(expected, rel=tolerance)


def test_fewer_rows_than_width_are_scored_and_flagged():
    found = Fid().compute(real=features(rows=100), fake=features(rows=10))
    assert found.flags == {"rank_deficient": 1}
    few = Fid().compute(real=features(rows=100), fake=features(rows=17))
    assert few.flags == {"too_few_images_for_an_error": 1}
    assert not Fid().compute(real=features(rows=100), fake=features(rows=33)).flags


def test_duplicates_are_scored():
    same = torch.ones(30, 4)
    assert frechet_distance(real=same, fake=same) == 0


def test_refuses_what_has_no_covariance():
    with pytest.raises(ValueError, match="fake: found 1 rows"):
        frechet_distance(real=features(rows=10), fake=features(rows=1))
    with pytest.raises(ValueError, match="ddof is -1"):
        frechet_distance(real=features(rows=10), fake=features(rows=10), ddof=-1)


def test_refuses_moments_that_are_none():
    good = moments(features(rows=50, width=3))
    negative = Moments(good.mean, -good.covariance)
    skewed = Moments(good.mean, good.covariance + torch.ones(3, 3).triu(1))
    narrow = moments(features(rows=50, width=2))
    for bad, words in [(negative, "below zero"), (skewed, "not symmetric"), (narrow, "widths")]:
        with pytest.raises(ValueError, match=words):
            frechet_distance_from_moments(real=good, fake=bad)
