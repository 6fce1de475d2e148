"""A SIGTERM ends a job whatever it is doing just then, and its reason is kept."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from textwrap import indent

import pytest

from bench import job, termination
from bench.child import end_with_parent, ending
from bench.report import Report
from bench.slurm_job import SlurmJob

MOMENTS = {
    "in a bare except": """
while True:
    try:
        time.sleep(0.01)
    except BaseException:
        pass
""",
    "in a destructor": """
class Ends:
    def __del__(self):
        time.sleep(0.3)
while True:
    Ends()
""",
    "in a long call into C": """
hashlib.pbkdf2_hmac("sha256", b"", b"", 1_000_000_000)
""",
}
JOB = """
import hashlib, sys, time
from bench.termination import Terminated, at_the_end, end_for_sure, raise_on_signals, say_last_words
raise_on_signals()
end_for_sure(0.3)
at_the_end(lambda ending: print(ending, flush=True))
def moment():
{moment}
try:
    print("begun", flush=True)
    moment()
except Terminated as ending:  # as the command does
    say_last_words(ending)
    sys.exit(ending.code)
"""


@contextmanager
def begun(moment, before=""):
    """A job that has said so; it does not outlive the block."""
    script = before + JOB.format(moment=indent(moment, "    "))
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_a_job_ends_with_its_last_words(moment):
    with begun(moment) as process:
        time.sleep(0.1)  # so that it is in there
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=20)
    assert process.returncode == 143 and told == "the job was ended by SIGTERM\n"
    assert ending(143) == "was ended by SIGTERM"


def test_nothing_is_lost_while_a_verb_is_imported(tmp_path):
    (tmp_path / "swallows.py").write_text(
        "import os, signal\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\nexcept BaseException:\n    pass\n"
        "def main(words):\n    return 0\n"
    )
    script = (
        "from bench import cli; cli.VERBS['score'] = ('swallows:main', ''); cli.main(['score'])"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": paths})
    assert done.returncode == -signal.SIGTERM


def test_what_was_lost_in_a_launcher_is_raised_again(monkeypatch):
    monkeypatch.setattr(termination._State, "asked", None)
    termination.insist()
    with pytest.raises(termination.Terminated):
        termination._stop(signal.SIGTERM, None)
    with pytest.raises(termination.Terminated):
        termination.insist()


def test_nohup_is_respected():
    ignored = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    with begun("time.sleep(1)", before=ignored) as process:
        process.send_signal(signal.SIGHUP)
        assert process.wait(20) == 0


def test_a_slow_last_word_is_waited_for():
    """The thread that ends the job for sure finds it being said, and does not break it off."""
    slow = "at_the_end(lambda ending: [time.sleep(1), print(ending, flush=True)])\ntime.sleep(60)"
    with begun(slow) as process:
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=20)
    assert process.returncode == 143 and told == "the job was ended by SIGTERM\n"


def test_a_child_whose_parent_is_gone_already_never_begins():
    done = subprocess.run(["true"], preexec_fn=lambda: end_with_parent(os.getpid()))
    assert done.returncode == 143


def test_a_signal_to_submitits_process_ends_the_job_also_before_it_has_begun(tmp_path):
    sent = SlurmJob(("sleep", "60"), "j", str(tmp_path / "job"), 1, "s")
    (tmp_path / "job.pkl").write_bytes(pickle.dumps(sent))
    script = (
        "import os, pickle, signal, sys, threading, time; from pathlib import Path;"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start();"  # as numpy's
        "job = pickle.loads(Path('job.pkl').read_bytes());"
        "signal.signal(signal.SIGTERM, lambda *_: None);"  # as submitit does
        "os.kill(os.getpid(), signal.SIGTERM); job()"
    )
    known = {"SUBMITIT_EXECUTOR": "slurm", "SLURM_JOB_ID": "1", "SUBMITIT_FOLDER": str(tmp_path)}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | known | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "was killed by SIGTERM without a report" in done.stderr
    assert time.monotonic() - started < 40


def test_a_terminated_job_leaves_a_report(tmp_path, small):
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "class Slow:\n"
        "    resolution, num_classes = 8, 0\n"
        "    def sample(self, seeds, labels=None, condition=None, pose=None):\n"
        "        open('begun', 'w').close()\n"
        "        time.sleep(60)\n"
    )
    words = [
        *("score", *small, "metrics=[fid]", "generator=custom", "generator.name=slow"),
        *("generator.make={_target_: slow.Slow}", "hydra.run.dir=job"),
    ]
    own = {"SALON_ALLOW_TARGETS": "slow", "PYTHONSAFEPATH": "1"}
    paths = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *words], cwd=tmp_path, env=os.environ | own | paths
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "begun").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 143
    (line,) = Report.read(tmp_path / "job").lines
    assert line.reason == "the job was ended by SIGTERM" and line.generator == "slow"


def test_the_measurement_under_way_leaves_a_failure_that_does_not_last(
    measure, small, tmp_path, monkeypatch
):
    def ended(work, measurement):
        raise termination.by_signal(signal.SIGTERM)

    monkeypatch.setattr(job._Work, "_measure", ended)
    with pytest.raises(termination.Terminated):
        measure(*small, "metrics=[fid,prdc]")
    (file,) = (tmp_path / "results/failures").glob("*.json")
    failure = json.loads(file.read_text())
    assert failure["reason"] == "the job was ended by SIGTERM" and failure["code"] == 143
    assert not failure["lasts"]
