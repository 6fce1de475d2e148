"""The cache cannot lie: damaged, foreign and contradicting entries are found."""

import pytest
import torch

from bench.cache import FeatureCache
from bench.errors import StoreError

ROWS = range(0, 3)
IDENTITY = {"images": {"fingerprint": "ab"}, "backbone": "x"}


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "features")


def tensors(offset=0.0):
    return {"features": torch.arange(6.0).reshape(3, 2) + offset}


def entry(cache):
    (path,) = cache.folder.rglob("*.safetensors")
    return path


def test_what_was_written_is_read(cache):
    cache.write(IDENTITY, ROWS, tensors())
    assert torch.equal(cache.read(IDENTITY, ROWS)["features"], tensors()["features"])


def test_another_identity_or_other_rows_are_absent(cache):
    cache.write(IDENTITY, ROWS, tensors())
    assert cache.read({**IDENTITY, "backbone": "y"}, ROWS) is None
    assert cache.read(IDENTITY, range(3, 6)) is None


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "html"])
def test_a_damaged_entry_is_set_aside_and_recomputed(cache, damage, caplog):
    cache.write(IDENTITY, ROWS, tensors())
    path = entry(cache)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    spoilt = {"truncate": data[:-5], "flip": data, "empty": b"", "html": b"<html>" * 20}[damage]
    path.write_bytes(spoilt)
    assert cache.read(IDENTITY, ROWS) is None
    assert "set aside" in caplog.text
    assert not path.exists() and list(path.parent.glob("*.damaged-*"))


def test_an_entry_moved_under_another_name_is_found_out(cache):
    cache.write(IDENTITY, ROWS, tensors())
    path = entry(cache)
    other = cache._path({**IDENTITY, "backbone": "y"}, ROWS)
    other.parent.mkdir(parents=True)
    path.rename(other)
    assert cache.read({**IDENTITY, "backbone": "y"}, ROWS) is None


def test_a_later_writer_adopts_the_first_within_float32_noise(cache):
    cache.write(IDENTITY, ROWS, tensors())
    adopted = cache.write(IDENTITY, ROWS, tensors(1e-6))
    assert torch.equal(adopted["features"], tensors()["features"])


def test_a_later_writer_that_disagrees_fails_and_both_are_kept(cache):
    cache.write(IDENTITY, ROWS, tensors())
    with pytest.raises(StoreError, match="other features"):
        cache.write(IDENTITY, ROWS, tensors(1.0))
    assert list(entry(cache).parent.glob("*.conflict-*"))


def test_a_cache_that_cannot_be_written_costs_a_warning(tmp_path, caplog):
    (tmp_path / "features").write_text("a file where the folder should be")
    written = FeatureCache(tmp_path / "features").write(IDENTITY, ROWS, tensors())
    assert torch.equal(written["features"], tensors()["features"])
    assert "without the cache" in caplog.text
