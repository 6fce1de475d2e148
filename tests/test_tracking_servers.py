"""A server is told all; a dead one costs seconds and one warning, no record, no exit code."""

import json
import os
import socket
import sys
import time
from pathlib import Path

import pytest
from made_records import record
from wandb_server import wandb_server

from bench import wandb_mirror
from bench.records import read_record, record_paths
from bench.tracking import Wandb
from bench.wandb_mirror import MirrorError, send
from bench.wandb_run import runs_of

KEY = "0" * 40
RUNS = runs_of({Path("fid.json"): record()}, {}, "g")
REST = 12  # seconds beside tracking.timeout: the ends of two processes, on a busy machine
ARGUMENTS = {"mode": "offline", "project": "p", "rows": 10}


@pytest.fixture
def silent_port():
    """Every connection is taken, by the kernel, and none is answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port():
    """Every connection is refused: the port is taken and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


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


def assert_nobody_left(mine):
    deadline = time.monotonic() + 20  # wandb's server process sees its parent gone
    while processes_with(mine) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_with(mine) == []


def test_a_job_survives_a_server_that_never_answers(salon, small, tmp_path, silent_port):
    mine = f"http://127.0.0.1:{silent_port}"
    words = ["score", *small, "metrics=[fid]", "tracking=wandb", "tracking.timeout=4"]
    done = salon(*words, WANDB_API_KEY=KEY, WANDB_BASE_URL=mine)
    (report,) = tmp_path.glob("results/logs/*/report.json")
    assert time.time() - report.stat().st_mtime < 4 + REST  # all that came after the records
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    assert told.count("tracking failed (no answer within tracking.timeout=4 s)") == 1
    assert "salon track results" in told and KEY not in told and "Traceback" not in told
    (path,) = record_paths(tmp_path / "results")
    assert read_record(path).scores["fid"]["value"] > 0
    assert_nobody_left(mine)


def test_a_closed_port_costs_the_limit_and_no_more(monkeypatch, tmp_path, closed_port):
    mine = f"http://127.0.0.1:{closed_port}"
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_BASE_URL", mine)
    started = time.monotonic()
    with pytest.raises(MirrorError, match="no answer within"):
        send(RUNS, folder=str(tmp_path), timeout=4, **ARGUMENTS | {"mode": "online"})
    assert time.monotonic() - started < 10
    assert_nobody_left(mine)


def test_a_server_is_told_config_scores_and_group(monkeypatch, tmp_path):
    with wandb_server() as (address, told):
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        monkeypatch.setenv("WANDB_BASE_URL", address)
        send(RUNS, folder=str(tmp_path), timeout=120, **ARGUMENTS | {"mode": "online"})
    first = next(content for what, content in told if what == "UpsertBucket")
    assert (first["name"], first["groupName"], first["jobType"]) == (RUNS[0].id, "g", "score")
    assert first["project"] == "p" and first["tags"] == RUNS[0].tags
    config = json.loads(first["config"])
    assert config["metrics"]["value"] == {"fid": {"k": 5}}
    streamed = [c["files"] for what, c in told if what == "file_stream" and "files" in c]
    summaries = [f["wandb-summary.json"] for f in streamed if "wandb-summary.json" in f]
    assert json.loads(summaries[-1]["content"][-1])["net/fid.fid"] == 1.0
    assert KEY not in json.dumps(told)


def test_the_usual_limit_is_below_half_a_minute():
    assert Wandb().timeout + REST < 30


def sleeping(monkeypatch, code):
    monkeypatch.setattr(wandb_mirror, "CHILD", [sys.executable, "-c", code])


def test_no_answer_costs_the_limit_and_no_more(monkeypatch, tmp_path):
    sleeping(monkeypatch, "import time; time.sleep(100)")
    started = time.monotonic()
    with pytest.raises(MirrorError, match="no answer within"):
        send([], folder=str(tmp_path), timeout=1, **ARGUMENTS)
    assert time.monotonic() - started < 10


def test_a_child_that_dies_is_told_with_its_last_words(monkeypatch, tmp_path):
    sleeping(monkeypatch, "import no_such_module")
    with pytest.raises(MirrorError, match="No module named 'no_such_module'"):
        send(RUNS, folder=str(tmp_path), timeout=60, **ARGUMENTS)


def test_an_interrupt_ends_the_child(monkeypatch):
    sleeping(monkeypatch, "import time; time.sleep(100)")
    with (
        pytest.raises(KeyboardInterrupt),
        open(os.devnull, "w+b") as nothing,
        wandb_mirror._started(nothing, nothing) as child,
    ):
        raise KeyboardInterrupt
    assert child.returncode == -9


def test_wandb_without_a_login_is_one_line(monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    with pytest.raises(MirrorError, match="No API key configured"):
        send(RUNS, folder=str(tmp_path), timeout=60, **ARGUMENTS | {"mode": "online"})
