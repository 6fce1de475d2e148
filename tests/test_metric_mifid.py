import math

import numpy as np
import pytest
import torch
from torchmetrics.image.mifid import _mifid_compute

from metrics.fid import frechet_distance
from metrics.mifid import Mifid, Roles, cosine_distances, mifid


def features(*, rows, width=16, seed=0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) + shift


def peer(real, fake, eps=0.1):
    moments = [(x.mean(0), torch.cov(x.T)) for x in (real, fake)]
    return float(_mifid_compute(*moments[0], real, *moments[1], fake, cosine_distance_eps=eps))


def test_half_the_angle_by_hand():
    real = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    fake = torch.tensor([[1.0, 1.0], [-3.0, 0.0]])
    expected = torch.tensor([1 - 0.5**0.5, 0.0], dtype=torch.float64)
    torch.testing.assert_close(cosine_distances(real=real, fake=fake), expected)


@pytest.mark.parametrize(("shift", "eps"), [(0.0, 0.1), (2.0, 0.1), (2.0, 0.2), (0.0, 1.0)])
def test_equals_torchmetrics(shift, eps):
    """Its memorisation is that of its first side against its second."""
    real, fake = features(rows=200, shift=shift), features(rows=150, seed=1, shift=shift) * 1.1
    expected = peer(real, fake, eps)
    assert mifid(real=fake, fake=real, eps=eps) == pytest.approx(expected, rel=1e-8)
    found = Mifid(eps=eps, roles=Roles.swapped).compute(real=real, fake=fake)
    assert found.scores["mifid"].value == pytest.approx(expected, rel=1e-8)
    assert mifid(real=real, fake=fake, eps=eps) == pytest.approx(peer(fake, real, eps), rel=1e-8)


def test_roles_say_whose_distances_count_and_are_kept():
    real, fake = features(rows=100, shift=1), features(rows=30, seed=1, shift=1)
    for roles, side, rows in ((Roles.published, "fake", 30), (Roles.swapped, "real", 100)):
        found = Mifid(roles=roles).compute(real=real, fake=fake)
        assert {
            key: len(columns["cosine_distance"]) for key, columns in found.per_image.items()
        } == {side: rows}
    copied = torch.cat([real, fake])  # every real is in it, and 30 more
    assert math.isnan(
        Mifid(roles=Roles.swapped).compute(real=real, fake=copied).scores["mifid"].value
    )
    assert math.isfinite(Mifid().compute(real=real, fake=copied).scores["mifid"].value)


def test_distances_equal_numpy_whatever_the_block():
    real, fake = features(rows=70, shift=1), features(rows=50, seed=1, shift=1)
    a, b = (x.numpy() / np.linalg.norm(x.numpy(), axis=1, keepdims=True) for x in (fake, real))
    expected = (1 - np.abs(a @ b.T)).min(axis=1)
    for entries in (1, 20_000, 10**7):
        found = cosine_distances(real=real, fake=fake, entries=entries)
        np.testing.assert_allclose(found, expected, atol=1e-14)


def test_near_copies_raise_the_score():
    real = features(rows=200)
    fresh = features(rows=150, seed=1)
    copies = real[:150] + 0.05 * fresh
    assert mifid(real=real, fake=fresh) == frechet_distance(real=real, fake=fresh)
    assert mifid(real=real, fake=copies) > 100 * frechet_distance(real=real, fake=copies)
    assert Mifid().compute(real=real, fake=copies).flags == {"memorisation_penalty": 1}


def test_copies_have_no_score():
    real = features(rows=100)
    found = Mifid().compute(real=real, fake=2 * real[:50])
    assert math.isnan(found.scores["mifid"].value) and "copy" in found.scores["mifid"].undefined


def test_rows_of_zeros_are_left_out_and_flagged():
    real, fake = features(rows=100), features(rows=50, seed=1)
    fake[3], real[:2] = 0, 0
    found = Mifid(eps=1.0).compute(real=real, fake=fake)
    column = found.per_image["fake"]["cosine_distance"]
    assert column.isnan().tolist() == [image == 3 for image in range(50)]
    assert found.flags == {"memorisation_penalty": 1, "zero_rows_fake": 1, "zero_rows_real": 2}
    assert math.isfinite(found.scores["mifid"].value)


def test_refuses_sides_of_zeros_and_eps_out_of_range():
    real = features(rows=20)
    with pytest.raises(ValueError, match="fake: all 9 rows are zeros"):
        mifid(real=real, fake=torch.zeros(9, 16))
    with pytest.raises(ValueError, match="eps is 0"):
        mifid(real=real, fake=real, eps=0)
