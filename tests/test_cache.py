"""The cache cannot lie: damaged, foreign and contradicting entries are found."""

import json
import struct
import subprocess
import sys
from contextlib import suppress

import pytest
import torch
from safetensors.torch import save

from bench.agreement import relative_bound
from bench.cache import FeatureCache, _payload_sha256
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


def spoilt(tensors, **metadata):
    """An entry that salon would not write, under its own hash where there is one."""
    told = {"identity": json.dumps(IDENTITY, sort_keys=True), "rows": "0-3", "sha256": ""}
    with suppress(TypeError):
        told["sha256"] = _payload_sha256(tensors)
    return save(tensors, told | metadata)


@pytest.mark.parametrize("data", [
    spoilt({"features": torch.tensor(1.0)}),
    spoilt({"features": torch.ones(3, 2).bfloat16()}),
    spoilt({"features": torch.ones(2, 3)}),
    spoilt(tensors(), sha256="0"),
    struct.pack("<Q", 21) + b'{"__metadata__":null}',
], ids=["no rows", "bfloat16", "other rows", "other hash", "no metadata"])  # fmt: skip
def test_an_entry_that_salon_would_not_write_is_set_aside(cache, data):
    path = cache._path(IDENTITY, ROWS)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert cache.read(IDENTITY, ROWS) is None
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


def test_narrow_products_have_a_bound_of_their_own(cache):
    bound = relative_bound({"precision": "bf16"})
    cache.write(IDENTITY, ROWS, tensors())
    adopted = cache.write(IDENTITY, ROWS, tensors(0.1), bound)  # 2 % of the largest value
    assert torch.equal(adopted["features"], tensors()["features"])
    with pytest.raises(StoreError, match=r"beyond 0\.05 relative"):
        cache.write(IDENTITY, ROWS, tensors(1.0), bound)
    assert relative_bound({"precision": "fp32"}) == relative_bound({}) == 1e-5


def test_a_cache_that_cannot_be_written_costs_a_warning(tmp_path, caplog):
    (tmp_path / "features").write_text("a file where the folder should be")
    written = FeatureCache(tmp_path / "features").write(IDENTITY, ROWS, tensors())
    assert torch.equal(written["features"], tensors()["features"])
    assert "without the cache" in caplog.text


WRITER = """
import sys, torch
from pathlib import Path
from bench.agreement import relative_bound
from bench.cache import FeatureCache
folder, noise = Path(sys.argv[1]), float(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
identity = {"images": {"fingerprint": "ab"}, "backbone": "x"}
own = {"features": torch.arange(6000.0).reshape(300, 20) + noise}
got = FeatureCache(folder).write(identity, range(300), own)
print(got["features"].double().sum().item())
"""


def test_eight_processes_on_one_cold_entry_end_with_the_same_one(cache):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(cache.folder), str(1e-4 * n)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(8)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 8
    for process in processes:  # all at once
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 8
    assert len(set(told)) == 1  # the first whole one; the others adopted it
    assert [path.name for path in entry(cache).parent.iterdir()] == [entry(cache).name]
