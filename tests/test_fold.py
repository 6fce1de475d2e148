"""Folding: the same function, where it is sound, however the modules are written."""

import pytest
import timm
import torch
from made_weights import noisy
from torch import nn

from models.fold import fold


def norms(network):
    return [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]


@torch.no_grad()
def check_folded(network, left=0, side=16):
    """The outputs stay within float32 rounding, and so many normalisations are left."""
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    before = noisy(network)(x)
    after = fold(network, torch.zeros(1, 3, side, side))(x)
    assert (after - before).norm() <= 1e-5 * before.norm()
    assert len(norms(network)) == left


@pytest.mark.parametrize(
    "pair",
    [
        (nn.Conv2d(3, 5, 3, bias=False), nn.BatchNorm2d(5)),
        (nn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3), nn.BatchNorm2d(6, eps=0.1)),
        (nn.Conv2d(3, 5, 3, padding="same"), nn.BatchNorm2d(5, affine=False)),
    ],
)
def test_a_convolution_takes_in_the_normalisation_behind_it(pair):
    check_folded(nn.Sequential(*pair, nn.ReLU(inplace=True)))


@pytest.mark.parametrize("model", ["test_resnet", "test_efficientnet", "mobilenetv3_small_050"])
def test_networks_of_timm_keep_their_activations(model):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # else the gap is of whatever weights earlier tests leave
        network = timm.create_model(model)
    check_folded(network, side=64)


class Twice(nn.Module):
    """Something beside the normalisation reads the convolution's output."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, x):
        y = self.conv(x)
        return self.bn(y) + y


class Shared(nn.Module):
    """One convolution in front of two normalisations."""

    def __init__(self):
        super().__init__()
        self.conv, self.a, self.b = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.BatchNorm2d(3)

    def forward(self, x):
        return self.b(self.conv(self.a(self.conv(x))))


@pytest.mark.parametrize(
    ("network", "left"),
    [
        (Twice(), 1),
        (Shared(), 2),
        (nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1)), 1),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)), 1),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)), 1),
    ],
)
def test_what_cannot_be_folded_is_left_as_it_is(network, left):
    if left == 1 and isinstance(norms(network)[0].running_mean, type(None)):
        x = torch.zeros(1, 3, 16, 16)
        assert len(norms(fold(network.eval(), x))) == 1
        return
    check_folded(network, left)


def test_modules_keep_their_places_and_hooks():
    network = noisy(nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)), nn.ReLU()))
    block, seen = network[0], []
    block.register_forward_hook(lambda *call: seen.append(call[2].shape))
    fold(network, torch.zeros(1, 3, 8, 8))
    seen.clear()
    network(torch.zeros(2, 3, 8, 8))
    assert network[0] is block and seen == [(2, 4, 8, 8)]


def test_a_network_without_batch_normalisation_is_not_even_run():
    def never(*_):
        raise AssertionError("was run")

    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.LayerNorm(8))
    network.register_forward_pre_hook(never)
    assert fold(network, torch.zeros(1, 3, 8, 8)) is network
