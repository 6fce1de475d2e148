"""The cluster's options and its queue, without a SLURM."""

import os
import signal
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from submitit.core.job_environment import SignalHandler
from submitit.core.utils import UncompletedJobError

from bench import slurm_job, slurm_queue, slurm_watch
from bench.build import build
from bench.composed import composed
from bench.errors import ConfigError, LauncherError
from bench.plan import PlannedJob
from bench.report import Line, Report
from bench.slurm import Slurm
from bench.slurm_job import SlurmJob
from bench.submitted import Submitted, in_queue, place_of, submitted_id
from bench.warning_time import MARGIN_SECONDS, check_launcher, longest_warning


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("minutes=3", "longer limit or a shorter warning"),
        ("minutes=0", "found 0, expected 1"),
        ("warning_seconds=3600", "takes it for pre-emption.*type 2820 or less"),
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


@pytest.mark.parametrize("name", ["job_name", "job-name", "J"])
def test_a_name_of_the_users_own_is_refused(name):
    config = composed("sweep", ["cluster=slurm", f"+cluster.options.{name}=mine"])
    with pytest.raises(ConfigError, match="found in the queue by a name of salon's own"):
        build(config.cluster, "cluster")


def test_the_shortest_limit_leaves_time_to_begin():
    assert Slurm(minutes=4, warning_seconds=120).minutes == 4
    assert Slurm(minutes=2, warning_seconds=30).minutes == 2


@pytest.mark.parametrize("minutes", [15, 60, 240])
def test_the_longest_warning_is_where_submitit_still_sees_a_time_limit(minutes):
    handler = SignalHandler(None, None, SimpleNamespace(_timeout_min=minutes))
    ran = 60 * minutes - longest_warning(minutes) - MARGIN_SECONDS
    handler._start_time = time.time() - ran
    assert handler.has_timed_out()
    handler._start_time = time.time() - ran + 2
    assert not handler.has_timed_out()


def test_hydras_own_launcher_is_held_to_the_same_limit():
    words = ["hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=2"]
    with pytest.raises(ConfigError, match=r"timeout_min=2 with signal_delay_s=120.*longer limit"):
        check_launcher(composed("score", words, hydra_node=True))
    check_launcher(composed("score", [words[0], "hydra.launcher.timeout_min=4"], hydra_node=True))


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


def test_a_second_interrupt_does_not_break_off_the_cancelling(tmp_path, monkeypatch):
    one = watched(tmp_path / "j")
    cancelled = []

    def cancel(job_ids):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
        cancelled.extend(job_ids)

    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(slurm_queue, "alive", interrupted)
    monkeypatch.setattr(slurm_queue, "cancel", cancel)
    with pytest.raises(KeyboardInterrupt):
        slurm_watch.watch([one], 0.0)
    assert cancelled == ["7"] and Report.read(one.folder)
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_a_job_that_slurm_ended_at_its_limit_says_so(tmp_path, monkeypatch):
    shown = "JobId=7 JobState=TIMEOUT Reason=TimeLimit ExitCode=0:1"
    monkeypatch.setattr(slurm_queue, "_ask", lambda *words: shown if words[0] == "scontrol" else "")
    monkeypatch.setattr(slurm_watch, "SETTLING_SECONDS", 0.0)
    (line,) = slurm_watch.watch([watched(tmp_path / "j")], 0.0)
    assert "ended at its time limit in the state TIMEOUT" in line.reason


def test_a_job_that_sigterm_ended_is_told_with_slurms_reason(tmp_path, monkeypatch):
    shown = "JobId=7 JobState=TIMEOUT Reason=TimeLimit ExitCode=0:1"
    monkeypatch.setattr(slurm_queue, "_ask", lambda *words: shown if words[0] == "scontrol" else "")
    own = Line("d", "g", "b", "m", "failed", reason="the job was ended by SIGTERM", code=143)
    job = watched(tmp_path / "j")
    Report([own]).write(tmp_path / "j")
    (line,) = slurm_watch.watch([job], 0.0)
    assert line.reason.startswith("the job was ended by SIGTERM; it ended at its time limit")


def test_the_exit_code_of_a_job_without_a_report_is_told(monkeypatch):
    shown = "JobId=7 JobState=FAILED Reason=NonZeroExitCode ExitCode=6:0"
    monkeypatch.setattr(slurm_queue, "_ask", lambda *words: shown)
    assert slurm_queue.state("7") == "FAILED, exit code 6"


def test_a_job_that_goes_back_into_the_queue_leaves_no_report_of_its_end(tmp_path, monkeypatch):
    def ended_by_the_requeue(job, folder):
        Report([Line("d", "g", "b", "m", "failed", code=143)]).write(folder)
        raise SystemExit(-1)  # as submitit's handler leaves

    monkeypatch.setattr(SlurmJob, "_child", ended_by_the_requeue)
    monkeypatch.setattr(slurm_job, "_remove_leftovers_of_submitit", lambda: None)
    with pytest.raises(SystemExit):
        SlurmJob(("true",), "j", str(tmp_path), 1, "s")()
    assert Report.read(tmp_path) is None


def test_a_time_limit_that_comes_after_the_report_changes_nothing_in_it(tmp_path, monkeypatch):
    known = {"done": Line("d", "g", "b", "m", "done"), "cut": Line("d", "g", "b", "m", "failed")}
    known["cut"] = replace(known["cut"], code=143)
    monkeypatch.setattr(slurm_job, "_remove_leftovers_of_submitit", lambda: None)
    for name, line in known.items():

        def warned(job, folder, line=line):
            Report([line]).write(folder)
            raise UncompletedJobError("timed out")

        monkeypatch.setattr(SlurmJob, "_child", warned)
        with pytest.raises(UncompletedJobError):
            SlurmJob(("true",), "name", str(tmp_path / name), 1, "sweep")()
    assert Report.read(tmp_path / "done").lines == [known["done"]]
    assert "time limit" in Report.read(tmp_path / "cut").reasons()
