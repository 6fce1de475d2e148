"""What SLURM does to jobs, on a real one: the jobs are shell lines, the road is the sweep's own."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from slurm_cluster import SECONDS, needs_slurm, until

from bench import slurm_watch
from bench.errors import LauncherError
from bench.plan import PlannedJob
from bench.report import Line, Report
from bench.slurm import Slurm
from bench.slurm_job import SlurmJob
from bench.submitted import Submitted, place_of, submitted_id
from bench.sweep_folder import job_folder

pytestmark = [needs_slurm, pytest.mark.slow, pytest.mark.timeout(900)]
DONE = json.dumps({"lines": [vars(Line("d", "g", "b", "m", "done"))]})
FAILED = json.dumps({"lines": [vars(Line("d", "g", "b", "m", "failed", reason="no", code=5))]})
SUCCEED, FAIL = f"echo '{DONE}' > report.json", f"echo '{FAILED}' > report.json"


@dataclass(frozen=True)
class ShellSlurm(Slurm):
    """Jobs whose words are one shell line, run in the job's folder."""

    def _task(self, job, number, folder):
        own = str(job_folder(folder, number))
        child = ("sh", "-c", f"cd {own}; {job.command[0]}")
        return SlurmJob(child, "shell", own, self.cpus, folder.name)


def here(**changes):
    chosen = {"gpus": 0, "cpus": 1, "memory_gb": 0.5, "poll_seconds": 0.2, **changes}
    return ShellSlurm(**chosen)


def jobs(*lines):
    return [PlannedJob([f"n={n}"], [line]) for n, line in enumerate(lines)]


@pytest.fixture
def on_cluster(cluster, monkeypatch):
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(slurm_watch, "SETTLING_SECONDS", 1.0)
    return cluster


@contextmanager
def meanwhile(cluster, function):
    """Runs it beside the block; what fails there fails the test, which then waits for no job."""

    def guarded():
        try:
            function()
        except BaseException:
            cluster.cancel_all()
            raise

    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(guarded)
        yield
        going.result()


def named(own):
    """Waits until SLURM's id of a job is known, and gives it."""
    until(lambda: submitted_id(own))
    return submitted_id(own)


def waiting_for(file, line):
    """A shell line that runs once a file is there, or after a minute all the same."""
    return f"for n in $(seq 600); do [ -e {file} ] && break; sleep 0.1; done; {line}"


def let_go_once_found(folder, go):
    """Lets jobs run once another sweep has found them in the queue."""
    until(lambda: submitted_id(folder))
    go.touch()


def test_each_ending_is_told_and_a_failed_cell_is_no_completed_job(on_cluster, tmp_path):
    folder = tmp_path / "logs/s"
    lines = here().run(jobs(SUCCEED, FAIL, "kill -9 $$", "true"), folder)
    assert [line.state for line in lines] == ["done", "failed", "failed", "failed"]
    assert "ended in the state FAILED" in lines[2].reason and "log.txt" in lines[2].reason
    assert "exit code 137" in lines[2].reason and "FAILED, exit code 7" in lines[3].reason
    assert Report.read(job_folder(folder, 2)).lines == lines[2:3]  # for salon status
    said = on_cluster.run("scontrol", "show", "job", submitted_id(job_folder(folder, 1))).stdout
    assert "JobState=FAILED" in said


def test_a_job_has_all_its_cpus_and_an_array_is_cut_to_size(on_cluster, tmp_path):
    folder = tmp_path / "logs/s"
    script = f"echo $OMP_NUM_THREADS $SLURM_CPUS_PER_TASK > cpus; {SUCCEED}"
    here(cpus=2, array=2).run(jobs(*[script] * 3), folder)
    assert [(job_folder(folder, n) / "cpus").read_text() for n in range(3)] == ["2 2\n"] * 3
    ids = [submitted_id(job_folder(folder, n)) for n in range(3)]
    assert ids[0].endswith("_0") and ids[1].endswith("_1") and "_" not in ids[2]


