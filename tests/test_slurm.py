"""Sweeps on a real SLURM, started here; without its programs these tests are skipped."""

import pytest
from slurm_cluster import needs_slurm

from bench.records import read_record, record_paths

SMALL = [
    *("backbone=[resnet18_random]", "backbone.resnet18_random.resolution=32"),
    *("protocol.num_real=120", "protocol.num_fake=100", "metrics=[fid,prdc]"),
]
CLUSTER = [
    *("cluster=slurm", "cluster.cpus=1", "cluster.gpus=1", "cluster.memory_gb=1"),
    "cluster.poll_seconds=0.5",
]


def scores(results):
    found = {}
    for path in record_paths(results):
        record = read_record(path)
        values = {name: entry["value"] for name, entry in record.scores.items()}
        found[record.generator["name"], record.metric["name"], record.seed] = values
    return found


@needs_slurm
@pytest.mark.slow
def test_a_sweep_on_slurm_gives_the_records_of_this_machine(cluster, salon, tmp_path):
    words = ["sweep", *SMALL, "generator=holdout,copycat,blur,dcgan_digits"]
    here = salon(*words, "paths.results=here", "cluster.jobs=2")
    assert here.returncode == 0, here.stderr
    there = salon(*words, "paths.results=there", *CLUSTER, **cluster.environment)
    assert there.returncode == 0, there.stderr + there.stdout
    assert "8 done, 0 reused, 0 skipped, 0 failed" in there.stdout
    assert scores(tmp_path / "there") == scores(tmp_path / "here")
