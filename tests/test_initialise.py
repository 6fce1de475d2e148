import numpy as np
import pytest
import torch
from torch import nn

from models.initialise import initialise
from models.weights import state_sha256


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.Flatten(), nn.Linear(64, 1000)
    )


def test_weights_have_the_deviation_of_he():
    made = initialise(network(), seed=0)
    assert made[0].weight.std().item() == pytest.approx((2 / 27) ** 0.5, rel=0.05)
    assert made[4].weight.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.02)


def test_norms_are_the_identity_and_biases_zero():
    made = initialise(network(), seed=0)
    norm = made[1]
    assert norm.weight.eq(1).all() and norm.running_var.eq(1).all()
    assert not norm.bias.any() and not norm.running_mean.any() and not made[4].bias.any()


def test_tokens_are_small_and_layer_norms_are_one():
    layer = nn.TransformerEncoderLayer(8, 2, 16)
    layer.token = nn.Parameter(torch.full((1, 50, 400), 7.0))
    made = initialise(layer, seed=0)
    assert made.token.std().item() == pytest.approx(0.02, rel=0.05)
    assert made.norm1.weight.eq(1).all()


def test_the_same_seed_gives_the_same_weights_and_another_gives_others():
    digests = [state_sha256(initialise(network(), seed).state_dict()) for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


def test_the_global_random_states_neither_matter_nor_move():
    torch.manual_seed(1)
    first = state_sha256(initialise(network(), 0).state_dict())
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    made = network()
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert state_sha256(initialise(made, 0).state_dict()) == first
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_a_tensor_does_not_depend_on_its_neighbours():
    alone = nn.Sequential(nn.Conv2d(3, 64, 3))
    assert torch.equal(initialise(alone, 0)[0].weight, initialise(network(), 0)[0].weight)


def test_the_first_numbers_stay_what_they_are():
    weight = initialise(nn.Linear(2, 2), seed=0).weight
    assert weight.flatten().tolist() == pytest.approx(
        [0.26289168, -0.94718879, -0.58065301, -1.21721029], abs=1e-7
    )


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed=-1"):
        initialise(network(), seed=-1)
