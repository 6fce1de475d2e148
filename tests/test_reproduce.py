"""A committed record is measured again from its own config; what is not the same is told."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bench.cli import main
from bench.errors import ConfigError
from bench.recorded_config import recorded_config
from bench.records import encode, read_record, write_record
from bench.reproduce import Reproduced, departures, reproduced

RUNS = Path(__file__).parents[1] / "results" / "runs" / "digits"
(RECORD,) = (RUNS / "holdout" / "resnet18_random").glob("fid-*.json")


def typed(capsys, *words):
    with pytest.raises(SystemExit) as ending:
        main(["reproduce", *map(str, words)])
    captured = capsys.readouterr()
    return ending.value.code, captured.out, captured.err


def rewritten(path, **changes):
    path.write_bytes(encode(replace(read_record(RECORD), **changes)))
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_a_committed_record_is_reproduced(capsys, cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = typed(capsys, RECORD, f"paths.cache={cache}")
    head, line = out.splitlines()
    assert code == 0 and line.startswith("agrees") and "123.8776" in line
    assert head.split() == ["verdict", "score", "recorded", "measured", "difference", "tolerance"]
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert {path.parent.name for path in left} <= {"random_weights"}  # no record, no log


def test_a_truncated_record_is_reproduced_without_typing_its_sampler(capsys, measure, small):
    words = ["sampler=truncated", "sampler.threshold=0.5", "metrics=[fid]"]
    _, report = measure(*small, *words, "generator=dcgan_digits")
    code, out, _ = typed(capsys, report.lines[0].record)
    assert code == 0 and out.splitlines()[1].startswith("agrees")
    code, out, _ = typed(capsys, report.lines[0].record, "sampler=plain")
    assert code == 8 and "identities.generator.sampler" in out


def test_another_score_is_exit_code_8(capsys, cache, tmp_path):
    scores = json.loads(json.dumps(read_record(RECORD).scores))
    scores["fid"]["value"] = 123.9
    path = rewritten(tmp_path / "record.json", scores=scores)
    code, out, _ = typed(capsys, path, f"paths.cache={cache}")
    assert code == 8 and out.splitlines()[1].startswith("DIFFERS  fid    123.9")


def test_other_images_are_exit_code_8_and_named(capsys, cache, tmp_path):
    identities = json.loads(json.dumps(read_record(RECORD).identities))
    identities["generator"]["base"]["fingerprint"] = "0" * 64
    path = rewritten(tmp_path / "record.json", identities=identities)
    code, out, _ = typed(capsys, path, f"paths.cache={cache}")
    assert code == 8
    assert "not the same measurement: identities.generator.base.fingerprint differs" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["metrics.fid.ddof=0"], "is the record's"),
        (["seed=1"], "is the record's"),
        (["dataset.spllit=test"], "no such key"),
        (["sampler=nosuch"], "sampler=nosuch"),
    ],
)
def test_only_where_things_are_may_be_typed(capsys, words, told):
    code, _, err = typed(capsys, RECORD, *words)
    assert code == 2 and told in err and err.count("\n") == 1


def test_what_is_no_record_has_no_config(capsys, tmp_path):
    (tmp_path / "torn.json").write_text("{")
    assert typed(capsys, tmp_path / "torn.json")[0] == 2
    assert typed(capsys, tmp_path / "absent.json")[0] == 2
    assert typed(capsys)[0] == 2
    shutil.copy(RECORD, tmp_path / "x.json")
    (tmp_path / "x.json").write_text((tmp_path / "x.json").read_text().replace("123.", "122."))
    code, _, err = typed(capsys, tmp_path / "x.json")
    assert code == 2 and "sha256" in err


def test_a_shortened_path_has_to_be_typed():
    folder = {"_target_": "bench.datasets.folder.ImageFolder", "name": "mine", "path": "photos"}
    config = {"_target_": "bench.generators.stored.Stored", "name": "mine", "source": folder}
    record = replace(read_record(RECORD), generator={"name": "mine", "config": config})
    with pytest.raises(ConfigError, match=r"type generator\.source\.path=PATH/TO/photos"):
        recorded_config(record, [])
    found = recorded_config(record, ["generator.source.path=/data/photos"])
    assert found.generator.source.path == "/data/photos"


def test_a_path_that_our_yaml_gives_is_found(monkeypatch):
    monkeypatch.setenv("SALON_DATA", "/data")
    own = {"_target_": "bench.datasets.folder.ImageFolder", "name": "ffhq", "path": "ffhq"}
    record = replace(read_record(RECORD), dataset={"name": "ffhq", "config": own})
    assert recorded_config(record, []).dataset.path == "/data/ffhq"


def test_the_config_is_the_records_and_not_the_yamls():
    metric = {"_target_": "metrics.fid.Fid", "ddof": 0}
    record = replace(read_record(RECORD), metric={"name": "fid", "config": metric}, seed=7)
    config = recorded_config(record, [])
    assert config.metrics == {"fid": metric} and config.seed == 7
    assert list(config.backbone) == ["resnet18_random"]


@pytest.mark.parametrize(
    ("recorded", "measured", "agrees"),
    [
        (100.0, 100.0009, True),
        (100.0, 100.0011, False),
        (0.0, 5e-8, True),
        (None, None, True),
        (None, 1.0, False),
    ],
)
def test_the_tolerance_is_a_hundred_thousandth(recorded, measured, agrees):
    assert Reproduced("fid", recorded, measured).agrees is agrees


def test_at_bf16_scores_of_two_kinds_of_processors_agree():
    record = read_record(RECORD)
    narrow = {**record.identities, "backbone": {"precision": "bf16"}}
    moved = {n: {**one, "value": one["value"] * 1.01} for n, one in record.scores.items()}
    other = replace(record, scores=moved)
    assert not any(one.agrees for one in reproduced(record, other))
    assert all(one.agrees for one in reproduced(replace(record, identities=narrow), other))


def test_two_jobs_that_race_at_bf16_end_with_the_first_record(tmp_path):
    record = read_record(RECORD)
    narrow = replace(record, identities={"backbone": {"precision": "bf16"}})
    moved = {n: {**one, "value": one["value"] * 1.01} for n, one in record.scores.items()}
    path = tmp_path / "fid.json"
    write_record(path, narrow)
    assert write_record(path, replace(narrow, scores=moved)).scores == record.scores


def test_what_an_older_record_does_not_say_is_no_departure():
    record = read_record(RECORD)
    more = json.loads(json.dumps(record.identities))
    more["backbone"]["novelty"] = "none"
    assert list(departures(record, replace(record, identities=more))) == []
    assert list(departures(replace(record, identities=more), record)) == [
        "not the same measurement: identities.backbone.novelty differs"
    ]


def test_a_newer_version_of_our_code_is_no_departure():
    record = read_record(RECORD)
    newer = json.loads(json.dumps(record.comparison))
    newer["backbone"]["extraction"] += 1
    newer["metric"]["version"] += 1
    assert list(departures(record, replace(record, comparison=newer))) == []
    newer["backbone"]["resize"] = "other"
    assert list(departures(record, replace(record, comparison=newer))) == [
        "not the same measurement: comparison.backbone.resize differs"
    ]
