"""A failure leaves its reason; what would fail again is not run again, unless one asks."""

import json

import pytest
import torch

from bench.child import LOG
from bench.errors import LauncherError, StoreError, UndefinedError
from bench.failure_record import failure_path, forget_failure, lasting_failure, write_failure
from bench.failures import failed_line
from bench.records import record_paths
from bench.sweep_folder import sweeps_in

KEY = "0123456789abcdef" * 4


class Cell:
    """What of a measurement a failure tells."""

    key, dataset, generator, backbone, metric = KEY, "d", "g", "b", "m"


def fail(results, error):
    try:
        raise error
    except Exception as caught:
        write_failure(results, Cell, failed_line(("d", "g", "b", "m"), caught), caught)
    return json.loads(failure_path(results, KEY).read_text())


def test_reason_traceback_node_and_slurm_id_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    found = fail(tmp_path, UndefinedError("kid: 10 images, expected 1000"))
    assert found["reason"] == "kid: 10 images, expected 1000" and found["code"] == 5
    assert found["slurm_id"] == "12_3" and found["node"]
    trace = failure_path(tmp_path, KEY).with_name(found["traceback"]).read_text()
    assert "Traceback" in trace and "in fail" in trace


@pytest.mark.parametrize(
    ("error", "lasts"),
    [
        (UndefinedError("undefined"), True),
        (ZeroDivisionError("a bug"), True),
        (StoreError("no space left"), False),
        (LauncherError("killed"), False),
        (OSError(28, "No space left on device"), False),
        (MemoryError(), False),
        (EOFError("Ran out of input"), False),
        (RuntimeError("can't start new thread"), False),
        (RuntimeError("unable to open file </x>: Stale file handle (116)"), False),
        (RuntimeError("the shapes do not match"), True),
        (torch.OutOfMemoryError("CUDA out of memory"), False),
    ],
)
def test_what_the_machine_did_is_tried_again(tmp_path, error, lasts):
    fail(tmp_path, error)
    assert (lasting_failure(tmp_path, KEY) is not None) == lasts
    assert lasting_failure(tmp_path, KEY[:12] + "f" * 52) is None  # another with the same digits


def test_a_success_forgets_the_failure(tmp_path):
    fail(tmp_path, UndefinedError("once"))
    forget_failure(tmp_path, KEY)
    forget_failure(tmp_path, KEY)
    assert list((tmp_path / "failures").iterdir()) == []


def test_a_sweep_runs_a_lasting_failure_only_when_asked(salon, tmp_path, small):
    words = ["sweep", *small, "metrics=[fid,prdc]", "metrics.prdc.k=5000", "paths.results=out"]
    first = salon(*words)
    assert first.returncode == 8 and "1 done, 0 reused, 0 skipped, 1 failed" in first.stdout
    (failure,) = (tmp_path / "out/failures").glob("*.json")
    again = salon(*words)
    assert again.returncode == 8 and "retry_failed=true tries again" in again.stdout
    assert "0 done, 1 reused, 0 skipped, 1 failed" in again.stdout
    assert not list(sweeps_in(tmp_path / "out/logs")[-1].glob(f"*/{LOG}"))  # no process spent
    before = failure.read_bytes()
    retried = salon(*words, "retry_failed=true", "plan=true")
    assert "1 to measure" in retried.stdout and failure.read_bytes() == before
    assert len(list(record_paths(tmp_path / "out"))) == 1
