"""Sweeps in real processes: one failing or dying job takes no other along."""

import os
import signal
import subprocess
import sys
import time

import pytest

from bench.composed import composed
from bench.errors import ConfigError
from bench.records import record_paths
from bench.sweep_words import combinations, job_words, split_words

SMALL = [
    *("backbone=[resnet18_random]", "backbone.resnet18_random.resolution=32"),
    *("protocol.num_real=120", "protocol.num_fake=100", "metrics=[fid]", "paths.results=out"),
]
SUICIDE = """
import os, signal, torch
class Killed:
    resolution, num_classes = 8, 0
    def sample(self, seeds, labels=None, condition=None, pose=None):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_words_are_told_apart():
    words = ["experiment=demo", "generator=a,b", "seed=range(0,3)", "'backbone=[x,y]'".strip("'")]
    fixed, swept = split_words(words)
    assert fixed == ["experiment=demo", "backbone=[x,y]"]
    assert swept == ["generator=a,b", "seed=range(0,3)"]
    with pytest.raises(ConfigError, match="no flag -m"):
        split_words(["-m"])


def test_the_command_line_narrows_the_experiments_own_sweep():
    config = composed("sweep", ["experiment=demo"], hydra_node=True)
    assert len(combinations(config, ["experiment=demo"], [])) == 10
    narrowed = combinations(config, ["experiment=demo"], ["generator=blur,jpeg", "seed=0,1"])
    assert sorted(narrowed) == [
        ["generator=blur", "seed=0"],
        ["generator=blur", "seed=1"],
        ["generator=jpeg", "seed=0"],
        ["generator=jpeg", "seed=1"],
    ]


def test_an_experiments_cluster_counts_over_the_default():
    assert composed("sweep", ["experiment=demo"]).cluster.threads == 1
    assert job_words(["cluster.jobs=3", "plan=true", "seed=1"]) == ["seed=1"]


def test_a_sweep_survives_its_jobs_and_does_only_what_is_missing(salon, tmp_path):
    words = ["sweep", *SMALL, "generator=holdout,custom,dcgan_digits,copycat", "cluster.jobs=2"]
    done = salon(*words)
    # `custom` cannot be built without its mandatory values: named at once, no process spent
    assert done.returncode == 8, done.stderr
    assert "generator.name is mandatory" in done.stdout
    assert "3 done, 0 reused, 0 skipped, 1 failed" in done.stdout
    before = {path: path.read_bytes() for path in record_paths(tmp_path / "out")}
    assert len(before) == 3
    again = salon(*words)
    assert again.returncode == 8 and "0 done, 3 reused, 0 skipped, 1 failed" in again.stdout
    assert before == {path: path.read_bytes() for path in record_paths(tmp_path / "out")}


def test_a_killed_job_is_named_with_its_signal_and_log(salon, tmp_path):
    (tmp_path / "killer.py").write_text(SUICIDE)
    done = salon(
        *("sweep", *SMALL, "generator=custom", "generator.name=killed", "seed=0,1"),
        *("generator.make={_target_: killer.Killed}", "cluster.jobs=1"),
        SALON_ALLOW_TARGETS="killer",
        PYTHONPATH=str(tmp_path),
    )
    assert done.returncode == 8
    assert done.stdout.count("killed by SIGKILL") == 2 and "log.txt" in done.stdout


def test_a_generator_of_another_dataset_is_skipped_with_its_reason(salon):
    done = salon("sweep", *SMALL, "dataset=digits", "generator=dcgan_digits", "plan=true")
    assert "1 to measure" in done.stdout
    done = salon(
        *("sweep", *SMALL, "dataset=digits", "generator=holdout,dcgan_digits"),
        *("dataset.name=other", "plan=true"),
    )
    assert "generator=dcgan_digits: skipped, generator dcgan_digits was trained on" in done.stdout
    assert "generator=holdout: 1 to measure" in done.stdout


def test_hydras_multirun_ends_with_the_table_and_exit_code_8(salon, tmp_path):
    done = salon("score", *SMALL, "-m", "protocol.num_fake=100,5000")
    assert done.returncode == 8
    assert "1 done, 0 reused, 0 skipped, 1 failed" in done.stdout
    assert "5000 fake images, found 900" in done.stdout


def test_a_terminated_sweep_ends_its_children_and_goes_on_later(tmp_path):
    words = ["sweep", *SMALL, "generator=holdout,copycat", "cluster.jobs=2"]
    command = [sys.executable, "-m", "bench", *words]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONSAFEPATH": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/logs/*/*/log.txt")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143 and "goes on from here" in errors
    mine = [
        entry
        for entry in os.listdir("/proc")
        if entry.isdigit() and str(tmp_path / "out").encode() in _command_line(entry)
    ]
    assert mine == []


def _command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""
