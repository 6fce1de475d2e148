"""The local pool, with shell lines for jobs: no job's end hinders another."""

import json

import pytest

from bench import pool
from bench.plan import PlannedJob
from bench.pool import Pool
from bench.report import Line

SUCCEED = f"echo '{json.dumps({'lines': [vars(Line('d', 'g', 'b', 'm', 'done'))]})}' > report.json"


@pytest.fixture(autouse=True)
def shell(monkeypatch):
    def command(verb, words, folder):
        return ["sh", "-c", f"cd {folder}; {words[0]}"]

    monkeypatch.setattr(pool, "command", command)


@pytest.mark.parametrize("end", ["exit 5", "kill -9 $$", "kill $$"])
def test_a_later_stage_starts_also_where_the_shared_work_failed(tmp_path, end):
    shared = PlannedJob(["real features"], [f"echo 'error: no room' >&2; {end}"], verb="extract")
    jobs = [shared, *(PlannedJob([f"n={n}"], [SUCCEED], stage=1) for n in range(2))]
    first, *others = Pool(jobs=2).run(jobs, tmp_path)
    assert first.state == "failed" and "without a report: no room" in first.reason
    assert [line.state for line in others] == ["done", "done"]
