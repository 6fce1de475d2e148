"""The cluster's options and its queue, without a SLURM."""

import pytest

from bench import slurm_queue, slurm_watch
from bench.build import build
from bench.composed import composed
from bench.errors import ConfigError, LauncherError
from bench.plan import PlannedJob
from bench.report import Line, Report
from bench.slurm import Slurm
from bench.submitted import Submitted, in_queue, place_of, submitted_id


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("minutes=3", "longer limit or a shorter warning"),
        ("minutes=0", "found 0, expected 1"),
        ("cpus=0", "found 0, expected 1"),
        ("gpus=-1", "found -1, expected 0"),
        ("memory_gb=-2", "found -2.0, expected 0"),
        ("minutes=long", "cluster.minutes"),
        ("partitoin=gpu", "partition"),
    ],
)
def test_wrong_options_are_named(word, message):
    config = composed("sweep", ["cluster=slurm", *([] if "toin" in word else [f"cluster.{word}"])])
    if "toin" in word:  # as a user's own cluster yaml would have it
        config.cluster = {**config.cluster, "partitoin": "gpu"}
    with pytest.raises(ConfigError, match=message):
        build(config.cluster, "cluster")


def test_the_shortest_limit_leaves_time_to_begin():
    assert Slurm(minutes=4, warning_seconds=120).minutes == 4
    assert Slurm(minutes=2, warning_seconds=30).minutes == 2


def test_without_squeue_one_is_told_where_to_type(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LauncherError, match="login node"):
        Slurm().run([PlannedJob(["a"], ["a"])], tmp_path)


def test_a_job_is_in_the_queue_while_slurm_knows_its_id(tmp_path):
    first, second = tmp_path / "s1/0000", tmp_path / "s2/0003"
    Submitted("k1", "7_0").write(first)
    Submitted("k2", "8").write(tmp_path / "s1/0001")
    Submitted("k1", "7_0", "../../s1/0000").write(second)  # the same command, typed again
    assert in_queue(tmp_path, ["k1", "k2", "k3"], {"7_0": "", "9": ""}) == {"k1": (first, "7_0")}
    assert place_of(second) == first and place_of(first) == first
    assert submitted_id(second) == "7_0"


def test_half_a_file_is_no_job(tmp_path):
    (tmp_path / "s/0").mkdir(parents=True)
    (tmp_path / "s/0/submitted.json").write_text('{"key": "k"')
    assert in_queue(tmp_path, ["k"], {"7": ""}) == {}


def watched(folder):
    folder.mkdir()
    return slurm_watch.Watched(0, PlannedJob(["seed=1"], []), folder, "7")


def test_no_job_is_lost_while_the_controller_does_not_answer(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    one = watched(tmp_path / "j")
    answers = [{"7": "None"}, None, None, {"7": "None"}, {}]

    def alive():
        answer = answers.pop(0)
        if answer is None:
            raise LauncherError("squeue did not answer in 60 s.")
        if not answer:
            Report([Line("d", "g", "b", "m", "done")]).write(one.folder)
        return answer

    monkeypatch.setattr(slurm_queue, "alive", alive)
    monkeypatch.setattr(slurm_queue, "state", lambda job_id: None)
    assert [line.state for line in slurm_watch.watch([one], 0.0)] == ["done"]
    assert caplog.text.count("did not answer") == 1 and "answers again" in caplog.text


def test_a_report_that_the_file_system_shows_late_still_counts(tmp_path, monkeypatch):
    one = watched(tmp_path / "j")
    own = Report([Line("d", "g", "b", "m", "done")])

    def written_by_the_job_after_it_was_given_up(job_id):
        own.write(one.folder)

    monkeypatch.setattr(slurm_queue, "alive", dict)
    monkeypatch.setattr(slurm_queue, "state", written_by_the_job_after_it_was_given_up)
    monkeypatch.setattr(slurm_watch, "SETTLING_SECONDS", 0.0)
    assert slurm_watch.watch([one], 0.0) == own.lines


def test_an_interrupt_takes_the_jobs_out_and_says_so_for_status(tmp_path, monkeypatch):
    one = watched(tmp_path / "j")
    cancelled = []

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(slurm_queue, "alive", interrupted)
    monkeypatch.setattr(slurm_queue, "cancel", cancelled.extend)
    with pytest.raises(KeyboardInterrupt):
        slurm_watch.watch([one], 0.0)
    assert cancelled == ["7"]
    assert "interrupted" in Report.read(one.folder).reasons()
