import math

import pytest
import torch

from metrics import gaussian_mixture
from metrics.fld import Fld, fld, likelihoods
from metrics.gaussian_mixture import Mixture, fit_mixture


def features(*, rows, width=6, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=draw, dtype=torch.float64)


def sides(*, fakes=40):
    return {
        "real": features(rows=120, seed=1),
        "fake": features(rows=fakes, seed=2) * 1.2 + 0.1,
        "holdout": features(rows=60, seed=3),
    }


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def literal_fit(centres, rows, *, epochs, batch):
    """The authors' fit in few lines: autograd, all distances at once."""
    width = rows.shape[1]
    distances = torch.cdist(rows, centres) ** 2
    log_variances = ((distances.min(dim=0).values + 1e-3) / width).log().requires_grad_()
    origin_log_variance = torch.zeros((), dtype=rows.dtype, requires_grad=True)
    adam = torch.optim.Adam([log_variances, origin_log_variance], lr=0.5)

    def densities(squared, logs):
        return -0.5 * squared / logs.exp() - width / 2 * logs - width / 2 * math.log(2 * math.pi)

    losses = []
    for epoch in range(epochs):
        of_epoch = []
        for part in torch.arange(len(rows)).split(batch):
            adam.zero_grad()
            near = densities(distances[part], log_variances) - math.log(len(centres))
            far = 0.9**2 * torch.cdist(rows[part], rows.mean(0, keepdim=True)) ** 2
            both = torch.cat([near, densities(far, origin_log_variance)], dim=1)
            loss = -both.logsumexp(1).mean() / width
            loss.backward()
            adam.step()
            log_variances.data.clamp_(-40, 40)
            of_epoch.append(loss.item())
        losses.append(sum(of_epoch) / len(of_epoch))
        if epoch > 5 and max(abs(losses[-1] - losses[-j]) for j in range(1, 6)) < 5e-4:
            break
    fitted = log_variances.detach()

    def nll(at):
        near = densities(torch.cdist(at, centres) ** 2, fitted) - math.log(len(centres))
        return -near.logsumexp(1).mean().item() / width

    return fitted, nll


@pytest.mark.parametrize(("epochs", "batch"), [(1, 1000), (50, 1000), (50, 50), (3, 7)])
def test_fit_equals_the_authors_code_written_out(epochs, batch):
    centres, rows = features(rows=40, seed=2), features(rows=120, seed=1)
    expected, nll = literal_fit(centres, rows, epochs=epochs, batch=batch)
    found = fit_mixture(centres, rows, epochs=epochs, batch=batch)
    # distances are kept in float32 between epochs: 6e-8 relative, which Adam's steps carry on
    torch.testing.assert_close(found.log_variances, expected, rtol=0, atol=2e-4)
    ours = -float(found.log_likelihood(rows).mean()) / 6
    assert ours == pytest.approx(nll(rows), abs=1e-6)


def test_score_and_gap_equal_the_authors_code_written_out():
    given = sides()
    centre, spread = given["holdout"].mean(0), given["holdout"].std(0)
    train, fake, test = ((given[side] - centre) / spread for side in ("real", "fake", "holdout"))
    _, nll = literal_fit(fake, train, epochs=50, batch=10_000)
    found = fld(**given, rng=rng(), baseline=1.25)
    assert found["fld"] == pytest.approx(100 * (nll(test) - 1.25), abs=1e-4)
    assert found["fld_gap"] == pytest.approx(100 * (nll(train) - nll(test)), abs=1e-4)


def test_likelihood_of_two_gaussians_by_hand():
    mixture = Mixture(torch.tensor([[0.0], [2.0]]).double(), torch.tensor([0.0, math.log(4)]))
    at_zero = (1 + 0.5 * math.exp(-0.5)) / (2 * math.sqrt(2 * math.pi))
    found = mixture.log_likelihood(torch.zeros(1, 1, dtype=torch.float64))
    assert float(found) == pytest.approx(math.log(at_zero), rel=1e-7)


