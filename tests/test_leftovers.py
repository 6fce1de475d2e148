"""Temporary files of killed writers are removed, those of living ones never."""

import os
import subprocess
import time

import pytest

from bench.leftovers import FORGOTTEN_AFTER, sweep_leftovers, sweep_leftovers_of
from bench.writer import is_gone, writer


@pytest.fixture
def dead():
    """The name of a writer on this machine that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return f"{writer().rpartition('-')[0]}-{process.pid}"


def temporary(folder, name, age=0.0):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".tmp-{name}-0a1b2c3d"
    path.write_text("half")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_a_dead_process_of_this_machine_leaves_nothing(tmp_path, dead):
    left = temporary(tmp_path / "cache/ab", dead)
    mine = temporary(tmp_path / "cache/ab", writer())
    record = tmp_path / "cache/record.json"
    record.write_text("{}")
    assert sweep_leftovers([tmp_path / "cache", tmp_path / "absent"]) == 1
    assert not left.exists() and mine.exists() and record.exists()


def test_of_other_machines_only_a_day_without_a_write_tells(tmp_path, dead):
    other = f"elsewhere-00000000-{dead.rpartition('-')[2]}"
    fresh = temporary(tmp_path, other)
    assert sweep_leftovers([tmp_path]) == 0 and fresh.exists()
    old = temporary(tmp_path / "deep/er", other, age=FORGOTTEN_AFTER + 60)
    assert sweep_leftovers([tmp_path]) == 1 and not old.exists() and fresh.exists()


def test_the_folders_of_a_config_are_all_looked_at(tmp_path, dead):
    paths = {"results": "r", "cache": "r/cache", "logs": "logs", "data": "data"}
    paths = {name: str(tmp_path / folder) for name, folder in paths.items()}
    left = [temporary(tmp_path / folder, dead) for folder in ("r/a", "r/cache", "logs/7/0")]
    theirs = temporary(tmp_path / "data", dead)  # jobs write no data
    assert sweep_leftovers_of(paths) == 3
    assert not any(path.exists() for path in left) and theirs.exists()


@pytest.mark.slow
@pytest.mark.parametrize("verb", [["sweep"], ["score", "-m"]])
def test_the_next_sweep_through_either_door_removes_them(salon, small, tmp_path, dead, verb):
    left = temporary(tmp_path / "results/logs/20261127-182614-a8a89b/1", dead)
    done = salon(*verb, *small, "metrics=[image_statistics]", "seed=0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not left.exists()


def test_a_killed_process_is_gone_before_its_parent_has_looked():
    process = subprocess.Popen(["sleep", "60"])
    name = f"{writer().rpartition('-')[0]}-{process.pid}"
    assert not is_gone(name)
    process.kill()
    while not is_gone(name):  # the test's time limit ends this
        time.sleep(0.01)
    process.wait()


def test_names_that_are_not_ours_are_never_gone():
    other = ["", "x", "host-1", f"{writer()}x", "host-0-abc", f"{writer()}_1"]
    assert not any(map(is_gone, other))


def test_no_process_has_such_a_number():
    assert is_gone(f"{writer().rpartition('-')[0]}-{10**30}")


def test_a_process_may_have_any_name(tmp_path):
    program = tmp_path / os.fsdecode(b"\xd0\xd0")  # no UTF-8
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"])
    name = f"{writer().rpartition('-')[0]}-{process.pid}"
    assert not is_gone(name) and is_gone(f"{name}_1")  # nothing here began one tick after the boot
    process.kill()
    process.wait()


def test_another_process_of_the_same_number_is_not_the_writer():
    number, _, start = writer().rpartition("_")
    assert start.isdecimal(), "a writer's start is known on Linux"
    assert is_gone(f"{number}_{int(start) - 1}") and not is_gone(number)
