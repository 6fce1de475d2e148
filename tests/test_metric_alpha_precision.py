import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from metrics.alpha_precision import AlphaPrecision, Embedding, alpha_precision
from metrics.metric import Better
from metrics.neighbourhood import Neighbours
from metrics.one_class import OneClass, embed, fit_one_class

SHORT = OneClass(epochs=20, hidden_dim=16, representation_dim=8)


def features(*, rows, width=6, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def fit_anew(settings, fit):
    return fit()


def literal(real, fake, centre, levels=30):
    """The definition step by step, in numpy; quantile ranks as np.quantile finds them."""
    alphas = np.linspace(0, 1, levels)
    to_centre = np.linalg.norm(fake - centre, axis=1)
    radii = np.quantile(np.linalg.norm(real - centre, axis=1), alphas)
    own = NearestNeighbors(n_neighbors=2).fit(real).kneighbors(real)[0][:, 1]
    other, index = NearestNeighbors(n_neighbors=1).fit(fake).kneighbors(real)
    other, index = other[:, 0], index[:, 0]
    fake_to_mean = np.linalg.norm(fake[index] - fake.mean(axis=0), axis=1)
    fake_radii = np.quantile(fake_to_mean, alphas)
    precision = np.array([(to_centre <= radius).mean() for radius in radii])
    near = other <= own
    recall = np.array([(near & (fake_to_mean <= radius)).mean() for radius in fake_radii])
    step = alphas[1] - alphas[0]
    scores = {
        "alpha_precision": 1 - 2 * np.abs(alphas - precision).sum() * step,
        "beta_recall": 1 - 2 * np.abs(alphas - recall).sum() * step,
        "authenticity_published": (own[index] < other).mean(),
    }
    return scores, precision, recall


def compute(real, fake, **parameters):
    return AlphaPrecision(**parameters).compute(
        neighbours=Neighbours(real=real, fake=fake), keep=fit_anew
    )


# N - 1 and levels - 1 have no common factor: no quantile lands on a rank that rounding decides
@pytest.mark.parametrize(("n", "m", "levels"), [(200, 200, 30), (150, 90, 30), (98, 60, 11)])
def test_equals_the_definition_in_numpy(n, m, levels):
    real, fake = features(rows=n), features(rows=m, seed=1) * 0.8 + 0.3
    expected, _, _ = literal(real.numpy(), fake.numpy(), real.mean(0).numpy(), levels)
    # both in float64; the curves are counts, so that only the sums can round
    assert alpha_precision(real=real, fake=fake, levels=levels) == pytest.approx(expected, rel=1e-9)


def test_curves_are_those_of_the_definition_around_a_given_centre():
    real, fake = features(rows=120), features(rows=80, seed=1) * 1.3
    found = compute(real, fake)
    _, precision, recall = literal(real.numpy(), fake.numpy(), real.mean(0).numpy())
    for name, curve in (("alpha_precision", precision), ("beta_recall", recall)):
        assert found.curves[name]["curve"].tolist() == pytest.approx(curve.tolist(), rel=1e-12)
        assert found.curves[name]["level"].tolist() == pytest.approx(np.linspace(0, 1, 30).tolist())
    centre = torch.full((6,), 0.5)
    expected, _, _ = literal(real.numpy(), fake.numpy(), centre.numpy())
    assert alpha_precision(real=real, fake=fake, centre=centre) == pytest.approx(expected)


def test_points_on_a_line_by_hand():
    real = torch.tensor([[-3.0], [-1.0], [1.0], [3.0]])  # 1, 1, 3, 3 from the centre, 2 apart
    fake = torch.tensor([[0.0], [0.5], [9.0]])  # mean 3.1667; the nearest are 0, 0, 0.5, 0.5
    found = compute(real, fake, levels=3)
    # radii 1, 2, 3: both fakes near the centre are inside at every level
    assert found.curves["alpha_precision"]["curve"].tolist() == pytest.approx([2 / 3] * 3)
    # reals -1 and 1 are 1 and 0.5 from a fake, 2 from a real; -3 and 3 are 3 and 2.5 from a fake
    # fakes 0, 0, 0.5, 0.5 lie 3.17, 3.17, 2.67, 2.67 from their mean: radii 2.67, 2.92, 3.17
    assert found.curves["beta_recall"]["curve"].tolist() == pytest.approx([0.25, 0.25, 0.5])
    assert found.scores["alpha_precision"].value == pytest.approx(1 - (2 / 3 + 1 / 6 + 1 / 3))
    assert found.scores["beta_recall"].value == pytest.approx(1 - (0.25 + 0.25 + 0.5))
    # nearest fakes 0, 0, 1, 1 are taken for reals 0, 0, 1, 1, each 2 from a real: 3 and 2.5 exceed
    assert found.scores["authenticity_published"].value == 0.5


def test_a_copy_of_the_reals_scores_one_and_is_flagged():
    real = features(rows=59)  # 58 = 2 * 29: levels fall on ranks, where the curve exceeds by 1 / N
    found = compute(real, real.clone())
    assert found.scores["alpha_precision"].value == pytest.approx(1, abs=2 / 59 + 1e-9)
    assert found.scores["beta_recall"].value == pytest.approx(1, abs=2 / 59 + 1e-9)
    assert found.scores["authenticity_published"].value == 0
    assert found.flags == {"reals_copied": 59}


def test_collapse_and_a_far_shift_reach_the_lowest_score():
    real = features(rows=200)
    collapsed = alpha_precision(real=real, fake=real.mean(0).expand(50, -1))
    assert collapsed["alpha_precision"] == pytest.approx(-1 / 29)  # within every radius
    shifted = alpha_precision(real=real, fake=real + 1000)
    assert shifted["alpha_precision"] == shifted["beta_recall"] == pytest.approx(-1 / 29)


def test_samples_of_one_distribution_score_near_one_in_precision():
    real, fake = features(rows=2000), features(rows=2000, seed=1)
    assert alpha_precision(real=real, fake=fake)["alpha_precision"] > 0.95


def test_narrow_fakes_lose_beta_recall():
    real, fake = features(rows=400), features(rows=400, seed=1)
    wide = alpha_precision(real=real, fake=fake)["beta_recall"]
    assert alpha_precision(real=real, fake=fake * 0.3)["beta_recall"] < wide - 0.2


def test_published_authenticity_is_undefined_for_more_fakes_than_reals():
    real, fake = features(rows=40), features(rows=41, seed=1)
    estimate = compute(real, fake).scores["authenticity_published"]
    assert math.isnan(estimate.value) and "41 fakes" in estimate.undefined
    assert math.isnan(alpha_precision(real=real, fake=fake)["authenticity_published"])
    assert compute(real, fake[:40]).scores["authenticity_published"].undefined is None


def test_published_authenticity_is_best_for_far_noise_and_so_ranks_nothing():
    real, fake = features(rows=90), features(rows=70, seed=1)
    close = alpha_precision(real=real, fake=fake)["authenticity_published"]
    far = alpha_precision(real=real, fake=100 + 10 * fake)["authenticity_published"]
    assert far == 1 > close + 0.2
    assert AlphaPrecision.scores["authenticity_published"] is Better.NEITHER


def test_order_of_rows_decides_published_authenticity_alone():
    real, fake = features(rows=90), features(rows=70, seed=1)
    first = alpha_precision(real=real, fake=fake)
    mixed = alpha_precision(real=real.flip(0), fake=fake.roll(9, 0))
    assert first.pop("authenticity_published") != mixed.pop("authenticity_published")
    assert mixed == pytest.approx(first, rel=1e-12)


@pytest.mark.parametrize(("offset", "scale"), [(1e4, 1.0), (0, 2.0**60)])
def test_offset_and_scale_do_not_matter(offset, scale):
    real, fake = features(rows=90), features(rows=70, seed=1) * 0.8 + 0.3
    moved = alpha_precision(real=real * scale + offset, fake=fake * scale + offset)
    assert moved == pytest.approx(alpha_precision(real=real, fake=fake), rel=1e-9)


def test_duplicates_are_scored_and_flagged():
    real = features(rows=20).repeat(3, 1)
    found = compute(real, features(rows=30, seed=1))
    assert found.flags == {"zero_radii_real": 60}
    assert found.scores["beta_recall"].value == pytest.approx(-1 / 29)


def test_per_image_columns_say_what_the_curves_count():
    real, fake = features(rows=90), features(rows=70, seed=1)
    columns = compute(real, fake).per_image
    assert columns["fake"]["distance_to_centre"].tolist() == pytest.approx(
        (fake - real.mean(0)).norm(dim=1).tolist()
    )
    last = compute(real, fake).curves["beta_recall"]["curve"][-1]
    assert float(columns["real"]["covered"].mean()) == pytest.approx(float(last))


def test_one_class_embedding_compares_in_the_fitted_space_around_its_centre():
    real, fake = features(rows=90).float(), features(rows=70, seed=1).float() + 0.3
    layers = fit_one_class(real=real, parameters=SHORT)
    embedded = [embed(rows, layers).double() for rows in (real, fake)]
    expected, _, _ = literal(*(rows.numpy() for rows in embedded), np.full(8, 10.0))
    found = compute(real, fake, embedding=Embedding.one_class, one_class=SHORT)
    values = {name: estimate.value for name, estimate in found.scores.items()}
    assert values == pytest.approx(expected, rel=1e-9)


def test_kept_layers_are_used_instead_of_a_fit():
    real, fake = features(rows=60).float(), features(rows=50, seed=1).float()
    layers = fit_one_class(real=real, parameters=SHORT)
    asked = []

    def keep(settings, fit):
        asked.append(settings)
        return layers

    metric = AlphaPrecision(embedding=Embedding.one_class, one_class=SHORT)
    neighbours = Neighbours(real=real, fake=fake)
    kept = metric.compute(neighbours=neighbours, keep=keep)
    assert (
        kept.scores
        == metric.compute(neighbours=Neighbours(real=real, fake=fake), keep=fit_anew).scores
    )
    assert asked == [SHORT.settings()]


def test_nothing_is_fitted_without_the_embedding():
    def keep(settings, fit):
        raise AssertionError("asked to keep")

    same = Neighbours(real=features(rows=9), fake=features(rows=9))
    AlphaPrecision().compute(neighbours=same, keep=keep)


def test_refuses_one_level_one_real_and_a_centre_of_another_width():
    real = features(rows=9)
    with pytest.raises(ValueError, match="levels is 1, expected 2"):
        alpha_precision(real=real, fake=real, levels=1)
    with pytest.raises(ValueError, match="real: found 1 rows"):
        alpha_precision(real=real[:1], fake=real)
    with pytest.raises(ValueError, match=r"centre: found shape \(3,\), expected \(6,\)"):
        alpha_precision(real=real, fake=real, centre=torch.zeros(3))
