import numpy as np
import pytest
import torch
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.kid import poly_mmd

import metrics.kid
import metrics.kid_subsets
import metrics.polynomial_kernel
import metrics.subset_mmds
from metrics.kid import centred_kernel, squared_mmd
from metrics.kid_subsets import Draw, KidSubsets, TooSmall, kid_subsets
from metrics.subset_mmds import from_all_pairs, one_by_one


def features(*, rows, width=16, seed=0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64) + shift


def fidelity(real, fake, *, seed=2020, **sizes):
    found = kid_features_to_metric(fake, real, rng_seed=seed, verbose=False, **sizes)
    return found["kernel_inception_distance_mean"], found["kernel_inception_distance_std"]


@pytest.mark.parametrize(("n", "m"), [(90, 70), (50, 200)])
def test_replays_torch_fidelity(n, m):
    real, fake = features(rows=n), features(rows=m, seed=1, shift=0.1)
    found = kid_subsets(real=real, fake=fake, subsets=7, subset_size=40, draw=Draw.numpy_2020)
    expected = fidelity(real, fake, kid_subsets=7, kid_subset_size=40)
    assert found == pytest.approx(expected, rel=1e-9)


def test_default_is_torch_fidelity_with_the_seed_that_the_generator_gives():
    real, fake = features(rows=1100, width=4), features(rows=1050, width=4, seed=1, shift=0.1)
    rng = torch.Generator().manual_seed(5)
    seed = int(torch.randint(2**32, (), generator=torch.Generator().manual_seed(5)))
    found = KidSubsets(subsets=3).compute(real=real, fake=fake, rng=rng)
    expected = fidelity(real, fake, seed=seed, kid_subsets=3)
    values = found.scores["kid_mean"].value, found.scores["kid_std"].value
    assert values == pytest.approx(expected, rel=1e-9)
    assert found.flags == {}


def test_kernel_parameters_equal_torch_fidelity():
    real, fake = features(rows=60), features(rows=60, seed=1, shift=0.1)
    found = kid_subsets(
        real=real,
        fake=fake,
        subsets=3,
        subset_size=20,
        degree=2,
        gamma=0.3,
        coef0=0.5,
        draw=Draw.numpy_2020,
    )
    kernel = {
        "kid_kernel_poly_degree": 2,
        "kid_kernel_poly_gamma": 0.3,
        "kid_kernel_poly_coef0": 0.5,
    }
    expected = fidelity(real, fake, kid_subsets=3, kid_subset_size=20, **kernel)
    assert found == pytest.approx(expected, rel=1e-9)


def test_equals_torchmetrics_on_the_same_draws():
    real, fake = features(rows=60), features(rows=50, seed=1, shift=0.1)
    stream, values = np.random.RandomState(2020), []
    for _ in range(5):
        y = fake[stream.choice(50, 30, replace=False)]
        x = real[stream.choice(60, 30, replace=False)]
        values.append(float(poly_mmd(x, y)))
    found = kid_subsets(real=real, fake=fake, subsets=5, subset_size=30, draw=Draw.numpy_2020)
    assert found == pytest.approx((np.mean(values), np.std(values)), rel=1e-9)


def test_subsets_of_everything_are_the_whole_set():
    real, fake = features(rows=40), features(rows=40, seed=1, shift=0.3)
    mean, spread = kid_subsets(real=real, fake=fake, subsets=3, draw=Draw.numpy_2020)
    assert mean == pytest.approx(squared_mmd(real=real, fake=fake), rel=1e-11)
    assert spread == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("road", ["one_by_one", "from_all_pairs"])
@pytest.mark.parametrize("offset", [0.0, 30.0])
@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_float32_products_keep_six_digits(road, offset, shift, monkeypatch):
    real = features(rows=1500, width=64).relu() + offset
    fake = features(rows=1500, width=64, seed=1, shift=shift).relu() + offset
    monkeypatch.setattr(metrics.kid_subsets, "subset_mmds", getattr(metrics.subset_mmds, road))

    def found():
        return kid_subsets(real=real, fake=fake, subsets=5, draw=Draw.numpy_2020)

    narrow = found()
    monkeypatch.setattr(metrics.kid, "FLOAT32_PAIRS", 10**9)
    wide = found()
    assert narrow != wide  # 5 million pairs pay for float32
    # where both sides are alike the mean may be nearly 0; its noise is the spread's size
    assert narrow == pytest.approx(wide, rel=1e-6, abs=0 if shift else 1e-6 * wide[1])


@pytest.mark.parametrize(("n", "m"), [(60, 45), (45, 60)])
def test_both_roads_sum_the_same_pairs(n, m, monkeypatch):
    monkeypatch.setattr(metrics.subset_mmds, "TILE", 17**2)  # several tiles, the last ones short
    monkeypatch.setattr(metrics.polynomial_kernel, "STRIP", 40)  # of two rows each
    real, fake = features(rows=n, shift=2.0), features(rows=m, seed=1, shift=2.3)
    kernel = centred_kernel(real=real, fake=fake)
    draw = torch.Generator().manual_seed(4)
    i, j = (
        torch.stack([torch.randperm(count, generator=draw)[:20] for _ in range(6)])
        for count in (n, m)
    )
    sides = {"real": kernel.side(real), "fake": kernel.side(fake)}
    expected = [squared_mmd(real=real[a], fake=fake[b]) for a, b in zip(i, j, strict=True)]
    for road in (one_by_one, from_all_pairs):
        found = road(kernel, **sides, real_rows=i, fake_rows=j)
        assert found.tolist() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("subsets", "road"), [(1, "one_by_one"), (100, "from_all_pairs")])
def test_many_subsets_of_few_rows_take_the_kernel_of_all_pairs(subsets, road, monkeypatch):
    taken = []
    for name in ("one_by_one", "from_all_pairs"):
        monkeypatch.setattr(
            metrics.subset_mmds, name, lambda *_, name=name, **__: taken.append(name)
        )
    drawn = torch.zeros(subsets, 20, dtype=torch.int64)
    sides = {"real": range(40), "fake": range(40)}
    metrics.subset_mmds.subset_mmds(None, **sides, real_rows=drawn, fake_rows=drawn)
    assert taken == [road]


def test_another_seed_draws_other_subsets():
    real, fake = features(rows=40), features(rows=40, seed=1)

    def value(seed):
        rng = torch.Generator().manual_seed(seed)
        return kid_subsets(real=real, fake=fake, subsets=2, subset_size=10, rng=rng)

    assert value(1) == value(1) != value(2)


def test_a_small_side_shrinks_the_subsets_and_is_flagged_or_is_refused():
    real, fake, rng = features(rows=40), features(rows=30, seed=1), torch.Generator()
    found = KidSubsets(subsets=2).compute(real=real, fake=fake, rng=rng)
    assert found.flags == {"subset_size_lowered_to": 30}
    with pytest.raises(ValueError, match=r"found 40 rows .*fake: 30.*subset_size=30.*=minimum"):
        KidSubsets(too_small=TooSmall.error).compute(real=real, fake=fake, rng=rng)


def test_refusals_say_what_to_do():
    ten = features(rows=10)
    with pytest.raises(ValueError, match="pass rng="):
        kid_subsets(real=ten, fake=ten)
    with pytest.raises(ValueError, match="subset_size is 1"):
        kid_subsets(real=ten, fake=ten, subset_size=1)
    with pytest.raises(ValueError, match="subsets is 0"):
        kid_subsets(real=ten, fake=ten, subsets=0, draw=Draw.numpy_2020)
