"""Sweeps on a real SLURM, started here; without its programs these tests are skipped."""

import os
import signal
import subprocess
import sys

import pytest
from slurm_cluster import needs_slurm, until
from small_disk import small_disk

from bench.atomic import TEMPORARY
from bench.leftovers import sweep_leftovers
from bench.records import read_record, record_paths
from bench.submitted import submitted_id

pytestmark = [needs_slurm, pytest.mark.slow, pytest.mark.timeout(900)]
SMALL = [
    *("backbone=[resnet18_random]", "backbone.resnet18_random.resolution=32"),
    *("protocol.num_real=120", "protocol.num_fake=100"),
    "metrics=[fid,prdc,kid,rarity,realism,vendi]",
]
SWEPT = "generator=holdout,copycat,blur,jpeg"
CELLS = 24
CLUSTER = [
    *("cluster=slurm", "cluster.cpus=1", "cluster.gpus=1", "cluster.memory_gb=1"),
    "cluster.poll_seconds=0.5",
]
LAUNCHER = [
    *("hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=10"),
    "hydra.launcher.mem_gb=1",
]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Scores of the same jobs by Hydra's own basic launcher, one after the other."""
    folder = tmp_path_factory.mktemp("undisturbed")
    own = {"PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1", "SALON_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "bench", "score", "-m", *SMALL, SWEPT, "paths.results=out"]
    subprocess.run(command, cwd=folder, env=os.environ | own, check=True, timeout=240)
    return scores(folder / "out")


def scores(results):
    found = {}
    for path in record_paths(results):
        record = read_record(path)
        values = {name: entry["value"] for name, entry in record.scores.items()}
        found[record.generator["name"], record.metric["name"], record.seed] = values
    return found


def test_a_sweep_survives_scancel_requeue_kill_and_a_full_disk(
    cluster, salon, tmp_path, undisturbed
):
    with small_disk(tmp_path / "disk", megabytes=32) as disk:
        there = f"paths.results={disk.folder}/there"
        words = ["sweep", *SMALL, SWEPT, there, f"paths.cache={disk.folder}/cache", *CLUSTER]
        queued = salon(*words, "cluster.wait=false", **cluster.environment)
        assert queued.returncode == 0, queued.stderr
        shared, *own = sorted(disk.folder.glob("there/logs/*/00*"))  # first the features of all
        assert len(own) == 4 and submitted_id(shared) is not None
        told = salon("status", there).stdout.splitlines()
        assert sum(row.startswith(("queued", "running", "done")) for row in told) >= 4, told
        until(lambda: (own[0] / "log.txt").exists() and (own[1] / "log.txt").exists())
        cluster.run("scancel", submitted_id(own[0]), submitted_id(own[1]))
        until(lambda: (own[2] / "log.txt").exists() and (own[3] / "log.txt").exists())
        os.kill(child_in(own[3]), signal.SIGKILL)
        cluster.run("scontrol", "requeue", submitted_id(own[2]))
        disk.fill()  # until the requeued job has tried its luck as well
        until(lambda: cluster.queue() == [])
        sweep_leftovers([disk.folder])  # else the next sweep makes room with what was half written
        disk.fill()  # what ended has given back the files that have no name
        full = salon(*words, **cluster.environment)
        assert full.returncode == 6 and "No space left on device" in full.stderr
        assert full.stderr.splitlines()[-1].startswith("error: ")
        assert len(scores(disk.folder / "there")) < CELLS
        disk.free()
        done = salon(*words, **cluster.environment, timeout=600)
        assert done.returncode == 0 and "0 failed" in done.stdout, done.stdout + done.stderr
        assert scores(disk.folder / "there") == undisturbed and len(undisturbed) == CELLS
        assert not list(disk.folder.rglob(f"{TEMPORARY}*"))


def test_hydras_door_gives_the_same_scores(cluster, salon, tmp_path, undisturbed):
    words = ["score", "-m", *SMALL, SWEPT, "paths.results=there", *LAUNCHER]
    done = salon(*words, **cluster.environment, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{CELLS} done, 0 reused, 0 skipped, 0 failed" in done.stdout
    assert scores(tmp_path / "there") == undisturbed


def test_a_refused_partition_is_one_line_at_either_door(cluster, salon):
    words = [*SMALL, "generator=holdout"]
    swept = salon("sweep", *words, *CLUSTER, "cluster.partition=nowhere", **cluster.environment)
    assert swept.returncode == 7 and "invalid partition" in swept.stderr
    assert swept.stderr.splitlines()[-1].startswith("error: ")
    scored = salon(
        *("score", "-m", *words, *LAUNCHER, "hydra.launcher.partition=nowhere"),
        **cluster.environment,
    )
    assert scored.returncode == 7 and "invalid partition" in scored.stderr
    assert scored.stderr.splitlines()[-1].startswith("error: ")


def child_in(folder):
    """The process that runs `salon score` in a job's folder."""
    found = []

    def look():
        told = subprocess.run(
            ["pgrep", "-f", f"bench score .*{folder.parent.name}/{folder.name}"],
            capture_output=True,
            text=True,
        )
        found[:] = [int(word) for word in told.stdout.split()]
        return found

    until(look)
    return found[-1]
