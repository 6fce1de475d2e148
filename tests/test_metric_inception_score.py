import numpy as np
import pytest
import torch
from torch_fidelity.metric_isc import isc_features_to_metric
from torchmetrics.image.inception import InceptionScore as TorchmetricsScore

from metrics.inception_score import InceptionScore, Shuffle, inception_score


def logits(*, rows=103, classes=7, seed=0, scale=2.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, classes, generator=rng) * scale


def brute_force(values, edges, ddof=0):
    p = np.exp(values.double().numpy())
    p /= p.sum(axis=1, keepdims=True)
    scores = []
    for a, b in edges:
        q = p[a:b].mean(axis=0)
        scores.append(np.exp((p[a:b] * np.log(p[a:b] / q)).sum(axis=1).mean()))
    return np.mean(scores), np.std(scores, ddof=ddof)


def test_certain_and_even_predictions_score_the_number_of_classes():
    certain = 1e4 * torch.eye(4).repeat(5, 1)
    mean, spread = inception_score(logits=certain, splits=5, shuffle=Shuffle.none)
    assert mean == pytest.approx(4) and spread == pytest.approx(0)


def test_collapse_onto_one_class_scores_one():
    one = torch.tensor([[1e4, 0.0, 0.0]]).expand(20, -1)
    assert inception_score(logits=one, splits=2)[0] == pytest.approx(1)


def test_two_images_by_hand():
    p = torch.tensor([[0.9, 0.1], [0.5, 0.5]])  # q = (0.7, 0.3)
    divergence = 0.9 * np.log(0.9 / 0.7) + 0.1 * np.log(0.1 / 0.3)
    divergence += 0.5 * np.log(0.5 / 0.7) + 0.5 * np.log(0.5 / 0.3)
    found = inception_score(logits=p.log(), splits=1)
    assert found == pytest.approx((np.exp(divergence / 2), 0))


@pytest.mark.parametrize("splits", [1, 3, 10])
def test_equals_torch_fidelity(splits):
    values = logits()
    peer = isc_features_to_metric(values, splits=splits)
    expected = peer["inception_score_mean"], peer["inception_score_std"]
    assert inception_score(logits=values, splits=splits) == pytest.approx(expected, rel=1e-12)


def test_equals_torch_fidelity_unshuffled():
    values = logits()
    peer = isc_features_to_metric(values, shuffle=False)["inception_score_mean"]
    found = inception_score(logits=values, shuffle=Shuffle.none)
    assert found[0] == pytest.approx(peer, rel=1e-12)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_equals_torchmetrics_where_the_order_cannot_matter():
    values = logits(rows=100).double()
    peer = TorchmetricsScore(feature=torch.nn.Identity(), splits=1).set_dtype(torch.float64)
    peer.features = [values]
    found = inception_score(logits=values, splits=1)[0]
    assert found == pytest.approx(float(peer.compute()[0]), rel=1e-6)


def test_split_rule_and_ddof_equal_a_plain_form():
    values = logits(rows=25)
    edges = [(i * 25 // 4, (i + 1) * 25 // 4) for i in range(4)]
    found = inception_score(logits=values, splits=4, shuffle=Shuffle.none, ddof=1)
    assert found == pytest.approx(brute_force(values, edges, ddof=1), rel=1e-12)


def test_rng_order_comes_from_the_generator_alone():
    values = logits()

    def score(seed):
        rng = torch.Generator().manual_seed(seed)
        return inception_score(logits=values, shuffle=Shuffle.rng, rng=rng)

    assert score(1) == score(1) != score(2)


def test_one_split_needs_no_order_and_has_no_spread():
    values = logits()
    mixed = inception_score(logits=values.flip(0), splits=1)[0]
    assert mixed == pytest.approx(inception_score(logits=values, splits=1)[0], rel=1e-9)
    rng = torch.Generator()
    found = InceptionScore(splits=1, ddof=1).compute(fake_logits=values, rng=rng).scores["is_std"]
    assert np.isnan(found.value) and found.undefined == "1 split has no spread"


@pytest.mark.parametrize(("offset", "scale"), [(1e6, 1.0), (0.0, 1e20)])
def test_extreme_logits_stay_finite(offset, scale):
    values = logits().double() * scale
    found = inception_score(logits=values + offset)
    assert np.isfinite(found).all()
    if scale == 1.0:
        assert found == pytest.approx(inception_score(logits=values), rel=1e-7)


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match=r"found 5 rows for 10 splits.*Lower"):
        inception_score(logits=logits(rows=5))
    with pytest.raises(ValueError, match="pass rng="):
        inception_score(logits=logits(), shuffle=Shuffle.rng)
    with pytest.raises(ValueError, match="splits is 0"):
        inception_score(logits=logits(), splits=0)
