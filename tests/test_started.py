"""A multirun is told of its own jobs, wherever their folders lie and whoever used them before."""

import os

import pytest

from bench.job_status import FILE as STATUS
from bench.started import Started, begun


def speaks(folder, *, at):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STATUS).write_text("{}")
    os.utime(folder / STATUS, ns=(at, at))


def test_jobs_are_found_at_any_depth(tmp_path):
    speaks(tmp_path / "0", at=1)
    speaks(tmp_path / "digits/blur/1", at=1)
    (tmp_path / "2/.hydra").mkdir(parents=True)
    (tmp_path / "2/.hydra/hydra.yaml").write_text("")  # ended before it said a word
    (tmp_path / "no job").mkdir()
    names = [own.relative_to(tmp_path).as_posix() for own in Started(tmp_path, True).jobs()]
    assert names == ["0", "2", "digits/blur/1"]


def test_jobs_of_an_earlier_multirun_in_the_same_folder_are_not_its_own(tmp_path):
    speaks(tmp_path / "0", at=1)
    speaks(tmp_path / "1", at=1)
    started = Started(tmp_path, True, begun(tmp_path))
    assert started.jobs() == []
    speaks(tmp_path / "0", at=2)
    assert started.jobs() == [tmp_path / "0"]


@pytest.mark.slow
def test_a_folder_without_a_name_fails_the_multirun(salon, small):
    done = salon("score", "-m", *small, "paths.cache=${oc.env:NOT_SET}/c", "seed=0,1")
    assert done.returncode == 8 and "2 failed" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_a_folder_that_is_used_again_counts_the_jobs_of_this_command_alone(salon, small):
    words = [*("score", "-m", *small, "metrics=[image_statistics]", "hydra.sweep.dir=mine")]
    words += ["hydra.sweep.subdir=${dataset.name}/${hydra.job.num}"]
    first = salon(*words, "seed=0,1")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "2 done, 0 reused, 0 skipped, 0 failed" in first.stdout
    headings = [line for line in first.stdout.splitlines() if line.startswith("#")]
    assert [line.split()[0] for line in headings] == ["#0", "#1"]  # each table says whose it is
    assert [line.split()[-1] for line in headings] == ["seed=0", "seed=1"]
    again = salon(*words, "seed=0")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "0 done, 1 reused, 0 skipped, 0 failed" in again.stdout
