"""Extraction: one pass, parts, resume, and independence from batch size and workers."""

import pytest
import torch

import bench.features
from bench.cache import FeatureCache
from bench.errors import UndefinedError
from bench.features import Extractor
from bench.images import ImageSource
from models.backbone import Embedding


class Ramp(ImageSource):
    """Image k is filled with k; counts how often each image is read."""

    def __init__(self, count=25):
        self.count, self.reads = count, []
        self.labels = torch.arange(count) % 3

    def __len__(self):
        return self.count

    def read(self, indices):
        self.reads += list(indices)
        images = [torch.full((3, 4, 4), index, dtype=torch.uint8) for index in indices]
        return torch.stack(images)

    def content(self):
        return {"fingerprint": f"ramp{self.count}"}


class Mean:
    """A backbone whose feature is the image's mean, times a factor."""

    def __init__(self, factor=1.0, poison=None):
        self.factor, self.poison, self.loads = factor, poison, 0

    def identity(self):
        return {"architecture": "mean", "factor": self.factor}

    def load(self, device="cpu"):
        self.loads += 1

        def network(images):
            means = images.float().mean(dim=(2, 3)) * self.factor
            if self.poison is not None:
                means[means[:, 0] == self.poison] = float("nan")
            return Embedding(means, means.repeat(1, 2))

        return network


def extract(tmp_path, source, count, backbones, batch_size=4, workers=2):
    extractor = Extractor(FeatureCache(tmp_path / "cache"), "cpu", batch_size, workers)
    identities = {name: backbone.identity() for name, backbone in backbones.items()}
    return extractor.extract(source, count, backbones, "real", identities)


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
