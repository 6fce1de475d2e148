"""Extraction: one pass, parts, resume, and independence from batch size and workers."""

import subprocess
import sys
import threading

import pytest
import torch
from made_images import Mean, Ramp, extract
from safetensors.torch import load_file

import bench.features
from bench.cache import FeatureCache
from bench.errors import UndefinedError
from bench.feature_set import FeatureSet
from bench.features import Extractor
from bench.read_ahead import BYTES_AHEAD, Batch, _depth
from models.backbone import Embedding
from models.backbones import describe


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(bench.features, "PART_ROWS", 10)


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (7, 3), (64, 2)])
def test_features_are_those_of_the_images_in_order(tmp_path, batch_size, workers):
    found, _ = extract(tmp_path, Ramp(), 25, {"m": Mean()}, batch_size, workers)
    assert torch.equal(found["m"].features[:, 0], torch.arange(25.0))
    assert found["m"].logits.shape == (25, 6)
    assert torch.equal(found["m"].labels, torch.arange(25) % 3)


def test_every_image_is_read_once_for_all_backbones(tmp_path):
    source = Ramp()
    extract(tmp_path, source, 25, {"a": Mean(1.0), "b": Mean(2.0)})
    assert sorted(source.reads) == list(range(25))


def test_a_second_run_reads_nothing_and_loads_no_network(tmp_path):
    extract(tmp_path, Ramp(), 25, {"m": Mean()})
    source, backbone = Ramp(), Mean()
    found, cost = extract(tmp_path, source, 25, {"m": backbone})
    assert source.reads == [] and backbone.loads == 0
    assert cost.images == 0 and cost.reused == 25
    assert torch.equal(found["m"].features[:, 0], torch.arange(25.0))


def test_a_killed_run_loses_only_its_unfinished_part(tmp_path):
    with pytest.raises(UndefinedError):
        extract(tmp_path, Ramp(), 25, {"m": Mean(poison=17)})
    source = Ramp()
    extract(tmp_path, source, 25, {"m": Mean()})
    assert sorted(source.reads) == list(range(10, 25))


def test_a_new_backbone_leaves_the_others_alone(tmp_path):
    extract(tmp_path, Ramp(), 25, {"a": Mean(1.0)})
    old, new = Mean(1.0), Mean(2.0)
    extract(tmp_path, Ramp(), 25, {"a": old, "b": new})
    assert (old.loads, new.loads) == (0, 1)


def test_more_images_of_one_source_reuse_its_whole_parts(tmp_path):
    extract(tmp_path, Ramp(), 20, {"m": Mean()})
    source = Ramp()
    extract(tmp_path, source, 25, {"m": Mean()})
    assert sorted(source.reads) == list(range(20, 25))


def test_nan_features_name_the_first_image(tmp_path):
    with pytest.raises(UndefinedError, match=r"backbone m .* the first is 17"):
        extract(tmp_path, Ramp(), 25, {"m": Mean(poison=17)})


def test_an_error_in_a_reader_thread_reaches_the_caller(tmp_path):
    class Torn(Ramp):
        def read(self, indices):
            if 13 in indices:
                raise OSError("image 13 is torn")
            return super().read(indices)

    with pytest.raises(OSError, match="image 13"):
        extract(tmp_path, Torn(), 25, {"m": Mean()})


class Noise(Ramp):
    """Image k is drawn from k; in any order of rows."""

    def __init__(self, rows):
        super().__init__(len(rows))
        self.rows = list(rows)

    def read(self, indices):
        streams = [torch.Generator().manual_seed(self.rows[index]) for index in indices]
        return torch.stack(
            [torch.randint(0, 256, (3, 40, 40), dtype=torch.uint8, generator=s) for s in streams]
        )

    def content(self):
        return {"rows": self.rows}


@pytest.fixture(scope="module")
def resnet():
    return describe("resnet18_random", resolution=32)


def resnet_features(folder, resnet, rows, batch_size=8, workers=2):
    found, _ = extract(folder, Noise(rows), len(rows), {"r": resnet}, batch_size, workers)
    return found["r"].features


@pytest.mark.parametrize(("batch_size", "workers"), [(1, 1), (7, 3), (64, 4)])
def test_a_networks_features_depend_on_neither_batch_nor_workers(
    tmp_path, resnet, batch_size, workers
):
    usual = resnet_features(tmp_path / "a", resnet, range(25))
    other = resnet_features(tmp_path / "b", resnet, range(25), batch_size, workers)
    assert (other - usual).norm() <= 1e-5 * usual.norm()


