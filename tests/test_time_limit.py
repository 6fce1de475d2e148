"""Submitit's time limit ends a job, whatever `except Exception` is around, and is told."""

import os
import signal
from contextlib import suppress

import pytest
from submitit.core.utils import UncompletedJobError

from bench.termination import at_the_end
from bench.time_limit import time_limit_is_told


def warned(number, frame):
    raise UncompletedJobError("timed-out too many times")


@pytest.fixture
def submitits(monkeypatch):
    """Its handler, as its own process has it."""
    monkeypatch.setattr(warned, "__module__", "submitit.core.job_environment")
    before = signal.signal(signal.SIGUSR2, warned)
    yield warned
    signal.signal(signal.SIGUSR2, before)


def test_no_broad_except_swallows_it_and_the_reason_is_left(submitits):
    told = []
    at_the_end(lambda ending: told.append((str(ending), ending.code)))
    with pytest.raises(UncompletedJobError), time_limit_is_told():
        with suppress(Exception):  # as around a file that may be damaged
            os.kill(os.getpid(), signal.SIGUSR2)
        pytest.fail("it was swallowed")
    assert told == [("its time limit was reached (timed-out too many times)", 75)]
    assert signal.getsignal(signal.SIGUSR2) is submitits


def test_a_job_elsewhere_keeps_its_handlers():
    before = signal.getsignal(signal.SIGUSR2)
    with time_limit_is_told():
        assert signal.getsignal(signal.SIGUSR2) == before


def test_a_requeue_ends_the_job_as_submitit_wants(monkeypatch, submitits):
    def requeued(number, frame):
        raise SystemExit(-1)

    monkeypatch.setattr(requeued, "__module__", "submitit.core.job_environment")
    signal.signal(signal.SIGUSR2, requeued)
    with pytest.raises(SystemExit), time_limit_is_told(), suppress(Exception):
        os.kill(os.getpid(), signal.SIGUSR2)
