"""`salon status` tells from files alone how each job of a sweep stands."""

import json
import os
import socket
import subprocess

import pytest

from bench.atomic import replace_file
from bench.child import LOG, lines_of
from bench.errors import ConfigError, StoreError
from bench.job_status import JobStatus, StatusFile
from bench.plan import PlannedJob
from bench.report import Line, Report
from bench.status import main
from bench.submitted import Submitted
from bench.sweep_folder import job_folder, planned
from bench.writer import writer


@pytest.fixture
def sweep(tmp_path):
    """A sweep of one reused and seven other jobs; gives the folder of a job by its number."""
    folder = tmp_path / "results/logs/20260101-000000-aaaaaa"
    jobs = [PlannedJob([f"seed={n}"], [f"seed={n}"]) for n in range(7)]
    known = Line("digits", "old", "b", "fid", "reused")
    jobs.insert(2, PlannedJob(["seed=9"], ["seed=9"], lines=[known], settled=True))
    planned(["seed=range(0,7)"], jobs).write(folder)
    return lambda number=None: folder if number is None else job_folder(folder, number)


def told(capsys, *words):
    assert main(list(words)) == 0
    return capsys.readouterr().out


def _here(process):
    """The name of a process of this machine."""
    return f"{writer().rpartition('-')[0]}-{process}"


def test_every_state_of_a_job_is_told(sweep, capsys):
    Report([Line("digits", "g", "b", "fid", "done")]).write(sweep(0))
    Report([Line("digits", "g", "b", "kid", "failed", reason="too few", code=5)]).write(sweep(1))
    StatusFile(sweep(2)).say("fake features 10/20")
    Submitted("k", "12_3").write(sweep(3))
    lines_of(sweep(4), ["seed=4"], "was killed by SIGKILL")
    dead = subprocess.Popen(["true"])
    dead.wait()
    _said(sweep(5), JobStatus("real features 1/2", "here", _here(dead.pid)))
    text = told(capsys, str(sweep()))
    rows = text.splitlines()
    assert any("failed" in r and "too few" in r and str(sweep(1) / LOG) in r for r in rows)
    assert any(r.startswith("running") and "fake features 10/20" in r for r in rows)
    assert any(r.startswith("queued") and "as 12_3" in r for r in rows)
    assert any("killed by SIGKILL" in r for r in rows)
    assert any(r.startswith("ended without a report") and "seed=5" in r for r in rows)
    assert any(r.startswith("waiting") and "seed=6" in r for r in rows)
    assert rows[-1] == (
        "1 done, 2 failed, 1 reused, 1 running, 1 queued, 1 ended without a report, 1 waiting"
    )


def test_of_a_job_that_slurm_ended_it_is_said_that_it_may_begin_again(sweep, capsys):
    for number in (0, 1):
        ended = Line("digits", "g", "b", "-", "failed", reason="ended by SIGTERM", code=143)
        Report([ended]).write(sweep(number))
    Submitted("k", "12_3").write(sweep(0))
    rows = [row for row in told(capsys, str(sweep())).splitlines() if "SIGTERM" in row]
    assert ["begins again" in row for row in rows] == [True, False]


def test_another_nodes_job_is_believed_and_its_last_word_dated(sweep, capsys):
    _said(sweep(0), JobStatus("real features 1/2", "node7", "node7-5e1c09ab-1"))
    os.utime(sweep(0) / "status.json", (0, 0))
    assert "real features 1/2 (at 1970-01-01 00:00 UTC on node7" in told(capsys, str(sweep()))


def test_a_process_of_another_container_under_our_hosts_name_is_believed_too(sweep, capsys):
    dead = subprocess.Popen(["true"])
    dead.wait()
    elsewhere = f"{socket.gethostname()}-00000000-{dead.pid}"
    _said(sweep(0), JobStatus("real features 1/2", socket.gethostname(), elsewhere))
    assert any(row.startswith("running") for row in told(capsys, str(sweep())).splitlines())


def test_a_job_of_an_earlier_sweep_is_followed_to_its_folder(sweep, capsys, tmp_path):
    earlier = tmp_path / "results/logs/20250101-000000-bbbbbb/0004"
    Submitted("k", "12_3").write(earlier)
    Report([Line("digits", "g", "b", "fid", "done")]).write(earlier)
    Submitted("k", "12_3", os.path.relpath(earlier, sweep(0))).write(sweep(0))
    assert "1 done, 6 waiting, 1 reused" in told(capsys, str(sweep()))


def test_the_newest_sweep_is_found_and_a_missing_one_named(sweep, capsys, tmp_path):
    assert str(sweep()) in told(capsys, f"paths.results={tmp_path / 'results'}")
    with pytest.raises(ConfigError, match="holds no sweep"):
        main([f"paths.results={tmp_path / 'none'}"])
    with pytest.raises(StoreError, match="no sweep's folder"):
        main([str(tmp_path)])


def _said(folder, status):
    replace_file(folder / "status.json", json.dumps(vars(status)).encode())
