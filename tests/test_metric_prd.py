import numpy as np
import pytest
import torch
from sklearn.cluster import MiniBatchKMeans

from metrics.prd import Prd, f_beta, max_f_beta, prd_curve, prd_from_histograms


def features(*, rows, width=4, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=draw)


def shares(*, clusters=20, seed=0):
    draw = torch.Generator().manual_seed(seed)
    found = torch.rand(clusters, generator=draw, dtype=torch.float64) ** 3
    return found / found.sum()


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def literal_curve(real, fake):
    """The authors' formula in numpy, all angles and clusters at once."""
    slopes = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, 1001))
    precision = np.minimum(real[None] * slopes[:, None], fake[None]).sum(axis=1)
    return np.clip(precision, 0, 1), np.clip(precision / slopes, 0, 1)


def test_slope_one_is_one_minus_total_variation():
    real, fake = shares(seed=0), shares(seed=1)
    precision, recall = prd_from_histograms(real=real, fake=fake)
    expected = 1 - float((real - fake).abs().sum()) / 2
    assert float(precision[500]) == pytest.approx(expected, abs=1e-12)
    assert float(recall[500]) == pytest.approx(expected, abs=1e-12)


def test_equal_histograms_reach_precision_and_recall_one():
    precision, recall = prd_from_histograms(real=shares(), fake=shares())
    assert float(precision[500:].min()) == pytest.approx(1, abs=1e-12)
    assert float(recall[:501].min()) == pytest.approx(1, abs=1e-12)
    assert float(max_f_beta(precision, recall, beta=8)) == pytest.approx(1, abs=1e-9)


def test_disjoint_histograms_score_nothing():
    real, fake = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    precision, recall = prd_from_histograms(real=real, fake=fake)
    assert float(precision.max()) == 0 and float(recall.max()) == 0
    assert float(max_f_beta(precision, recall, beta=8)) == 0


def test_a_missing_half_costs_recall_and_an_invented_half_precision():
    both, one = torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
    dropped = prd_from_histograms(real=both, fake=one)  # ends at precision 1, recall 1/2
    assert float(dropped[0].max()) == pytest.approx(1)
    assert float(dropped[1].max()) == pytest.approx(0.5)
    # at precision 1, recall 1/2: F_8 = 65 / 2 / 64.5, F_1/8 = (1 + 1/64) / 2 / (1/64 + 1/2)
    assert float(max_f_beta(*dropped, beta=8)) == pytest.approx(32.5 / 64.5, abs=1e-4)
    assert float(max_f_beta(*dropped, beta=1 / 8)) == pytest.approx(65 / 66, abs=1e-4)
    invented = prd_from_histograms(real=one, fake=both)
    assert float(invented[0].max()) == pytest.approx(0.5)
    assert float(max_f_beta(*invented, beta=8)) == pytest.approx(65 / 66, abs=1e-4)


def test_curve_and_f_scores_equal_the_authors_formula_in_numpy():
    real, fake = shares(seed=2), shares(seed=3)
    expected = literal_curve(real.numpy(), fake.numpy())
    found = prd_from_histograms(real=real, fake=fake)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-12, atol=1e-15)
    p, r = expected
    for beta in (8, 1 / 8):
        scores = (1 + beta**2) * p * r / (beta**2 * p + r + 1e-10)
        assert float(max_f_beta(*found, beta=beta)) == pytest.approx(scores.max(), rel=1e-12)
        np.testing.assert_allclose(f_beta(*found, beta=beta).numpy(), scores, rtol=1e-9)


def test_exchanging_the_sides_exchanges_precision_and_recall():
    one, other = shares(seed=0), shares(seed=1)
    precision, recall = prd_from_histograms(real=one, fake=other)
    swapped = prd_from_histograms(real=other, fake=one)
    torch.testing.assert_close(swapped[0].flip(0), recall, rtol=0, atol=1e-6)
    torch.testing.assert_close(swapped[1].flip(0), precision, rtol=0, atol=1e-6)


