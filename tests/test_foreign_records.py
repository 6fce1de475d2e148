"""Whatever one record of another lab holds, it alone is left out, with its reason."""

import copy
import json
import os

import numpy as np
import pytest
from made_influences import REAL, draw, store_measured
from made_records import path_of, record, score, store

from bench.errors import DamagedRecordError
from bench.leaderboard import load
from bench.leaderboard import write as written
from bench.leaderboard.load import read_results
from bench.leaderboard.write import write_all
from bench.records import MOST_BYTES, digest, encode, read_record

TRUNCATED = {"generator": {"sampler": {"kind": "models.samplers.Truncated"}}}
HUGE = 10**400


def nested(levels):
    content = {}
    for _ in range(levels):
        content = {"a": content}
    return content


def foreign(results, **changes):
    """Another lab's record beside a good one; its hash is true, as far as there can be one."""
    store(results, record("good"))
    content = copy.deepcopy(vars(record("foreign"))) | changes
    try:
        content["sha256"] = digest({k: v for k, v in content.items() if k != "sha256"})
    except ValueError:
        content["sha256"] = "not a number"
    path = results / "runs" / "foreign.json"
    path.write_text(json.dumps(content))
    return path


def left_out(results, out):
    report = write_all(results, out, "demo", strict=False)
    assert report.num_records == 1
    (item,) = report.left_out
    assert item.path == "runs/foreign.json"
    assert load(results).generator.tolist() == ["good"]
    return item.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scores": {"fid": score(1.0, bias="low")}}, "than numbers"),
        ({"scores": {"fid": score(1.0, bias=[1])}}, "than numbers"),
        ({"scores": {"fid": score(1.0, bias=HUGE)}}, "than numbers"),
        ({"scores": {"fid": score(1.7e308)}}, "than numbers up to 1e+150"),
        ({"scores": {"fid": score(1.0, standard_error=1e300)}}, "than numbers up to 1e+150"),
        ({"scores": {"fid": score(1.0, interval_method={"a": 1})}}, "than text"),
        ({"scores": {"fid": score(1.0, interval_method=float("nan"))}}, "NaN or infinity"),
        ({"metric": {"name": "fid", "config": {"k": float("nan")}}}, "NaN or infinity"),
        ({"environment": {"x": float("inf")}}, "NaN or infinity"),
        ({"backbone": {"name": "net", "config": {"seed": [1]}}}, "seed is no integer"),
        ({"identities": {"backbone": [1]}}, "identity is no object"),
        ({"identities": {"backbone": {"precision": [1]}}}, "precision is no text"),
        ({"identities": TRUNCATED}, "truncation has no threshold"),
        ({"generator": {"name": "g", "config": nested(600)}}, "nested too deeply"),
        ({"environment": nested(70)}, "nested too deeply"),
        ({"num_fake": HUGE}, "num_fake is no number that a table can hold"),
        ({"num_fake": 0}, "counts no images"),
        ({"seed": HUGE}, "seed is no number that a table can hold"),
        ({"key": record("good").key, "identities": {"backbone": [1]}}, "identity is no object"),
    ],
)
def test_a_record_that_no_table_can_hold_is_left_out_alone(tmp_path, changes, reason):
    foreign(tmp_path, **changes)
    assert reason in left_out(tmp_path, tmp_path / "out")


def test_no_word_in_the_place_of_the_hash_makes_an_altered_record_true(tmp_path):
    path = foreign(tmp_path, environment={"x": float("nan")})
    with pytest.raises(DamagedRecordError, match="changed after it was written"):
        read_record(path)
    with pytest.raises(ValueError, match="JSON"):
        encode(record(environment={"x": float("nan")}))


def test_a_record_that_only_the_tables_stumble_over_is_left_out_alone(tmp_path, monkeypatch):
    for name in "abcde":
        store(tmp_path, record(name))
    render = written.FORMATS[".md"]

    def stumbles(shown):
        assert "c" not in [one.record.generator["name"] for one in shown.records], "the\nreason"
        return render(shown)

    monkeypatch.setitem(written.FORMATS, ".md", stumbles)
    report = write_all(tmp_path, tmp_path / "out", "demo", strict=True)
    (item,) = report.left_out
    assert "/c/" in item.path and report.num_records == 4 and report.code == 8
    assert item.reason.startswith("no table can be made of it: AssertionError: the reason")
    assert "/c/" not in (tmp_path / "out" / "demo.csv").read_text()


def test_a_failure_that_no_record_causes_alone_is_told_as_it_is(tmp_path, monkeypatch):
    store(tmp_path, record("a"), record("b"))

    monkeypatch.setitem(written.FORMATS, ".md", lambda shown: str(1 / (2 - len(shown.records))))
    with pytest.raises(ZeroDivisionError):
        write_all(tmp_path, tmp_path / "out", "demo", strict=False)


@pytest.mark.parametrize("error", [ZeroDivisionError, OSError, MemoryError])
def test_a_failure_on_every_record_leaves_none_of_them_out(tmp_path, monkeypatch, error):
    store(tmp_path, record("a"), record("b"))

    def fails(shown):
        raise error

    monkeypatch.setitem(written.FORMATS, ".md", fails)
    with pytest.raises(error):
        write_all(tmp_path, tmp_path / "out", "demo", strict=False)


@pytest.mark.parametrize("kind", ["endless", "pipe", "large", "nowhere"])
def test_what_is_no_file_of_a_record_is_left_out_unread(tmp_path, kind):
    store(tmp_path, record("good"))
    path = tmp_path / "runs" / "foreign.json"
    if kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "nowhere":
        path.symlink_to(tmp_path / "absent")
    else:
        path.touch()
        os.truncate(path, MOST_BYTES + 1)
    reason = left_out(tmp_path, tmp_path / "out")
    assert any(text in reason for text in ("no file", "at most", "No such file"))
    assert str(tmp_path) not in reason


def test_a_link_to_a_record_is_read_as_the_record(tmp_path):
    store(tmp_path / "elsewhere", record("linked"))
    store(tmp_path, record("good"))
    (tmp_path / "runs" / "link.json").symlink_to(path_of(tmp_path / "elsewhere"))
    assert len(read_results(tmp_path).records) == 2


@pytest.mark.parametrize("kind", ["endless", "pipe", "folder"])
def test_what_is_no_file_beside_a_record_is_unfit_unread(tmp_path, kind):
    path = store_measured(tmp_path, "a", 1.0, draw(0, common=np.zeros(REAL)))
    path.unlink()
    if kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    report = write_all(tmp_path, tmp_path / "out", "demo", strict=False)
    assert [item.path for item in report.unfit] == ["runs/digits/a/net/t.images.csv"]
    assert not report.left_out
