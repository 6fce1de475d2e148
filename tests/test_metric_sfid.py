import pytest
import torch

from metrics.fid import Fid, frechet_distance
from metrics.sfid import Sfid, sfid


def features(*, rows, width=12, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng)


def test_is_the_frechet_distance_of_spatial_features():
    real, fake = features(rows=100), features(rows=80, seed=1) * 1.2
    expected = frechet_distance(real=real, fake=fake)
    assert sfid(real_spatial=real, fake_spatial=fake) == expected
    found = Sfid().compute(real_spatial=real, fake_spatial=fake)
    assert found.scores["sfid"].value == pytest.approx(expected, rel=1e-12)
    fid = Fid().compute(real=real, fake=fake)
    assert found.scores["sfid"].standard_error == fid.scores["fid"].standard_error
    for side in ("real", "fake"):
        column = found.per_image[side]["sfid_influence"]
        assert torch.equal(column, fid.per_image[side]["fid_influence"])


def test_order_of_positions_does_not_matter():
    real, fake = features(rows=100), features(rows=80, seed=1) * 1.2
    turned = sfid(real_spatial=real.flip(1), fake_spatial=fake.flip(1))
    assert turned == pytest.approx(sfid(real_spatial=real, fake_spatial=fake), rel=1e-9)


def test_few_rows_are_scored_and_flagged():
    found = Sfid().compute(real_spatial=features(rows=100), fake_spatial=features(rows=9, seed=1))
    assert found.flags == {"rank_deficient": 1}
    assert found.scores["sfid"].standard_error is None


def test_refuses_what_is_no_table_of_features():
    with pytest.raises(ValueError, match="fake_spatial: found 1 rows"):
        sfid(real_spatial=features(rows=9), fake_spatial=features(rows=1))
    with pytest.raises(ValueError, match="widths differ"):
        sfid(real_spatial=features(rows=9), fake_spatial=features(rows=9, width=3))
