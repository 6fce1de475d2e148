import numpy as np
import pytest
import scipy.linalg
import torch

from metrics.fid import Fid, frechet_distance, frechet_distance_from_moments
from metrics.fid_influence import fid_influence
from metrics.intervals import standard_error
from metrics.moments import Moments, moments


def features(*, rows, width=6, seed=0, shift=0.0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    spread = torch.logspace(0, -1, width, dtype=torch.float64) * scale
    turn = torch.linalg.qr(torch.randn(width, width, generator=rng, dtype=torch.float64)).Q
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) * spread @ turn + shift


def sides(**changes):
    return {
        "real": features(rows=200, **changes),
        "fake": features(rows=150, seed=1, shift=0.2, scale=1.3, **changes),
    }


def with_more_of(side, image, share):
    """Moments (ddof 0) of the side mixed with a share of one of its images."""
    found = moments(side, ddof=0)
    centred = side[image] - found.mean
    return Moments(
        found.mean + share * centred,
        (1 - share) * found.covariance + share * (1 - share) * torch.outer(centred, centred),
    )


@pytest.mark.parametrize("changed", ["real", "fake"])
def test_influence_is_the_change_of_the_distance_by_a_little_more_of_an_image(changed):
    given = sides()
    known = {name: moments(rows, ddof=0) for name, rows in given.items()}
    influence = getattr(fid_influence(**given, ddof=0), changed)
    for image in (0, 7, 100):
        share = 1e-5
        up, down = (
            frechet_distance_from_moments(
                **{**known, changed: with_more_of(given[changed], image, sign * share)}
            )
            for sign in (1, -1)
        )
        # float32 products: good to 1e-6 of the largest influence
        tolerance = 1e-6 * float(influence.abs().max())
        assert float(influence[image]) == pytest.approx((up - down) / (2 * share), abs=tolerance)


def test_influence_equals_the_form_with_matrix_roots():
    given = sides()
    (mr, sr), (mf, sf) = (
        (x.numpy().mean(0), np.cov(x.numpy(), rowvar=False)) for x in given.values()
    )
    root = scipy.linalg.sqrtm(sf).real
    inner = scipy.linalg.sqrtm(root @ sr @ root).real
    mapped = np.linalg.inv(root) @ inner @ np.linalg.inv(root)
    for side, centre, gap, to_other in (
        ("fake", mf, mf - mr, mapped),
        ("real", mr, mr - mf, np.linalg.inv(mapped)),
    ):
        c = given[side].numpy() - centre
        expected = 2 * c @ gap + np.einsum("ni,ij,nj->n", c, np.eye(len(gap)) - to_other, c)
        found = getattr(fid_influence(**given), side)
        expected -= expected.mean()
        np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


def test_influences_have_mean_zero_and_make_the_standard_error():
    found = Fid().compute(**sides())
    real, fake = (found.per_image[side]["fid_influence"] for side in ("real", "fake"))
    assert abs(float(real.mean())) < 1e-12 and abs(float(fake.mean())) < 1e-12
    error = found.scores["fid"].standard_error
    assert error == pytest.approx(standard_error(real, fake), rel=1e-12)
    assert found.scores["fid"].interval[0] <= found.scores["fid"].value


def test_an_outlier_among_the_fakes_has_the_largest_influence():
    given = sides()
    given["fake"][11] += 20
    assert int(fid_influence(**given).fake.argmax()) == 11


def test_standard_error_is_the_spread_over_new_draws():
    draws = [
        Fid().compute(real=gaussian(400, draw, 1.0), fake=gaussian(300, 1000 + draw, 1.5))
        for draw in range(150)
    ]
    values = torch.tensor([found.scores["fid"].value for found in draws])
    errors = torch.tensor([found.scores["fid"].standard_error for found in draws])
    # the spread of 150 draws is known to 6 %
    assert float(errors.mean()) == pytest.approx(float(values.std()), rel=0.2)


def gaussian(rows, seed, scale, width=4):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) * scale


@pytest.mark.parametrize("ddof", [0, 1])
def test_bias_is_that_of_gaussians_of_known_distance(ddof):
    truth = 4 * (1.5 - 1.0) ** 2
    found = [
        Fid(ddof=ddof).compute(real=gaussian(80, i, 1.0), fake=gaussian(60, 999 + i, 1.5)).scores
        for i in range(400)
    ]
    true_bias = np.mean([scores["fid"].value for scores in found]) - truth
    estimate = np.mean([scores["fid"].bias for scores in found])
    # the mean of 400 distances is known to 0.01, the bias is about 0.2
    assert estimate == pytest.approx(true_bias, abs=0.03)


