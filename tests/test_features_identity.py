"""Extraction: features are kept under what they depend on, and refused where that has changed."""

from pathlib import Path

import pytest
import torch
from made_images import Mean, Ramp, extract

from bench.cache import FeatureCache
from bench.errors import CheckpointError
from bench.features import Extractor
from models.precision import Precision
from models.weights import file_sha256


class Checkpoint(Mean):
    """A backbone whose factor lies in a file, which another program writes."""

    def __init__(self, file, after_load=None):
        super().__init__()
        self.file, self.after_load = file, after_load or (lambda: None)

    def identity(self):
        return {"weights_sha256": file_sha256(self.file)}

    def load(self, device="cpu"):
        self.factor = float(self.file.read_text())
        self.after_load()
        return super().load(device)


def test_weights_overwritten_between_identity_and_load_are_refused(tmp_path):
    backbone = Checkpoint(tmp_path / "weights")
    backbone.file.write_text("1")
    old = {"m": backbone.identity()}
    backbone.file.write_text("10")
    extractor = Extractor(FeatureCache(tmp_path / "cache"), "cpu", 4, 2)
    for _ in range(2):
        with pytest.raises(CheckpointError, match=r"backbone m: its weights changed .* a copy"):
            extractor.extract(Ramp(), 25, {"m": backbone}, "real", old)
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    found, _ = extractor.extract(Ramp(), 25, {"m": backbone}, "real", {"m": backbone.identity()})
    assert torch.equal(found["m"].features[:, 0], 10 * torch.arange(25.0))


def test_weights_overwritten_while_they_are_read_are_refused_too(tmp_path):
    file = tmp_path / "weights"
    file.write_text("1")
    with pytest.raises(CheckpointError, match="backbone m"):
        extract(tmp_path, Ramp(), 25, {"m": Checkpoint(file, lambda: file.write_text("10"))})


class Narrow(Mean):
    """As if its products were rounded."""

    precision = Precision.bf16

    def identity(self):
        return {**super().identity(), "precision": "bf16"}


def test_narrow_features_of_two_kinds_of_processors_are_never_stitched(tmp_path, monkeypatch):
    extract(tmp_path, Ramp(), 20, {"m": Narrow(), "full": Mean()})
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "another")
    source, narrow, full = Ramp(), Narrow(), Mean()
    extract(tmp_path, source, 20, {"m": narrow, "full": full})
    assert (narrow.loads, full.loads) == (1, 0) and sorted(source.reads) == list(range(20))


def test_a_plan_without_the_nodes_gpu_takes_narrow_features_for_missing(tmp_path):
    extractor = Extractor(FeatureCache(tmp_path), "cuda", 4, 2)
    narrow, count = Narrow(), 25
    assert extractor.lacking(Ramp(), count, narrow, narrow.identity()) == count


def test_the_keys_of_float32_features_are_the_old_ones():
    key = Extractor(FeatureCache(Path("cache")), "cpu", 4, 2)._identity(Ramp(), Mean().identity())
    assert key.keys() == {"images", "backbone", "device_type", "version", "dtype"}
