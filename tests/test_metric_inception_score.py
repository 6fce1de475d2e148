from itertools import pairwise

import numpy as np
import pytest
import torch
from torch_fidelity.metric_isc import isc_features_to_metric
from torchmetrics.image.inception import InceptionScore as TorchmetricsScore

from metrics.inception_score import InceptionScore, Shuffle, SplitRule, inception_score


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


def edges_of(rule, count, splits, size):
    if rule is SplitRule.dropped:
        return [(i * (count // splits), (i + 1) * (count // splits)) for i in range(splits)]
    if rule is SplitRule.fixed:
        return [(a, min(a + size, count)) for a in range(0, count, size)]
    if rule is SplitRule.chunk:
        cuts = np.cumsum([0, *map(len, torch.arange(count).chunk(splits))])
        return list(pairwise(cuts.tolist()))
    return [(i * count // splits, (i + 1) * count // splits) for i in range(splits)]


@pytest.mark.parametrize("rule", SplitRule)
@pytest.mark.parametrize("count", [12, 25, 103])
def test_split_rules_equal_a_plain_form(rule, count):
    values = logits(rows=count)
    found = inception_score(
        logits=values, split_rule=rule, split_size=10, shuffle=Shuffle.none, ddof=1
    )
    edges = edges_of(rule, count, 10, 10)
    assert found == pytest.approx(brute_force(values, edges, ddof=1), rel=1e-12)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("count", [12, 25, 103])
def test_chunks_equal_torchmetrics(count, monkeypatch):
    values = logits(rows=count).double()
    peer = TorchmetricsScore(feature=torch.nn.Identity()).set_dtype(torch.float64)
    peer.features = [values]
    monkeypatch.setattr(torch, "randperm", torch.arange)  # its order is global and unseeded
    expected = [float(x) for x in peer.compute()]
    found = inception_score(logits=values, split_rule=SplitRule.chunk, shuffle=Shuffle.none, ddof=1)
    assert found == pytest.approx(expected, rel=1e-6)


def test_influence_is_the_derivative_towards_one_more_weight():
    values = logits(rows=20).double()
    protocol = InceptionScore(splits=1)
    found = protocol.compute(fake_logits=values, rng=torch.Generator())
    influence = found.per_image["fake"]["is_mean_influence"]
    assert float(influence.mean()) == pytest.approx(0, abs=1e-12)
    more = torch.cat([values.repeat(5000, 1), values[3:4].repeat(20, 1)])
    slope = (inception_score(logits=more, splits=1)[0] - found.scores["is_mean"].value) * 5001
    assert slope == pytest.approx(float(influence[3]), rel=1e-2)


@pytest.mark.parametrize("rule", SplitRule)
def test_error_is_the_mean_of_the_splits_errors(rule):
    values = logits(rows=103)
    protocol = InceptionScore(splits=4, split_rule=rule, split_size=30, shuffle=Shuffle.none)
    found = protocol.compute(fake_logits=values, rng=torch.Generator())
    p, variances = np.exp(values.double().numpy()), []
    p /= p.sum(axis=1, keepdims=True)
    edges = edges_of(rule, 103, 4, 30)
    for a, b in edges:
        kl = (p[a:b] * np.log(p[a:b] / p[a:b].mean(0))).sum(1)
        variances.append(np.exp(kl.mean()) ** 2 * kl.var() / (b - a))
    expected = np.sqrt(np.sum(variances)) / len(edges)
    error = found.scores["is_mean"].standard_error
    assert error == pytest.approx(expected, rel=0.01)  # 1/N of the splits against 1/(N - 1)
    left_out = 103 - sum(b - a for a, b in edges)
    assert found.flags == ({"images_left_out": left_out} if left_out else {})


def test_interval_needs_as_many_images_in_a_split_as_classes():
    def estimate(rows):
        values = logits(rows=rows, classes=7)
        return InceptionScore().compute(fake_logits=values, rng=torch.Generator()).scores["is_mean"]

    assert estimate(69).interval is None
    low, high = estimate(70).interval
    assert low < estimate(70).value < high