def test_few_rows_have_no_error_and_no_bias_but_a_value():
    real = features(rows=200)
    for rows in (4, 6, 12):
        found = Fid().compute(real=real, fake=features(rows=rows, seed=1))
        assert found.scores["fid"].value > 0 and found.scores["fid"].standard_error is None
        assert found.scores["fid"].bias is None and not found.per_image
        why = "rank_deficient" if rows <= 6 else "too_few_images_for_an_error"
        assert found.flags == {why: 1}
    assert Fid().compute(real=real, fake=features(rows=13)).scores["fid"].standard_error > 0


def test_many_copies_have_no_full_rank_and_no_error():
    found = Fid().compute(real=features(rows=200), fake=features(rows=5, seed=1).repeat(40, 1))
    assert found.flags == {"rank_deficient": 1}
    assert found.scores["fid"].standard_error is None


def test_columns_that_never_vary_change_nothing_but_the_mean_term():
    given = sides()
    dead = {side: torch.nn.functional.pad(rows, (0, 2)) for side, rows in given.items()}
    dead["fake"][:, -1] = 3.0
    expected, found = fid_influence(**given), fid_influence(**dead)
    assert frechet_distance(**dead) == pytest.approx(frechet_distance(**given) + 9, rel=1e-12)
    torch.testing.assert_close(found.fake, expected.fake, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.real, expected.real, rtol=0, atol=1e-5)
    assert found.bias == pytest.approx(expected.bias, rel=1e-9)


@pytest.mark.parametrize("order", ["descending", "ascending", "random", "turned"])
@pytest.mark.parametrize("decades", [2, 5])
def test_value_keeps_its_digits_whatever_the_spectrum_and_the_order_of_columns(order, decades):
    rng = torch.Generator().manual_seed(0)
    spread = torch.logspace(0, -decades, 64, dtype=torch.float64)
    spread = {"ascending": spread.flip(0), "random": spread[torch.randperm(64, generator=rng)]}.get(
        order, spread
    )
    real, fake = (torch.randn(400, 64, generator=rng, dtype=torch.float64) for _ in range(2))
    real, fake = real * spread, fake * spread * 1.05
    if order == "turned":
        turn = torch.linalg.qr(torch.randn(64, 64, generator=rng, dtype=torch.float64)).Q
        real, fake = real @ turn, fake @ turn
    triangles = [torch.linalg.qr(x - x.mean(0)).R / (len(x) - 1) ** 0.5 for x in (real, fake)]
    overlap = float(torch.linalg.svdvals(triangles[0] @ triangles[1].T).sum())
    traces = float(sum(triangle.square().sum() for triangle in triangles))
    expected = float((real.mean(0) - fake.mean(0)).square().sum()) + traces - 2 * overlap
    assert frechet_distance(real=real, fake=fake) == pytest.approx(expected, rel=1e-9)
    found = Fid().compute(real=real, fake=fake).scores["fid"]  # by eigenvectors
    assert found.value == pytest.approx(expected, rel=1e-9)


def test_single_precision_and_another_order_of_rows_give_the_same_influences():
    given = {side: rows.float() for side, rows in sides().items()}
    expected = fid_influence(**given)
    wide = fid_influence(**{side: rows.double() for side, rows in given.items()})
    turned = fid_influence(real=given["real"].roll(9, 0), fake=given["fake"].flip(0))
    torch.testing.assert_close(wide.fake, expected.fake, rtol=0, atol=1e-5)
    torch.testing.assert_close(turned.real.roll(-9), expected.real, rtol=0, atol=1e-5)
    torch.testing.assert_close(turned.fake.flip(0), expected.fake, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-60, 1e-9, 1e9, 1e60])
def test_the_error_and_the_bias_scale_with_the_square_of_the_features(scale):
    given = sides()
    one = Fid().compute(**given).scores["fid"]
    other = Fid().compute(**{side: rows * scale for side, rows in given.items()}).scores["fid"]
    assert other.standard_error / scale**2 == pytest.approx(one.standard_error, rel=1e-5)
    assert other.bias / scale**2 == pytest.approx(one.bias, rel=1e-5)


def test_features_whose_powers_leave_float64_are_refused():
    given = {side: rows.double() * 1e-100 for side, rows in sides().items()}
    with pytest.raises(ValueError, match=r"real: features reach .*expected 1e-70 to 1e70"):
        Fid().compute(**given)
