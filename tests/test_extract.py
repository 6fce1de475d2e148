"""`salon extract`: shards fill the cache exactly, and a score then runs no network."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import bench.features
from bench.composed import composed
from bench.errors import ConfigError
from bench.extract import extract, main
from bench.records import read_record
from bench.shard import Shard, read_shard


@pytest.fixture(autouse=True)
def parts_of_50(monkeypatch):
    monkeypatch.setattr(bench.features, "PART_ROWS", 50)


def cached(folder):
    return {path.name: load_file(path) for path in (folder / "features").rglob("*.safetensors")}


def words(folder):
    return [
        "backbone=[resnet18_random]",
        "backbone.resnet18_random.resolution=32",
        "protocol.num_real=120",
        "protocol.num_fake=100",
        "batch_size=16",
        f"paths.cache={folder}",
    ]


def fill(folder, side, of=1):
    config = composed("score", words(folder))
    return [extract(config, side, Shard(number, of)) for number in range(of)]


def test_shards_are_bit_equal_to_the_unsharded_run(tmp_path):
    fill(tmp_path / "whole", "real")
    costs = fill(tmp_path / "shards", "real", of=2)
    assert [cost.images for cost in costs] == [70, 50]  # parts 0 and 2, part 1
    whole, shards = cached(tmp_path / "whole"), cached(tmp_path / "shards")
    assert whole.keys() == shards.keys() and len(whole) == 3
    for name, tensors in whole.items():
        assert all(torch.equal(tensors[key], shards[name][key]) for key in tensors)


@pytest.mark.parametrize("side", ["fake", "holdout"])
def test_other_sides_can_be_filled_too(side, tmp_path):
    (cost,) = fill(tmp_path, side)
    assert cost.images == (100 if side == "fake" else 900)
    assert fill(tmp_path, side, of=3)[0].images == 0  # it is all there


def test_a_score_after_all_shards_extracts_nothing(tmp_path, measure):
    fill(tmp_path / "cache", "real", of=3)
    fill(tmp_path / "cache", "fake", of=2)
    _, report = measure(*words(tmp_path / "cache"), "metrics=[fid]")
    assert report.code == 0
    cost = read_record(Path(report.lines[0].record)).cost
    assert cost["real"]["images"] == cost["fake"]["images"] == 0
    assert (cost["real"]["reused"], cost["fake"]["reused"]) == (120, 100)


def test_a_protocols_largest_count_draws_the_rows_of_a_score(tmp_path):
    most = [word.replace("num_real=120", "max_real=120") for word in words(tmp_path)]
    assert extract(composed("score", most), "real", Shard()).images == 120
    assert fill(tmp_path, "real")[0].reused == 120


@pytest.mark.parametrize("text", ["8/8", "a/b", "1", "-1/2", "0/0", "1/2/3", ""])
def test_a_wrong_shard_is_refused(text):
    with pytest.raises(ConfigError, match=r"shard=.*expected NUMBER/OF"):
        read_shard(text)


def test_a_wrong_side_is_refused_with_the_sides_there_are():
    with pytest.raises(ConfigError, match=r"side=reel: .*real"):
        main(["side=reel"])


def test_shards_share_all_parts_and_none_twice():
    parts = list(range(11))
    shares = [Shard(number, 4).share(parts) for number in range(4)]
    assert sorted(part for share in shares for part in share) == parts


def test_ready_features_need_no_extraction(tmp_path):
    path = tmp_path / "real.npy"
    np.save(path, np.ones((4, 2), np.float32))
    with pytest.raises(ConfigError, match="features or moments already"):
        main(["dataset=features", f"dataset.path={path}", "backbone=[precomputed]"])
