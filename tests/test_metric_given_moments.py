"""Frechet distances to a reference of which only the moments are known."""

import numpy as np
import pytest
import torch
from pytorch_fid.fid_score import calculate_frechet_distance

from metrics.fid import Fid, frechet_distance
from metrics.fid_influence import fid_influence
from metrics.moments import Moments, moments
from metrics.sfid import Sfid


def features(*, rows, width=8, seed=0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    spread = torch.logspace(0, -1, width)
    return torch.randn(rows, width, generator=rng) * spread + shift


REAL, FAKE = features(rows=200), features(rows=150, seed=1, shift=0.2)


def given(real=REAL, fake=FAKE, *, ddof=1, **options):
    return Fid(ddof=ddof).compute_given_moments(real_moments=moments(real, **options), fake=fake)


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_distance_is_that_of_the_features(ddof):
    expected = frechet_distance(real=REAL, fake=FAKE, ddof=ddof)
    assert given(ddof=ddof).scores["fid"].value == pytest.approx(expected, rel=1e-12)


def test_fewer_fakes_than_features_are_scored_too():
    fake = FAKE[:5]
    outcome = given(fake=fake)
    assert outcome.flags == {"rank_deficient": 1}
    assert outcome.scores["fid"].value == pytest.approx(
        frechet_distance(real=REAL, fake=fake), rel=1e-12
    )


def test_a_reference_without_full_rank_costs_half_the_digits():
    real = features(rows=6)
    found = given(real=real).scores["fid"].value
    expected = frechet_distance(real=real, fake=FAKE)
    assert found == pytest.approx(expected, abs=1e-7 * float(torch.cov(REAL.T).trace()))


def test_the_error_is_the_fakes_part_of_the_error_of_both_sides():
    both = fid_influence(real=REAL, fake=FAKE)
    outcome = given()
    np.testing.assert_allclose(outcome.per_image["fake"]["fid_influence"], both.fake, rtol=1e-9)
    assert outcome.per_image.keys() == {"fake"}
    alone = outcome.scores["fid"]
    assert alone.standard_error == pytest.approx(float((both.fake.var() / 150) ** 0.5))
    assert alone.standard_error < both.estimate(alone.value).standard_error
    assert 0 < alone.bias < both.bias
    assert "reference given" in alone.interval_method


def test_the_one_sided_error_is_the_spread_over_draws_of_fakes():
    draws = [
        given(fake=features(rows=150, seed=2 + k, shift=0.2)).scores["fid"] for k in range(200)
    ]
    spread = float(np.std([one.value for one in draws], ddof=1))
    error = float(np.mean([one.standard_error for one in draws]))
    assert error == pytest.approx(spread, rel=0.15)  # 200 draws tell a spread to 5 %


def test_another_divisor_than_the_metrics_is_converted_where_the_count_is_known():
    expected = frechet_distance(real=REAL, fake=FAKE, ddof=0)
    assert given(ddof=0).scores["fid"].value == pytest.approx(expected)
    assert given(ddof=0).scores["fid"].value != given(ddof=1).scores["fid"].value
    unknown = Moments(*(getattr(moments(REAL), name) for name in ("mean", "covariance")))
    with pytest.raises(ValueError, match="needs the number of rows"):
        Fid(ddof=0).compute_given_moments(real_moments=unknown, fake=FAKE)


def test_other_widths_are_refused():
    with pytest.raises(ValueError, match="widths differ"):
        given(fake=features(rows=150, width=7))


def test_sfid_is_fid_on_spatial_moments():
    outcome = Sfid().compute_given_moments(real_spatial_moments=moments(REAL), fake_spatial=FAKE)
    assert outcome.scores["sfid"].value == given().scores["fid"].value
    assert outcome.per_image["fake"].keys() == {"sfid_influence"}


def test_pytorch_fid_agrees():
    real, fake = (x.double().numpy() for x in (REAL, FAKE))
    expected = calculate_frechet_distance(
        real.mean(0), np.cov(real, rowvar=False), fake.mean(0), np.cov(fake, rowvar=False)
    )
    assert given().scores["fid"].value == pytest.approx(expected, rel=1e-9)
