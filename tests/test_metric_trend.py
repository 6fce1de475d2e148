import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import integrate, optimize, special, stats

from metrics import truncated_gennorm
from metrics.trend import Trend, fits, trend
from metrics.truncated_gennorm import SHAPES, TruncatedGennorm, fit, jensen_shannon

N = 2000


def samples():
    """Rows of positive numbers of many forms: peaks at 0, inside, cusps, heavy and light tails."""
    draw = np.random.default_rng(0)
    rows = [
        np.abs(draw.normal(size=N)),
        draw.exponential(size=N),
        draw.gamma(2, size=N),
        np.exp(draw.normal(size=N)),
        np.maximum(draw.normal(size=(N, 16)) - 0.5, 0).mean(1) + 1e-3,
        np.where(draw.random(N) < 0.3, 0.2 * draw.random(N), 3 + 0.5 * draw.normal(size=N)),
        draw.normal(10, 1, N),
        np.abs(draw.laplace(2, 0.5, N)),
    ]
    return torch.tensor(np.stack(rows)).sort(dim=1).values


def published_likelihood(parameters, values):
    """Mean negative log-likelihood of the published code, constants included."""
    mu, alpha, beta = parameters
    if alpha <= 0 or beta <= 0:
        return np.inf
    upper = np.abs(mu / alpha) ** beta
    normaliser = special.gammaln(1 / beta) + np.log1p(special.gammainc(1 / beta, upper))
    power = np.mean((np.abs(values - mu) / alpha) ** beta)
    return np.log(alpha) - np.log(beta) + power + normaliser


def published_start(values):
    heights, edges = np.histogram(values, bins="auto")
    fullest = heights.argmax()
    return [(edges[fullest] + edges[fullest + 1]) / 2, 0.44 * values.std(), 0.67]


def densities(*rows):
    return TruncatedGennorm(*torch.tensor(rows, dtype=torch.float64).T)


def positive(*, rows, width, seed, scale=1.0):
    draw = torch.Generator().manual_seed(seed)
    return scale * torch.randn(rows, width, generator=draw, dtype=torch.float64).abs()


@pytest.mark.parametrize("form", range(8))
def test_likelihood_is_that_of_scipy_from_the_published_start_or_better(form):
    values = samples()[form : form + 1]
    found = fit(values)
    ours = [float(found.mu), float(found.alpha), float(found.beta)]
    row = values[0].numpy()
    theirs = optimize.minimize(
        published_likelihood,
        published_start(row),
        args=(row,),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-10, "maxfev": 2000},
    )
    # both rest at a data point where beta < 1: neighbouring points differ by about 1e-7
    assert published_likelihood(ours, row) <= theirs.fun + 1e-6
    assert found.mu >= 0


def test_published_likelihood_never_prefers_a_negative_mode():
    values = samples()[1].numpy()
    for alpha, beta in [(0.3, 0.5), (1.0, 1.0), (1.5, 2.5)]:
        at_zero = published_likelihood([0.0, alpha, beta], values)
        below = [published_likelihood([-mu, alpha, beta], values) for mu in (0.01, 0.1, 1.0)]
        assert min(below) > at_zero


def test_fit_recovers_the_density_that_was_drawn_from():
    draw = np.random.default_rng(1)
    drawn = stats.gennorm.rvs(1.5, loc=1.0, scale=0.7, size=400_000, random_state=draw)
    values = torch.tensor(np.sort(drawn[drawn > 0]))[None]
    found = fit(values)
    assert [float(found.mu), float(found.alpha), float(found.beta)] == pytest.approx(
        [1.0, 0.7, 1.5],
        abs=0.02,  # four standard errors
    )


def test_density_integrates_to_one_and_is_that_of_scipy():
    density = densities((0.4, 0.8, 1.3))
    at = np.linspace(0, 5, 7)
    frozen = stats.gennorm(1.3, loc=0.4, scale=0.8)
    ours = density.log_density(torch.tensor(np.abs(at - 0.4))[None]).exp()[0]
    np.testing.assert_allclose(ours.numpy(), frozen.pdf(at) / frozen.sf(0), rtol=1e-12)


