import dataclasses
import json
from itertools import pairwise

import pytest
import torch
from torch import nn

from metrics.one_class import OneClass, embed, fit_one_class, initial_layers

SHORT = OneClass(epochs=40)


def features(*, rows=50, width=12, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng)


def reference(real, epochs):
    """The authors' recipe with torch's own modules, seeded by the global state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        widths = [real.shape[1], 128, 128, 128, 32]
        linear = [nn.Linear(a, b, bias=False) for a, b in pairwise(widths)]
    network = nn.Sequential(
        linear[0], nn.ReLU(), linear[1], nn.ReLU(), linear[2], nn.ReLU(), linear[3]
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    rows, centre = real[: int(0.8 * len(real))], torch.ones(32) * 10
    for _ in range(epochs):
        optimiser.zero_grad()
        scores = torch.sum((network(rows) - centre) ** 2, dim=1)
        loss = (1 / 1e-2) * torch.mean(torch.max(torch.zeros_like(scores), scores))
        loss.backward()
        optimiser.step()
    return network


def test_initial_weights_are_those_of_torch_under_the_seed():
    layers = initial_layers(width=12, parameters=OneClass())
    for layer, expected in zip(layers.values(), reference(features(), 0)[::2], strict=True):
        assert torch.equal(layer, expected.weight)


def test_equals_the_authors_recipe_with_torchs_own_modules():
    real = features()
    network, layers = reference(real, 40), fit_one_class(real=real, parameters=SHORT)
    # float32, 40 steps: rounding of another order of operations grows from 1e-7
    torch.testing.assert_close(embed(real, layers), network(real).detach(), rtol=1e-4, atol=1e-3)


def test_fitting_draws_the_rows_to_the_centre():
    real = features()
    before = embed(real, initial_layers(width=12, parameters=SHORT))
    after = embed(real, fit_one_class(real=real, parameters=dataclasses.replace(SHORT, epochs=300)))
    distance = [float((rows - 10).norm(dim=1).mean()) for rows in (before, after)]
    assert distance[1] < 0.2 * distance[0]


def test_fits_again_alike_and_leaves_the_global_state_and_the_rows_alone():
    real, state = features(), torch.random.get_rng_state()
    first, second = (fit_one_class(real=real, parameters=SHORT) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(real, features())


def test_layers_are_plain_float32_tensors_of_the_declared_sizes():
    layers = fit_one_class(real=features(), parameters=SHORT)
    shapes = [tuple(layer.shape) for layer in layers.values()]
    assert shapes == [(128, 12), (128, 128), (128, 128), (32, 128)]
    assert all(
        layer.dtype == torch.float32 and layer.is_contiguous() and not layer.requires_grad
        for layer in layers.values()
    )


def test_only_the_training_share_decides_the_fit():
    real = features()
    other = torch.cat([real[:40], features(rows=10, seed=9)])
    first, second = (fit_one_class(real=rows, parameters=SHORT) for rows in (real, other))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_fits_and_embeds_without_gradients_around_it():
    with torch.no_grad():
        layers = fit_one_class(real=features(), parameters=SHORT)
    assert not embed(features(), layers).requires_grad


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(OneClass)])
def test_settings_hold_every_parameter_as_json(field):
    changed = dataclasses.replace(SHORT, **{field: 0.5 if field == "train_share" else 77})
    assert json.dumps(changed.settings()) != json.dumps(SHORT.settings())


def test_refuses_parameters_that_fit_nothing():
    for change in ({"epochs": 0}, {"hidden_layers": 0}, {"nu": 0}, {"train_share": 1.5}):
        with pytest.raises(ValueError, match="expected"):
            OneClass(**change)


def test_refuses_rows_it_cannot_fit_to():
    with pytest.raises(ValueError, match=r"real: found 1 rows, of which train_share=0\.8"):
        fit_one_class(real=features(rows=1), parameters=SHORT)
    with pytest.raises(ValueError, match=r"real: .*row 3"):
        fit_one_class(real=features().index_fill(0, torch.tensor([3]), torch.nan), parameters=SHORT)
    with pytest.raises(ValueError, match="fitted to width 12, found features of width 5"):
        embed(features(width=5), fit_one_class(real=features(), parameters=SHORT))
