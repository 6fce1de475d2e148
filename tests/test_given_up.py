"""Jobs that a launcher has given up are waited for, also while they have not said a word."""

import subprocess
import sys
import threading
import time

import pytest
from submitit import LocalExecutor

from bench.given_up import _children_of_submitit, await_jobs
from bench.job_status import StatusFile
from bench.started import Started


@pytest.mark.skipif(sys.platform != "linux", reason="no other system tells of children")
def test_a_job_of_submitit_that_has_said_nothing_yet_is_waited_for(tmp_path):
    executor = LocalExecutor(tmp_path / "submitit")
    executor.update_parameters(timeout_min=2)
    line = f"until [ -e {tmp_path / 'go'} ]; do sleep 0.1; done"
    job = executor.submit(subprocess.run, ["sh", "-c", line], check=True)
    waiting = threading.Thread(target=await_jobs, args=[Started(tmp_path / "jobs", multirun=True)])
    waiting.start()
    time.sleep(0.5)
    assert waiting.is_alive()
    (tmp_path / "go").touch()
    job.result()
    waiting.join(60)
    assert not waiting.is_alive() and list(_children_of_submitit()) == []


def test_other_children_and_our_own_jobs_are_not(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    StatusFile(tmp_path / "0").say("starting")
    await_jobs(Started(tmp_path, multirun=True))
    assert child.poll() is None
    child.communicate()
