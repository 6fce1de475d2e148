"""Inception with its spatial maps beside a second backbone: shards, batches, workers, order."""

from functools import partial

import pytest
import torch
from safetensors.torch import load_file
from test_features import Noise

import bench.extract
import bench.features
from bench.cache import FeatureCache
from bench.composed import composed
from bench.extract import extract
from bench.features import Extractor
from bench.shard import Shard
from models.backbones import describe

pytestmark = pytest.mark.slow
IMAGES = 5
WORDS = [
    *("backbone=[inception,resnet18_random]", "backbone.inception.weights=random"),
    *("backbone.resnet18_random.resolution=32", "metrics=[sfid]"),
    *(f"protocol.num_real={IMAGES}", "batch_size=2"),
]


@pytest.fixture(scope="module")
def networks():
    """Backbone -> network: whatever is extracted here loads each once."""
    return {}


@pytest.fixture(autouse=True)
def parts_of_4(monkeypatch, networks):
    monkeypatch.setattr(bench.features, "PART_ROWS", 4)
    monkeypatch.setattr(bench.extract, "Extractor", partial(Extractor, networks=networks))


def filled(folder, of):
    """File -> tensors, of a cache that so many shards have filled together."""
    config = composed("score", [*WORDS, f"paths.cache={folder}"])
    for number in range(of):
        extract(config, "real", Shard(number, of))
    paths = folder.rglob("*.safetensors")
    return {path.relative_to(folder): load_file(path) for path in paths}


def test_shards_are_bit_equal_to_the_unsharded_run(tmp_path):
    """A shard's parts have the rows, and so the batches, of the unsharded run."""
    whole, shards = (filled(tmp_path / str(of), of) for of in (1, 2))
    assert whole.keys() == shards.keys()
    names = [sorted(tensors) for tensors in whole.values()]
    assert names.count(["spatial"]) == 2 and names.count(["features", "logits"]) == 2 * 2
    for name, tensors in whole.items():
        assert all(torch.equal(tensors[key], shards[name][key]) for key in tensors)


class Embedded:
    """What both backbones say of some images."""

    def __init__(self, folder, networks):
        self.folder, self.runs, self.networks = folder, 0, networks
        self.backbones = {
            "inception": describe("inception", weights="random"),
            "resnet18_random": describe("resnet18_random", resolution=32),
        }
        self.identities = {name: one.identity() for name, one in self.backbones.items()}

    def __call__(self, rows=range(IMAGES), batch_size=2, workers=2):
        self.runs += 1
        cache = FeatureCache(self.folder / str(self.runs))
        made = Extractor(cache, "cpu", batch_size, workers, True, self.networks)
        found, _ = made.extract(Noise(rows), IMAGES, self.backbones, "real", self.identities)
        return found


@pytest.fixture(scope="module")
def embedded(tmp_path_factory, networks):
    return Embedded(tmp_path_factory.mktemp("embedded"), networks)


@pytest.fixture(scope="module")
def usual(embedded):
    return embedded()


def check_same(found, usual, order=slice(None)):
    """Within 1e-5: a batch of another size is cut and multiplied otherwise."""
    for name, one in usual.items():
        pairs = [(found[name].features, one.features), (found[name].logits, one.logits)]
        if name == "inception":
            pairs.append((found[name].spatial, one.spatial))
        for tensor, expected in pairs:
            assert (tensor - expected[order]).norm() <= 1e-5 * expected.norm()


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (64, 4)])
def test_maps_and_features_depend_on_neither_batch_nor_workers(
    embedded, usual, batch_size, workers
):
    check_same(embedded(batch_size=batch_size, workers=workers), usual)


def test_maps_and_features_do_not_depend_on_the_order_of_the_images(embedded, usual):
    order = [4, 0, 2, 1, 3]
    check_same(embedded(order), usual, order)
