"""Slices of a batch on threads of their own: the same embedding, whatever the cores."""

import threading
from concurrent.futures import ThreadPoolExecutor
from threading import BrokenBarrierError

import pytest
import torch
from torch import nn

import models.backbones
from models.backbone import Embedding
from models.slices import in_slices, lone_threads


@pytest.fixture(autouse=True)
def cores_are_put_back():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def noting(seen):
    """A trunk whose features are its input's means, and which notes who asked for how much."""

    def trunk(x):
        seen.append((len(x), threading.current_thread().name, torch.get_num_threads()))
        return Embedding(x.mean((2, 3)), None, x.flatten(1))

    return trunk


def numbered(count):
    return torch.arange(float(count)).view(-1, 1, 1, 1).expand(-1, 3, 2, 2).contiguous()


@pytest.mark.parametrize(
    ("images", "cores", "sizes"),
    [(20, 2, [4, 8, 8]), (20, 1, [4, 8, 8]), (6, 4, [2, 2, 2]), (3, 8, [1, 1, 1]), (1, 2, [1])],
)
def test_every_core_has_some_and_none_more_than_eight(images, cores, sizes):
    torch.set_num_threads(cores)
    seen = []
    found = in_slices(noting(seen), numbered(images))
    assert sorted(size for size, _, _ in seen) == sizes
    assert torch.equal(found.features[:, 0], torch.arange(float(images)))
    assert found.logits is None and found.spatial.shape == (images, 12)


def test_each_thread_computes_alone_and_the_caller_keeps_its_cores():
    torch.set_num_threads(2)
    seen = []
    in_slices(noting(seen), numbered(32))
    assert {alone for _, _, alone in seen} == {1}
    assert all(name.startswith("slices") for _, name, _ in seen)
    assert torch.get_num_threads() == 2


def test_a_slice_that_fails_fails_the_batch():
    torch.set_num_threads(2)

    def broken(x):
        raise RuntimeError(f"at {len(x)}")

    with pytest.raises(RuntimeError, match="at 8"):
        in_slices(broken, numbered(16))


def images_of(count):
    rng = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=rng)


def test_features_do_not_depend_on_the_number_of_cores():
    network = models.backbones.load("resnet18_random", resolution=64)
    images, found = images_of(13), []
    for cores in (1, 2, 5):
        torch.set_num_threads(cores)
        found.append(network(images).features)
    for features in found:
        assert (features - found[0]).abs().max() < 1e-5 * found[0].abs().max()


def sizes_seen(network, images):
    """How many images the first convolution is given, call by call."""
    sizes = []
    first = next(part for part in network.trunk.modules() if isinstance(part, nn.Conv2d))
    inner = first.forward
    first.forward = lambda x: (sizes.append(len(x)), inner(x))[1]
    network(torch.zeros(images, 3, 64, 64, dtype=torch.uint8))
    return sizes


def test_a_network_runs_in_slices():
    torch.set_num_threads(2)
    network = models.backbones.load("resnet18_random", resolution=64)
    assert sorted(sizes_seen(network, 20)) == [4, 8, 8]


def test_without_optimise_a_batch_stays_whole():
    network = models.backbones.load("resnet18_random", resolution=64, optimise=False)
    assert sizes_seen(network, 20) == [20]


def test_hooks_see_a_whole_batch_in_order():
    network = models.backbones.load("resnet18_random", resolution=64)
    expected, seen = network(images_of(20)).features, []
    hook = network.trunk.register_forward_hook(lambda *call: seen.append(call[2].features))
    found = network(images_of(20)).features
    hook.remove()
    assert len(seen) == 1 and torch.equal(seen[0], found)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_images_are_prepared_by_threads_that_compute_alone():
    torch.set_num_threads(2)
    with lone_threads(3, "images") as pool:
        assert list(pool.map(lambda _: torch.get_num_threads(), range(9))) == [1] * 9
    assert torch.get_num_threads() == 2


def test_threads_that_cannot_all_start_wait_for_nobody(monkeypatch):
    begin, begun = ThreadPoolExecutor.submit, []

    def submit(pool, *args):
        if begun:
            raise RuntimeError("can't start new thread")
        begun.append(begin(pool, *args))
        return begun[0]

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
    torch.set_num_threads(2)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        lone_threads(2, "few")
    with pytest.raises(BrokenBarrierError):
        begun[0].result(20)
    assert torch.get_num_threads() == 2