def test_a_later_stage_starts_when_the_earlier_has_ended_however_it_did(on_cluster, tmp_path):
    ended = "ls ../0000/report.json ../0001/log.txt ../0002/log.txt"
    some = jobs(f"sleep 2; {SUCCEED}", "kill -9 $$", "scancel ${SLURM_ARRAY_JOB_ID}_2; sleep 60")
    some += jobs(*[""] * 3, f"{ended} && {SUCCEED}")[3:]
    some[3].stage = 1
    lines = here().run(some, tmp_path / "logs/s")
    assert [line.state for line in lines] == ["done", "failed", "failed", "done"]


def test_jobs_in_the_queue_are_waited_for_and_never_submitted_twice(on_cluster, tmp_path):
    logs = tmp_path / "logs"
    count = f"echo x >> {tmp_path}/starts; "
    some = jobs(waiting_for(tmp_path / "go", f"{count} {SUCCEED}"))
    assert here(wait=False).run(some, logs / "first") == []
    with meanwhile(on_cluster, partial(let_go_once_found, logs / "second/0000", tmp_path / "go")):
        lines = here().run(some + jobs("", SUCCEED)[1:], logs / "second")
    assert [line.state for line in lines] == ["done", "done"]
    assert (tmp_path / "starts").read_text() == "x\n"
    assert place_of(job_folder(logs / "second", 0)) == job_folder(logs / "first", 0)


@pytest.mark.parametrize(
    "command",
    [
        ("scontrol", "requeue", "{job}"),
        ("srun", "--partition=high", "--cpus-per-task=4", "--mem=100M", "--chdir=/", "true"),
        ("scancel", "--signal=USR2", "{job}"),  # SLURM's warning of the time limit
    ],
    ids=["by hand", "preempted", "time limit"],
)
def test_a_job_that_is_requeued_runs_again_and_its_first_report_is_forgotten(
    on_cluster, tmp_path, command
):
    folder = tmp_path / "logs/s"
    own = job_folder(folder, 0)
    script = f"if [ -z $SLURM_RESTART_COUNT ]; then {FAIL}; sleep 60; else {SUCCEED}; fi"

    def requeue():
        until((own / "report.json").exists)
        on_cluster.run(*(word.format(job=named(own)) for word in command))

    with meanwhile(on_cluster, requeue):
        (line,) = here(cpus=4, attempts=2, minutes=4).run(jobs(script), folder)
    assert line.state == "done"


def test_a_job_whose_attempts_are_used_up_says_so(on_cluster, tmp_path):
    folder = tmp_path / "logs/s"
    own = job_folder(folder, 0)

    def warn():
        until((own / "log.txt").exists)
        on_cluster.run("scancel", "--signal=USR2", named(own))

    with meanwhile(on_cluster, warn):
        (line,) = here(attempts=1, minutes=4).run(jobs("sleep 60"), folder)
    assert "its time limit was reached" in line.reason and "cluster.minutes" in line.reason


def test_a_cancelled_job_says_so(on_cluster, tmp_path):
    folder = tmp_path / "logs/s"

    def cancel():
        until((job_folder(folder, 0) / "log.txt").exists)
        on_cluster.run("scancel", named(job_folder(folder, 0)))

    with meanwhile(on_cluster, cancel):
        (line,) = here().run(jobs("sleep 60"), folder)
    assert line.state == "failed" and "ended in the state CANCELLED" in line.reason


def test_what_sbatch_refuses_is_one_error_and_leaves_nothing_in_the_queue(on_cluster, tmp_path):
    with pytest.raises(LauncherError, match="invalid partition") as caught:
        here(partition="nowhere").run(jobs(SUCCEED), tmp_path / "logs/s")
    assert "\n" not in str(caught.value)
    late = jobs("sleep 60", SUCCEED)
    late[1].stage = 1
    asked = here()
    executor = asked._executor

    def refuse_the_second_array(folder, after, name):
        made = executor(folder, after, name)
        if after:
            made.update_parameters(partition="nowhere")
        return made

    object.__setattr__(asked, "_executor", refuse_the_second_array)
    with pytest.raises(LauncherError, match="invalid partition"):
        asked.run(late, tmp_path / "logs/t")
    until(lambda: on_cluster.queue() == [])


