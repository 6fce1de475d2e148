"""A sweep over the seeds of an untrained backbone: records apart, one row of the leaderboard."""

import json
from statistics import mean, stdev

import pytest

from bench.cli import main
from bench.records import read_record, record_paths

SEEDS = [0, 1, 2]
WORDS = [
    *("backbone=[resnet18_random]", "backbone.resnet18_random.resolution=32"),
    *("protocol.num_real=60", "protocol.num_fake=40", "metrics=[fid]", "paths.results=out"),
    f"backbone.resnet18_random.seed={','.join(map(str, SEEDS))}",
]


@pytest.mark.slow
def test_seeds_of_a_random_backbone_are_one_row_with_their_mean_and_deviation(salon, tmp_path):
    done = salon("score", "-m", *WORDS)
    assert done.returncode == 0, done.stderr
    records = list(map(read_record, record_paths(tmp_path / "out")))
    assert sorted(one.identities["backbone"]["seed"] for one in records) == SEEDS
    assert len({one.identities["backbone"]["state_sha256"] for one in records}) == len(SEEDS)

    values = [one.scores["fid"]["value"] for one in records]
    with pytest.raises(SystemExit, match="0"):
        main(["leaderboard", f"paths.results={tmp_path / 'out'}", "name=seeds"])
    (board,) = json.loads((tmp_path / "out/leaderboards/seeds.json").read_text())["boards"]
    (row,) = board["rows"]
    (cell,) = row["cells"]
    assert row["num_seeds"] == len(SEEDS) and len(set(values)) == len(SEEDS)
    assert cell["value"] == pytest.approx(mean(values), rel=1e-12)
    assert cell["spread"] == pytest.approx(stdev(values), rel=1e-12)
