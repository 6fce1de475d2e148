"""Waiting for SLURM's queue; needs no SLURM."""

import os
import signal

import pytest

from bench import slurm_queue
from bench.errors import HangUpError
from bench.plan import PlannedJob
from bench.slurm_watch import Watched, watch


@pytest.fixture
def hang_ups():
    """Signals at their default, also where the tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.timeout(20)
def test_a_hang_up_while_the_queue_is_asked_is_no_silent_controller(
    monkeypatch, tmp_path, hang_ups
):
    def asked():
        os.kill(os.getpid(), signal.SIGHUP)
        return {"1": ""}

    monkeypatch.setattr(slurm_queue, "alive", asked)
    with pytest.raises(HangUpError, match="waits for the jobs again"):
        watch([Watched(0, PlannedJob(["seed=1"], []), tmp_path, "1")], 0.01)