def test_curve_on_features_equals_the_authors_procedure_on_the_same_seeds():
    real, fake = features(rows=200), features(rows=150, seed=1) + 0.7
    seeds, stacked = rng(), np.vstack([fake.numpy(), real.numpy()])
    curves = []
    for _ in range(3):
        seed = int(torch.randint(2**31 - 1, (), generator=seeds))
        labels = MiniBatchKMeans(20, n_init=10, random_state=seed).fit(stacked).labels_
        sides = (labels[150:], labels[:150])
        bins = [np.bincount(side, minlength=20) / len(side) for side in sides]
        curves.append(literal_curve(*bins))
    found = prd_curve(real=real, fake=fake, rng=rng(), runs=3)
    for ours, theirs in zip(found, np.mean(curves, axis=0), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-9, atol=1e-12)


def test_collapse_costs_recall_and_noise_costs_precision():
    centres = torch.eye(4).repeat_interleave(50, 0) * 50
    real = centres + features(rows=200)
    one_mode = 50 * torch.eye(4)[0] + features(rows=200, seed=1)
    collapsed = Prd(runs=2).compute(real=real, fake=one_mode, rng=rng()).scores
    assert collapsed["f1_8"].value > 0.6 > collapsed["f8"].value
    noise = Prd(runs=2).compute(real=one_mode, fake=real, rng=rng()).scores
    assert noise["f8"].value > 0.6 > noise["f1_8"].value


def test_curve_is_kept_beside_the_scores():
    found = Prd(runs=2).compute(real=features(rows=90), fake=features(rows=70, seed=1), rng=rng())
    curve = found.curves["prd"]
    assert {name: column.shape for name, column in curve.items()} == {
        "precision": (1001,),
        "recall": (1001,),
    }
    f8 = max_f_beta(curve["precision"], curve["recall"], beta=8)
    assert float(f8) == found.scores["f8"].value


def test_seed_decides_and_repeats():
    real, fake = features(rows=90), features(rows=70, seed=1)
    first = Prd(runs=2).compute(real=real, fake=fake, rng=rng(1)).scores
    assert Prd(runs=2).compute(real=real, fake=fake, rng=rng(1)).scores == first
    assert Prd(runs=2).compute(real=real, fake=fake, rng=rng(2)).scores != first


def test_unequal_counts_are_refused_only_under_balance():
    real, fake = features(rows=90), features(rows=70, seed=1)
    Prd(runs=1).compute(real=real, fake=fake, rng=rng())
    with pytest.raises(ValueError, match="real has 90 rows and fake 70; balance=true"):
        Prd(runs=1, balance=True).compute(real=real, fake=fake, rng=rng())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clusters": 200}, "clusters is 200, expected 1 to 160"),
        ({"runs": 0}, "runs is 0"),
        ({"angles": 2}, "angles is 2, expected 3 or more"),
    ],
)
def test_refuses_parameters_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        prd_curve(real=features(rows=90), fake=features(rows=70), rng=rng(), **change)


@pytest.mark.parametrize("broken", [[0.5, 0.6], [1.5, -0.5], [0.2, 0.3, 0.5]])
def test_refuses_what_is_no_histogram(broken):
    with pytest.raises(ValueError, match="expected"):
        prd_from_histograms(real=torch.tensor([0.5, 0.5]), fake=torch.tensor(broken))


@pytest.mark.parametrize(("offset", "scale"), [(1e4, 1), (0, 1e18), (0, 1e-18)])
def test_offset_and_scale_move_no_cluster_of_float32_features(offset, scale):
    draw = torch.Generator().manual_seed(0)
    real = torch.randn(300, 8, generator=draw)
    fake = 0.3 + 0.5 * torch.randn(300, 8, generator=draw)
    grid = lambda rows: (rows * 64).round() / 64  # noqa: E731  exact under the offset

    def scores(real, fake):
        found = Prd(runs=2).compute(real=real, fake=fake, rng=torch.Generator().manual_seed(1))
        return {name: each.value for name, each in found.scores.items()}

    moved = [grid(rows) * scale + offset for rows in (real, fake)]
    assert scores(*moved) == pytest.approx(scores(grid(real), grid(fake)), rel=1e-6)