def test_blocks_and_kept_distances_do_not_matter(monkeypatch):
    centres, rows = features(rows=40, seed=2), features(rows=120, seed=1)
    kept = fit_mixture(centres, rows, epochs=20, batch=50)
    monkeypatch.setattr(gaussian_mixture, "KEPT", 0)
    anew = fit_mixture(centres, rows, epochs=20, batch=50, entries=90)
    torch.testing.assert_close(anew.log_variances, kept.log_variances, rtol=0, atol=2e-4)


def test_baseline_is_what_training_images_as_fakes_would_score():
    train, test = features(rows=800, seed=1), features(rows=400, seed=3)
    found = fld(real=train, fake=features(rows=400, seed=2), holdout=test, rng=rng())
    assert found["fld"] == pytest.approx(0, abs=3)  # spread over seeds about 1
    assert found["fld_gap"] == pytest.approx(0, abs=5)


def test_worse_fakes_score_higher_and_copies_open_the_gap():
    given = sides(fakes=120)
    plain = fld(**given, rng=rng())
    shifted = fld(**{**given, "fake": given["fake"] + 2}, rng=rng())
    copied = fld(**{**given, "fake": given["real"].clone()}, rng=rng())
    assert shifted["fld"] > plain["fld"]
    assert copied["fld"] > shifted["fld"] and copied["fld_gap"] < -1000
    assert plain["fld_gap"] > -50


def test_baseline_shifts_the_score_and_not_the_gap():
    given = sides()
    low, high = (fld(**given, rng=rng(), baseline=value) for value in (0.0, 1.0))
    assert low["fld"] - high["fld"] == pytest.approx(100)
    assert low["fld_gap"] == high["fld_gap"]


def test_more_fakes_than_wanted_are_drawn_from():
    given = sides()
    protocol = {"epochs": 50, "batch": 10_000, "baseline": None}
    few = likelihoods(**given, rng=rng(), fakes=10, **protocol)
    assert few.holdout != likelihoods(**given, rng=rng(), fakes=40, **protocol).holdout
    again = likelihoods(**given, rng=rng(), fakes=10, **protocol)
    assert again == few


def test_order_of_rows_does_not_matter_without_a_measured_baseline():
    given = sides()
    turned = {side: rows.roll(11, 0) for side, rows in given.items()}
    expected = fld(**given, rng=rng(), baseline=1.0)
    assert fld(**turned, rng=rng(), baseline=1.0) == pytest.approx(expected, rel=1e-6)


def test_affine_change_of_each_dimension_does_not_matter():
    given = sides()
    scale, offset = torch.arange(1.0, 7), torch.linspace(-5, 5, 6)
    moved = {side: rows * scale + offset for side, rows in given.items()}
    assert fld(**moved, rng=rng()) == pytest.approx(fld(**given, rng=rng()), abs=1e-4)


def test_dimensions_constant_over_the_holdout_are_left_out_and_flagged():
    given = sides()
    expected = Fld().compute(**given, rng=rng())
    padded = {side: torch.cat([rows, torch.ones(len(rows), 2)], 1) for side, rows in given.items()}
    found = Fld().compute(**padded, rng=rng())
    assert found.flags == {"constant_dimensions": 2} and not expected.flags
    assert found.scores == expected.scores


def test_copies_stay_finite():
    given = sides()
    found = fld(**{**given, "fake": given["real"][:1].repeat(30, 1)}, rng=rng())
    assert all(math.isfinite(value) for value in found.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"holdout": torch.ones(20, 6)}, "holdout: all 20 rows are equal"),
        ({"real": torch.ones(1, 6)}, "real: found 1 rows, this metric needs at least 2"),
        ({"holdout": torch.ones(1, 6)}, "holdout: found 1 rows"),
        ({"epochs": 0}, "epochs is 0"),
        ({"fakes": 0}, "fakes is 0"),
    ],
)
def test_refuses_what_leaves_nothing_to_measure(change, message):
    with pytest.raises(ValueError, match=message):
        fld(**{**sides(), **change}, rng=rng())
