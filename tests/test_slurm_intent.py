"""What a launcher notes before it submits, so that a killed one forgets no job."""

import re

import pytest

from bench import slurm_queue
from bench.errors import LauncherError
from bench.intent import Intent, note_forgotten, take_back, unique_name
from bench.plan import PlannedJob
from bench.report import Report
from bench.slurm import Slurm
from bench.submitted import submitted_id
from bench.writer import writer


@pytest.fixture
def queue(monkeypatch):
    """What squeue knows by name: filled by the test."""
    known = {}
    monkeypatch.setattr(slurm_queue, "named", lambda name: known.get(name, []))
    return known


def test_a_killed_launchers_jobs_are_noted_and_the_rest_is_forgotten(tmp_path, queue):
    dead = f"{writer().rpartition('-')[0]}-999999999"
    Intent([4, 5, 6], ["k4", "k5", "k6"], "salon-1", dead).write(tmp_path / "s")
    Intent([7], ["k7"], "salon-2", dead).write(tmp_path / "s")
    Intent([8], ["k8"], "salon-3", dead).write(tmp_path / "t")
    queue.update({"salon-1": ["12_2", "12_0"], "salon-2": ["13"]})
    note_forgotten(tmp_path)
    ids = {n: submitted_id(tmp_path / f"s/{n:04d}") for n in range(4, 8)}
    assert ids == {4: "12_0", 5: None, 6: "12_2", 7: "13"}
    assert not list(tmp_path.glob("*/intent-*"))


def test_a_living_launchers_intent_is_left_alone(tmp_path, queue):
    Intent([0], ["k"], "salon-1").write(tmp_path / "s")
    note_forgotten(tmp_path)
    (file,) = tmp_path.glob("s/intent-*")
    assert "salon-1" in file.name


def test_an_intent_from_another_node_stays_until_its_jobs_are_in_the_queue(tmp_path, queue):
    Intent([0], ["k"], "salon-1", "elsewhere-0123abcd-7").write(tmp_path / "s")
    note_forgotten(tmp_path)
    assert list(tmp_path.glob("s/intent-*"))
    queue["salon-1"] = ["12_0"]
    note_forgotten(tmp_path)
    assert submitted_id(tmp_path / "s/0000") == "12_0" and not list(tmp_path.glob("s/intent-*"))


def test_an_intent_that_cannot_be_taken_back_stays(tmp_path, queue, monkeypatch):
    intent, cancelled = Intent([0], ["k"], "salon-1"), []
    intent.write(tmp_path)
    queue["salon-1"] = ["12_0", "12_1"]
    monkeypatch.setattr(slurm_queue, "cancel", cancelled.extend)

    def silent(name):
        raise LauncherError("squeue did not answer in 60 s.")

    with monkeypatch.context() as away:
        away.setattr(slurm_queue, "named", silent)
        take_back(intent, tmp_path)
    assert cancelled == [] and list(tmp_path.glob("intent-*"))
    take_back(intent, tmp_path)
    assert cancelled == ["12"] and not list(tmp_path.glob("intent-*"))


def test_names_of_arrays_are_unique_and_ours():
    assert re.fullmatch(r"salon-\d{8}", unique_name())
    assert unique_name() != unique_name()


def test_jobs_of_a_sweep_that_could_not_be_submitted_whole_are_told_as_taken_out(
    tmp_path, monkeypatch, queue
):
    """The first array is in the queue when SLURM refuses the second."""

    def refuse_the_second(cluster, jobs, folder, executor):
        if jobs[0][0]:
            raise LauncherError("SLURM refused the jobs: submit limit")
        return ["7"]

    cancelled = []
    monkeypatch.setattr(Slurm, "_array", refuse_the_second)
    monkeypatch.setattr(Slurm, "_executor", lambda *given: None)
    monkeypatch.setattr(slurm_queue, "alive", dict)
    monkeypatch.setattr(slurm_queue, "max_array_size", lambda: 1)
    monkeypatch.setattr(slurm_queue, "cancel", cancelled.extend)
    with pytest.raises(LauncherError, match="submit limit"):
        Slurm().run([PlannedJob(["a"], ["a"]), PlannedJob(["b"], ["b"])], tmp_path / "s")
    assert cancelled == ["7"]
    assert "taken out of the queue" in Report.read(tmp_path / "s/0000").reasons()
