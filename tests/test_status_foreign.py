"""`salon status` of files that are damaged, or somebody else's: a row or one line, no traceback."""

import json
import os

import pytest

from bench.errors import StoreError
from bench.plan import PlannedJob
from bench.report import FILE as REPORT
from bench.report import Line, Report
from bench.status import main
from bench.sweep_folder import FILE as PLAN
from bench.sweep_folder import job_folder, planned

LINE = vars(Line("d", "g", "b", "fid", "done"))
NESTED = "[" * 100_000


@pytest.fixture
def sweep(tmp_path):
    """A sweep of two jobs, the second of which is done."""
    folder = tmp_path / "20260101-000000-aaaaaa"
    planned(["a\x1b[2J"], [PlannedJob([f"seed={n}"], [str(n)]) for n in (0, 1)]).write(folder)
    job_folder(folder, 0).mkdir()
    Report([Line("d", "g\nall is done", "b", "fid", "skipped", reason="\x1b[2J")]).write(
        job_folder(folder, 1)
    )
    return folder


def told(capsys, folder):
    assert main([str(folder)]) == 0
    text = capsys.readouterr().out
    assert all(line.isprintable() for line in text.splitlines())
    assert "all is done" not in text.splitlines()
    return text.splitlines()


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "7", '{"lines": 3}', '{"lines": [7]}', '{"lines": [{"a": 1}]}', NESTED),
        json.dumps({"lines": [LINE | {"metric": 7}]}),
        json.dumps({"lines": [LINE | {"reason": [1]}]}),
        json.dumps({"lines": [LINE | {"scores": {"fid": "low"}}]}),
        json.dumps({"lines": [LINE | {"intervals": {"fid": 1}, "biases": [1]}]}),
    ],
)
def test_a_report_that_is_none_is_a_row(sweep, capsys, content):
    (job_folder(sweep, 0) / REPORT).write_text(content)
    rows = told(capsys, sweep)
    assert rows[1].startswith("cannot be read") and rows[1].endswith(REPORT)
    assert rows[-1] == "1 cannot be read, 1 skipped"


@pytest.mark.parametrize("name", [REPORT, "status.json"])
def test_an_endless_file_in_a_jobs_folder_is_a_row(sweep, capsys, name):
    os.mkfifo(job_folder(sweep, 0) / name)
    assert told(capsys, sweep)[-1] == "1 cannot be read, 1 skipped"


@pytest.mark.parametrize("content", ["[]", "{", '{"doing": 1, "node": [], "writer": 2}', NESTED])
def test_a_status_that_is_none_is_a_row(sweep, capsys, content):
    (job_folder(sweep, 0) / "status.json").write_text(content)
    assert told(capsys, sweep)[-1] == "1 cannot be read, 1 skipped"


@pytest.mark.parametrize("content", ["[]", '{"key": 1, "job_id": 2, "folder": 3}', NESTED])
def test_a_note_of_the_queue_that_is_none_is_none(sweep, capsys, content):
    (job_folder(sweep, 0) / "submitted.json").write_text(content)
    assert told(capsys, sweep)[-1] == "1 waiting, 1 skipped"


@pytest.mark.parametrize(
    "changes",
    [
        {"words": 7},
        {"words": [7]},
        {"jobs": {"a": 1}},
        {"jobs": [7]},
        {"jobs": [{"number": "../x", "words": [], "key": "k", "lines": []}]},
        {"jobs": [{"number": 0, "words": "ab", "key": "k", "lines": []}]},
        {"jobs": [{"number": None, "words": [], "key": "k", "lines": [{"metric": 1}]}]},
    ],
)
def test_a_plan_that_is_none_is_an_error_in_one_line(sweep, changes):
    content = json.loads((sweep / PLAN).read_text()) | changes
    (sweep / PLAN).write_text(json.dumps(content))
    with pytest.raises(StoreError, match="cannot be read"):
        main([str(sweep)])