def test_a_networks_features_do_not_depend_on_the_order_of_the_images(tmp_path, resnet):
    order = torch.randperm(25, generator=torch.Generator().manual_seed(0)).tolist()
    usual = resnet_features(tmp_path / "a", resnet, range(25))
    mixed = resnet_features(tmp_path / "b", resnet, order)
    assert (mixed - usual[order]).norm() <= 1e-5 * usual.norm()


class Mapping(Mean):
    """A backbone with a spatial map, which counts its calls."""

    has_spatial = True
    calls = 0

    def load(self, device="cpu"):
        inner = super().load(device)

        def network(images):
            self.calls += len(images)
            found = inner(images)
            return Embedding(found.features, found.logits, images.float().flatten(1)[:, :5])

        return network


def with_maps(tmp_path, backbone, spatial):
    cache = FeatureCache(tmp_path / "cache")
    extractor = Extractor(cache, "cpu", 4, 2, spatial)
    found, _ = extractor.extract(Ramp(), 25, {"m": backbone}, "real", {"m": backbone.identity()})
    return found["m"]


def test_features_logits_and_maps_come_from_one_pass(tmp_path):
    backbone = Mapping()
    found = with_maps(tmp_path, backbone, spatial=True)
    assert backbone.calls == 25
    assert (found.features.shape, found.logits.shape, found.spatial.shape) == (
        (25, 3),
        (25, 6),
        (25, 5),
    )


def test_maps_have_entries_of_their_own_and_features_are_reused_without_them(tmp_path):
    with_maps(tmp_path, Mapping(), spatial=True)
    again = Mapping()
    assert with_maps(tmp_path, again, spatial=False).spatial is None and again.calls == 0
    names = [set(load_file(path)) for path in tmp_path.rglob("*.safetensors")]
    assert names.count({"spatial"}) == names.count({"features", "logits"}) == 3


class Prepared(Mean):
    """A backbone whose images are prepared in the readers' threads."""

    def load(self, device="cpu"):
        threads = self.threads = set()

        class Network:
            def prepare(self, images):
                threads.add(threading.current_thread().name)
                return images.float() + 1

            def embed(self, prepared):
                return Embedding(prepared.mean(dim=(2, 3)), None)

        return Network()


def test_what_a_network_prepares_is_prepared_by_the_readers(tmp_path):
    backbone = Prepared()
    found, _ = extract(tmp_path, Ramp(), 25, {"p": backbone, "m": Mean(2.0)})
    assert torch.equal(found["p"].features[:, 0], torch.arange(25.0) + 1)
    assert torch.equal(found["m"].features[:, 0], 2 * torch.arange(25.0))
    assert all(name.startswith("images") for name in backbone.threads)


def test_few_large_batches_wait_and_many_small_ones():
    small, large = (
        Batch([0], torch.zeros(count, dtype=torch.uint8), {}) for count in (10, BYTES_AHEAD)
    )
    assert _depth(small, workers=4) == 4 and _depth(large, workers=4) == 1


def test_duplicates_are_rows_equal_to_the_bit():
    rows = torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0000002], [1.0, 2.0]])
    assert FeatureSet(rows).duplicates == 2 and FeatureSet(rows.double()[:3]).duplicates == 1


MEMORY = """
import sys, torch
from pathlib import Path
import bench.features
from bench.environment import peak_memory_mb
from bench.cache import FeatureCache
from bench.images import ImageSource
from models.backbone import Embedding
bench.features.PART_ROWS = 256

class Grey(ImageSource):
    def __init__(self, count): self.count = count
    def __len__(self): return self.count
    def read(self, indices): return torch.zeros(len(indices), 3, 8, 8, dtype=torch.uint8)
    def content(self): return {"count": self.count}

class Wide:
    def identity(self): return {}
    def load(self, device):
        return lambda images: Embedding(torch.ones(len(images), 4096), None)

def peak(count):
    made = bench.features.Extractor(FeatureCache(Path(sys.argv[1])), "cpu", 64, 2)
    found, _ = made.extract(Grey(count), count, {"w": Wide()}, "real", {"w": {}})
    assert found["w"].features.shape == (count, 4096)
    return peak_memory_mb()

few = peak(1024)
print(peak(12 * 1024) - few)
"""


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    """11,264 more images are 185 MB of features; the peak may move by the allocator's slack."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 40
