"""Files among the records that no table may rely on: left out, named, and failing `strict`."""

import json
import logging
from dataclasses import replace

import pytest
from made_records import path_of, record, score, store

from bench.errors import StoreError
from bench.leaderboard.command import Request, run
from bench.leaderboard.load import read_results
from bench.records import encode, record_path


def reasons(results):
    return {item.path.rpartition("/")[2]: item.reason for item in read_results(results).left_out}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"schema": 1, "ke', "not a record"),
        ("", "not a record"),
        ("[]", "no schema"),
        ('{"loss": 3}', "no schema"),
        ('{"schema": 99}', "schema 99"),
        ('{"schema": 2, "key": "a"}', "not a whole record"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_torn_foreign_and_newer_files_are_left_out(tmp_path, content, reason):
    store(tmp_path, record())
    (tmp_path / "runs" / "bad.json").write_text(content)
    assert reason in reasons(tmp_path)["bad.json"]
    assert str(tmp_path) not in reasons(tmp_path)["bad.json"]
    assert len(read_results(tmp_path).records) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"scores": {}},
        {"scores": {"fid": score("low")}},
        {"scores": {"fid": score(1.0, better="up")}},
        {"scores": {"fid": score(1.0, interval=[1.0])}},
        {"num_real": "many"},
        {"generator": {"name": "gan"}},
        {"comparison_key": "0" * 64},
        {"comparison": {}},
    ],
)
def test_records_that_the_tables_cannot_rely_on_are_left_out(tmp_path, change):
    one = replace(record(), **change)
    path = record_path(tmp_path, dataset="d", generator="g", backbone="b", metric="m", key=one.key)
    path.parent.mkdir(parents=True)
    path.write_bytes(encode(one))
    assert len(reasons(tmp_path)) == 1


def test_a_duplicate_is_left_out_and_named(tmp_path):
    store(tmp_path, record())
    path = path_of(tmp_path)
    path.with_name("z-copy.json").write_bytes(path.read_bytes())
    assert reasons(tmp_path)["z-copy.json"].startswith("duplicate of runs/digits/gan/net/fid-")
    assert len(read_results(tmp_path).records) == 1


def test_two_scores_under_one_key_are_both_left_out(tmp_path):
    store(tmp_path, record())
    path = path_of(tmp_path)
    path.with_name("z-copy.json").write_bytes(encode(record(scores={"fid": 2.0})))
    assert all("conflicts with" in reason for reason in reasons(tmp_path).values())
    assert not read_results(tmp_path).records


def test_one_place_measured_under_two_keys_is_left_out(tmp_path):
    store(tmp_path, record(key="1" * 64), record(key="2" * 64, scores={"fid": 2.0}))
    assert len(reasons(tmp_path)) == 2
    assert not read_results(tmp_path).records


def test_the_conflict_file_of_a_second_writer_is_named(tmp_path):
    store(tmp_path, record())
    with pytest.raises(StoreError):
        store(tmp_path, record(scores={"fid": 2.0}))
    assert "delete the wrong one" in next(iter(reasons(tmp_path).values()))
    assert len(read_results(tmp_path).records) == 1


@pytest.mark.parametrize("value", ["NaN", "0.001"])
def test_a_record_edited_by_hand_is_left_out(tmp_path, value):
    store(tmp_path, record())
    path = path_of(tmp_path)
    path.write_text(path.read_text().replace('"value": 1.0', f'"value": {value}'))
    (reason,) = reasons(tmp_path).values()
    assert "changed after it was written" in reason or "not a number" in reason


def test_left_out_files_fail_under_strict_only(tmp_path, caplog):
    store(tmp_path, record())
    (tmp_path / "runs" / "torn.json").write_text("{")
    settings = {"results": tmp_path, "out": tmp_path / "out", "name": "demo"}
    with caplog.at_level(logging.INFO):
        assert run(Request(**settings)) == 0
    assert "left out runs/torn.json" in caplog.text
    assert run(Request(**settings, strict=True)) == 8
    assert json.loads((tmp_path / "out" / "demo.json").read_text())["left_out"][0]["reason"]
