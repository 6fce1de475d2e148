"""A dead wandb server: seconds, one warning, whole records, the same exit code, nobody left."""

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from bench import wandb_mirror
from bench.records import read_record, record_paths
from bench.tracking import Wandb
from bench.wandb_mirror import MirrorError, send

KEY = "0" * 40
ARGUMENTS = {"mode": "offline", "project": "p", "rows": 10}


@pytest.fixture(params=["closed", "silent"])
def dead_port(request):
    """A port that refuses, or one that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:  # the kernel accepts, nobody reads
        port = server.getsockname()[1]
        if request.param == "silent":
            yield port
            return
    yield port


def processes_with(text):
    """Of ours that still run with this in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (
                text.encode() in (folder / "environ").read_bytes()
                and int(folder.name) != os.getpid()
            ):
                found.append(folder.name)
        except OSError:  # ended meanwhile, or not ours
            continue
    return found


def test_a_job_survives_a_dead_server(salon, small, tmp_path, dead_port):
    mine = f"http://127.0.0.1:{dead_port}"
    words = ["score", *small, "metrics=[fid]", "tracking=wandb", "tracking.timeout=4"]
    started = time.monotonic()
    done = salon(*words, WANDB_API_KEY=KEY, WANDB_BASE_URL=mine)
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert told.count("tracking failed (no answer within tracking.timeout=4 s)") == 1
    assert "salon track results" in told and KEY not in told and "Traceback" not in told
    (path,) = record_paths(tmp_path / "results")
    assert read_record(path).scores["fid"]["value"] > 0
    assert time.monotonic() - started < 120  # a hang of wandb's own would take 100 s more
    deadline = time.monotonic() + 20  # wandb's server process sees its parent gone
    while processes_with(mine) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_with(mine) == []


def test_the_usual_limit_is_below_half_a_minute():
    assert Wandb().timeout <= 25  # and the rest is the end of a process


def sleeping(monkeypatch, code):
    monkeypatch.setattr(wandb_mirror, "CHILD", [sys.executable, "-c", code])


def test_no_answer_costs_the_limit_and_no_more(monkeypatch, tmp_path):
    sleeping(monkeypatch, "import time; time.sleep(100)")
    started = time.monotonic()
    with pytest.raises(MirrorError, match="no answer within tracking.timeout=1 s"):
        send([], folder=str(tmp_path), timeout=1, **ARGUMENTS)
    assert time.monotonic() - started < 10


def test_a_child_that_dies_is_told_with_its_last_words(monkeypatch, tmp_path):
    from made_records import record

    from bench.wandb_run import runs_of

    sleeping(monkeypatch, "import no_such_module")
    runs = runs_of({tmp_path: record()}, {}, "g")
    with pytest.raises(MirrorError, match="No module named 'no_such_module'"):
        send(runs, folder=str(tmp_path), timeout=60, **ARGUMENTS)


def test_an_interrupt_ends_the_child(monkeypatch, tmp_path):
    sleeping(monkeypatch, "import time; time.sleep(100)")
    with (
        pytest.raises(KeyboardInterrupt),
        open(os.devnull, "w+b") as nothing,
        wandb_mirror._started(nothing, nothing, str(tmp_path)) as child,
    ):
        raise KeyboardInterrupt
    assert child.returncode == -9


def test_wandb_without_a_login_is_one_line(monkeypatch, tmp_path):
    from made_records import record

    from bench.wandb_run import runs_of

    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    runs = runs_of({tmp_path: record()}, {}, "g")
    with pytest.raises(MirrorError, match="No API key configured"):
        send(runs, folder=str(tmp_path), timeout=60, **ARGUMENTS | {"mode": "online"})
