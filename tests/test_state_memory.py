"""What random weights hash to is remembered, and the memory cannot lie."""

import json

import pytest
import torch
from torch import nn

from models import state_memory
from models.weight_source import RandomWeights
from models.weights import WeightsError, state_sha256


class Counted:
    """Builds a small network, and counts how often."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return nn.Conv2d(3, 4, 3)


@pytest.fixture
def build():
    return Counted()


@pytest.fixture
def weights(build):
    return RandomWeights("small", build, seed=3)


def forget():
    """As a new process."""
    state_memory._known.clear()


def entry(tmp_path):
    (path,) = (tmp_path / "home" / "random_weights").iterdir()
    return path


def test_a_second_process_names_the_weights_without_building_the_network(build, weights):
    first = weights.identity()
    forget()
    assert weights.identity() == first and build.calls == 1


def test_the_memory_holds_the_hash_of_the_network(weights):
    named = weights.identity()["state_sha256"]
    assert named == state_sha256(weights.network().state_dict())


def test_loading_a_network_that_nobody_named_builds_it_once_and_remembers(build, weights):
    weights.network()
    forget()
    weights.identity()
    assert build.calls == 1


@pytest.mark.parametrize("torn", ["", "{", "[]", "null", '{"check": "0", "state_sha256": "0"}'])
def test_a_torn_or_foreign_entry_is_made_anew(torn, tmp_path, build, weights):
    first = weights.identity()
    entry(tmp_path).write_text(torn)
    forget()
    assert weights.identity() == first and build.calls == 2
    forget()
    assert weights.identity() == first and build.calls == 2


def test_an_altered_hash_fails_its_check(tmp_path, weights):
    first, path = weights.identity(), entry(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "state_sha256": "0" * 64}))
    forget()
    assert weights.identity() == first


def test_other_seeds_architectures_libraries_and_sources_have_entries_of_their_own(
    monkeypatch, build, weights
):
    weights.identity()
    others = [RandomWeights("small", build, 4), RandomWeights("other", build, 3)]
    for other in others:
        other.identity()
    monkeypatch.setattr(state_memory, "_versions", lambda: {"torch": "0"})
    forget()
    weights.identity()
    monkeypatch.setattr(state_memory, "_sources", lambda: "0")
    forget()
    weights.identity()
    assert build.calls == 5


def test_a_network_that_is_not_the_remembered_one_is_refused_and_the_memory_mended(weights):
    right = weights.identity()
    state_memory.remember(weights._name, "0" * 64)
    with pytest.raises(WeightsError, match=r"small, seed 3, are not those.*run the command again"):
        weights.network()
    forget()
    assert weights.identity() == right
    assert torch.equal(weights.network().weight, weights.network().weight)


def test_where_nothing_can_be_written_the_hash_is_made_once_a_process(
    tmp_path, monkeypatch, build, weights
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SALON_HOME", str(tmp_path / "file"))
    assert weights.identity() == weights.identity() and build.calls == 1
