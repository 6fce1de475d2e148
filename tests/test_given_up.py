"""Jobs that a launcher has given up are waited for, also while they have not said a word."""

import os
import subprocess
import sys
import threading
import time

from bench.given_up import await_jobs
from bench.job_status import FILE, StatusFile
from bench.started import Started

WAITS = "import sys; sys.stdin.read()"


def test_a_child_of_submitit_that_is_still_importing_is_waited_for(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", WAITS, "submitit.core._submit"], stdin=subprocess.PIPE
    )
    waiting = threading.Thread(target=await_jobs, args=[Started(tmp_path, multirun=True)])
    waiting.start()
    time.sleep(0.5)
    assert waiting.is_alive()
    child.stdin.close()
    waiting.join(60)
    assert not waiting.is_alive()
    child.wait()


def test_other_children_and_our_own_jobs_are_not(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE)
    StatusFile(tmp_path / "0").say("starting")
    assert (tmp_path / "0" / FILE).exists() and os.getpid() != child.pid
    await_jobs(Started(tmp_path, multirun=True))
    assert child.poll() is None
    child.communicate()