PAIRS = [
    ((0.4, 0.8, 1.3), (0.5, 0.6, 0.9)),
    ((0.0, 1.0, 1.0), (0.0, 2.0, 1.0)),
    ((0.0, 1e-3, 0.4), (2.0, 0.5, 2.0)),
    ((0.3, 0.2, 0.5), (0.3, 0.2, 0.7)),
    ((1.0, 1.0, 8.0), (1.2, 0.1, 20.0)),
    ((0.2, 1.0, 2.0), (50.0, 0.5, 2.0)),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_divergence_is_that_of_adaptive_quadrature(one, other):
    p, q = (stats.gennorm(b, loc=mu, scale=alpha) for mu, alpha, b in (one, other))
    p_kept, q_kept = p.sf(0), q.sf(0)

    def integrand(x):
        a, b = p.pdf(x) / p_kept, q.pdf(x) / q_kept
        m = (a + b) / 2
        return (special.rel_entr(a, m) + special.rel_entr(b, m)) / (2 * math.log(2))

    scales = [
        sign * alpha * s
        for _, alpha, _ in (one, other)
        for s in (0.01, 0.1, 0.5, 1, 2, 5)
        for sign in (-1, 1)
    ]
    cuts = sorted({max(0.0, mu + s) for mu, _, _ in (one, other) for s in (0.0, *scales)} | {0.0})
    cuts.append(max(cuts) + 1e4)
    expected = sum(
        integrate.quad(integrand, a, b, epsabs=1e-10, limit=200)[0] for a, b in pairwise(cuts)
    )
    assert float(jensen_shannon(densities(one), densities(other))) == pytest.approx(
        expected, abs=1e-7
    )
    assert float(jensen_shannon(densities(other), densities(one))) == pytest.approx(
        expected, abs=1e-7
    )


def test_integral_does_not_change_with_twice_the_nodes(monkeypatch):
    draw = torch.Generator().manual_seed(0)
    mu, alpha, beta = torch.rand(3, 2, 100, generator=draw, dtype=torch.float64)
    one = TruncatedGennorm(mu[0], 10 ** (4 * alpha[0] - 3), 10 ** (2 * beta[0] - 1))
    other = TruncatedGennorm(mu[1] ** 4, 10 ** (4 * alpha[1] - 3), 10 ** (2 * beta[1] - 1))
    coarse = jensen_shannon(one, other)
    monkeypatch.setattr(truncated_gennorm, "NODES", 8000)
    torch.testing.assert_close(coarse, jensen_shannon(one, other), rtol=0, atol=1e-6)


def test_two_exponentials_by_hand():
    # beta = 1, mu = 0: exponential densities of rates 1 and 1/2; the mixture's entropy by quad
    m = lambda x: (math.exp(-x) + math.exp(-x / 2) / 2) / 2  # noqa: E731
    entropy = -integrate.quad(lambda x: m(x) * math.log2(m(x)), 0, 700)[0]
    apart = (1 / math.log(2) + 1 / math.log(2) + 1) / 2  # entropies (1 - log rate) / log 2
    found = jensen_shannon(densities((0.0, 1.0, 1.0)), densities((0.0, 2.0, 1.0)))
    assert float(found) == pytest.approx(entropy - apart, abs=1e-8)


def test_equal_sides_score_zero_and_far_ones_nearly_one():
    real = positive(rows=500, width=4, seed=0)
    assert trend(real=real, fake=real.clone()) == pytest.approx(0, abs=1e-12)
    assert trend(real=real, fake=real + 1000) > 0.99


def test_score_grows_with_a_change_of_scale():
    real = positive(rows=500, width=4, seed=0)
    scores = [
        trend(real=real, fake=positive(rows=400, width=4, seed=1, scale=scale))
        for scale in (1.0, 1.5, 3.0)
    ]
    assert scores == sorted(scores) and scores[0] < 0.02 < scores[1]


def test_unit_of_the_features_does_not_matter():
    real, fake = positive(rows=500, width=4, seed=0), positive(rows=400, width=4, seed=1, scale=1.3)
    scaled = trend(real=real * 1000, fake=fake * 1000)
    assert scaled == pytest.approx(trend(real=real, fake=fake), rel=1e-5)


def test_order_of_rows_does_not_matter():
    real, fake = positive(rows=300, width=3, seed=0), positive(rows=200, width=3, seed=1, scale=1.2)
    assert trend(real=real.flip(0), fake=fake.roll(7, 0)) == trend(real=real, fake=fake)


def test_zeros_are_ignored():
    real, fake = positive(rows=300, width=3, seed=0), positive(rows=200, width=3, seed=1, scale=1.2)
    padded = torch.cat([real, torch.zeros(500, 3, dtype=torch.float64)])
    assert trend(real=padded, fake=fake) == pytest.approx(trend(real=real, fake=fake), abs=1e-7)


def test_dimensions_without_two_positive_values_are_left_out_and_counted():
    real, fake = positive(rows=300, width=4, seed=0), positive(rows=200, width=4, seed=1, scale=1.2)
    kept = trend(real=real[:, 1:3], fake=fake[:, 1:3])
    fake[:, 0], real[:, 3] = 0, 1.5
    found = Trend().compute(real=real, fake=fake)
    assert found.flags == {"dimensions_left_out": 2}
    assert found.curves["dimensions"]["dimension"].tolist() == [1, 2]
    assert found.scores["trend"].value == pytest.approx(kept, rel=1e-9)


def test_nothing_to_fit_is_undefined_with_a_reason():
    found = Trend().compute(real=torch.zeros(5, 3), fake=torch.ones(5, 3))
    assert math.isnan(found.scores["trend"].value)
    assert "two distinct positive entries" in found.scores["trend"].undefined
    assert found.flags == {"dimensions_left_out": 3}


def test_copies_of_few_images_are_scored_and_flagged_at_the_bound():
    real = positive(rows=300, width=2, seed=0)
    found = Trend().compute(real=real, fake=real[:3].repeat(50, 1))
    assert 0 < found.scores["trend"].value <= 1
    assert found.flags["fits_at_bound"] >= 1
    assert (found.curves["dimensions"]["beta_fake"] >= SHAPES[0]).all()


def test_curve_holds_both_densities_of_every_dimension():
    real, fake = positive(rows=300, width=3, seed=0), positive(rows=200, width=3, seed=1)
    found = fits(real=real, fake=fake)
    columns = Trend().compute(real=real, fake=fake).curves["dimensions"]
    assert {len(column) for column in columns.values()} == {3}
    assert columns["positive_fake"].tolist() == [200] * 3
    torch.testing.assert_close(columns["divergence"], found.divergence)


def test_refuses_negative_features_by_side_row_and_column():
    real, fake = positive(rows=30, width=3, seed=0), positive(rows=20, width=3, seed=1)
    fake[4, 2] = -0.5
    with pytest.raises(ValueError, match=r"fake: row 4, column 2 is -0.5, .*rectifier"):
        trend(real=real, fake=fake)