def test_a_held_job_is_named_with_what_to_type(on_cluster, tmp_path, caplog):
    folder = tmp_path / "logs/s"

    def release():
        until(lambda: "scontrol release" in caplog.text)
        on_cluster.run("scontrol", "release", named(job_folder(folder, 0)))

    with meanwhile(on_cluster, release):
        (line,) = here(options={"hold": True}).run(jobs(SUCCEED), folder)
    assert line.state == "done" and "JobHeldUser" in caplog.text


KILL = "lambda *words, **named: os.kill(os.getpid(), signal.SIGKILL)"
MOMENTS = {
    "before submitit has told the jobs what to do": "JobPaths.move_temporary_file",
    "before the ids are noted": "Intent.note",
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_jobs_of_a_launcher_that_was_killed_after_sbatch_are_found(on_cluster, tmp_path, moment):
    shell = [f"echo {name} >> {tmp_path}/starts; {SUCCEED}" for name in "ab"]
    lines = [waiting_for(tmp_path / "go", line) for line in shell]
    with launched(
        "from submitit.core.utils import JobPaths; from bench.intent import Intent;"
        f"{moment} = {KILL};"
        f"here().run(jobs(*{lines}), Path({str(tmp_path)!r}) / 'logs/first')"
    ) as killed:
        assert killed.wait(SECONDS) == -signal.SIGKILL
    assert len(on_cluster.queue()) == 2
    with meanwhile(
        on_cluster, partial(let_go_once_found, tmp_path / "logs/second/0001", tmp_path / "go")
    ):
        found = here().run(jobs(*lines), tmp_path / "logs/second")
    assert [line.state for line in found] == ["done", "done"]
    assert sorted((tmp_path / "starts").read_text().split()) == ["a", "b"]
    assert not list(tmp_path.glob("logs/*/intent-*"))


def test_an_interrupt_before_the_ids_are_noted_empties_the_queue(on_cluster, tmp_path, monkeypatch):
    def interrupted(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr(Submitted, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        here(options={"hold": True}).run(jobs(SUCCEED, SUCCEED), tmp_path / "logs/s")
    until(lambda: on_cluster.queue() == [])
    assert not list(tmp_path.glob("logs/*/intent-*"))


@contextmanager
def launched(script):
    """A launcher as a process of its own, which does not outlive the block."""
    beginning = (
        "import os, signal; from pathlib import Path; from test_slurm_jobs import here, jobs;"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL);"  # also where the tests run under nohup
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # or behind a shell's `&`
    )
    paths = os.pathsep.join([os.path.dirname(__file__), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, "-c", beginning + script],
        env=os.environ | {"PYTHONPATH": paths},
        stderr=-1,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("number", "stay"), [(signal.SIGINT, 0), (signal.SIGHUP, 2), (signal.SIGKILL, 2)]
)
def test_ctrl_c_empties_the_queue_and_a_lost_connection_does_not(
    on_cluster, tmp_path, number, stay
):
    logs = [job_folder(tmp_path / "logs/s", n) / "log.txt" for n in range(2)]
    running = f"here().run(jobs('sleep 300', 'sleep 300'), Path({str(tmp_path)!r}) / 'logs/s')"
    try:
        with launched(running) as process:
            until(lambda: all(log.exists() for log in logs))
            process.send_signal(number)
            process.communicate(timeout=SECONDS)
        until(lambda: len(on_cluster.queue()) == stay)
    finally:
        on_cluster.cancel_all()
        until(lambda: on_cluster.queue() == [])
