import numpy as np
import pytest
import torch

from metrics.fid import frechet_distance
from metrics.fid_infinity import FidInfinity, fid_infinity


def features(*, rows, width=8, seed=0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) * scale


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_equals_a_line_fitted_to_the_same_subsets():
    real, fake = features(rows=300), features(rows=200, seed=1, scale=1.2)
    draw = rng()
    sizes = np.linspace(20, 200, 15).astype(int)
    values = [
        frechet_distance(real=real, fake=fake[torch.randperm(200, generator=draw)[: int(n)]])
        for n in sizes
    ]
    intercept = np.polyfit(1 / sizes, values, 1)[1]
    assert fid_infinity(real=real, fake=fake, rng=rng()) == pytest.approx(intercept, rel=1e-9)


def test_takes_off_the_bias_of_the_generated_side_only():
    real = features(rows=50_000)  # its own share of the bias is small
    truth = 8 * 0.2**2
    plain, extrapolated = [], []
    for seed in range(1, 41):
        fake = features(rows=200, seed=seed, scale=1.2)
        plain.append(frechet_distance(real=real, fake=fake))
        found = fid_infinity(real=real, fake=fake, rng=rng(seed), points=6, min_size=100)
        extrapolated.append(found)
    assert np.mean(plain) - truth > 0.08
    assert abs(np.mean(extrapolated) - truth) < 0.05  # the mean of 40 is known to 0.02


def test_replacement_leaves_the_bias():
    real, fake = features(rows=5000), features(rows=600, seed=1)
    kept = fid_infinity(real=real, fake=fake, rng=rng(), replacement=True, min_size=200)
    taken = fid_infinity(real=real, fake=fake, rng=rng(), min_size=200)
    assert kept > 0.7 * frechet_distance(real=real, fake=fake) > 1.5 * taken


def test_curve_runs_to_the_whole_set_and_the_default_start_is_a_tenth():
    real, fake = features(rows=300), features(rows=200, seed=1)
    curve = FidInfinity().compute(real=real, fake=fake, rng=rng()).curves["subsets"]
    assert curve["size"][0] == 20 and curve["size"][-1] == 200 and len(curve["fid"]) == 15
    whole = frechet_distance(real=real, fake=fake)
    assert float(curve["fid"][-1]) == pytest.approx(whole, rel=1e-9)


def test_standard_error_is_the_spread_over_new_images_and_new_subsets():
    found = [
        FidInfinity(points=5, min_size=100).compute(
            real=features(rows=500, width=4, seed=seed),
            fake=features(rows=400, width=4, seed=1000 + seed, scale=1.5),
            rng=rng(seed),
        )
        for seed in range(100)
    ]
    values = torch.tensor([outcome.scores["fid_infinity"].value for outcome in found])
    errors = torch.tensor([outcome.scores["fid_infinity"].standard_error for outcome in found])
    # the spread of 100 draws is known to 7 %
    assert float(errors.mean()) == pytest.approx(float(values.std()), rel=0.25)


def test_sizes_without_full_rank_are_flagged():
    found = FidInfinity().compute(
        real=features(rows=300), fake=features(rows=50, seed=1), rng=rng()
    )
    assert found.flags == {"rank_deficient_sizes": 2}  # 5 and 8 images of width 8


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"points": 1}, "points is 1"),
        ({"min_size": 200}, "min_size is 200"),
        ({"min_size": 1}, "min_size is 1"),
    ],
)
def test_refuses_sizes_that_make_no_line(given, words):
    with pytest.raises(ValueError, match=words):
        fid_infinity(real=features(rows=300), fake=features(rows=200), rng=rng(), **given)


def test_refuses_two_images():
    with pytest.raises(ValueError, match="fake: found 2 rows"):
        fid_infinity(real=features(rows=300), fake=features(rows=2), rng=rng())
