"""Mirrors: wandb's offline run holds config and scores; a broken mirror costs one warning."""

import json
import time

from omegaconf import OmegaConf

from bench.composed import composed
from bench.report import Line, Report
from bench.tracking import mirror

REPORT = Report([Line("digits", "g", "b", "fid", "done", {"fid": 1.25})])


def records_of(file):
    """The records of a .wandb file: a 7-byte header, then LevelDB log blocks of 32 KiB."""
    from wandb.proto import wandb_internal_pb2

    data = file.read_bytes()
    position, parts = 7, b""
    while position + 7 <= len(data):
        if 32768 - position % 32768 < 7:
            position += 32768 - position % 32768
            continue
        length = int.from_bytes(data[position + 4 : position + 6], "little")
        kind = data[position + 6]
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(parts)
            yield record
            parts = b""


def when_whole(file):
    """wandb's own process writes the file, a moment after the run has ended."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = list(records_of(file))
        if any(record.WhichOneof("record_type") == "exit" for record in found):
            return found
        time.sleep(0.2)
    raise AssertionError(f"{file} was never finished")


def test_an_offline_run_holds_config_and_scores(tmp_path):
    config = composed("score", ["tracking=wandb", f"paths.results={tmp_path}"])
    mirror(config, REPORT, tmp_path / "logs" / "the-run")
    (file,) = tmp_path.glob("logs/wandb/offline-run-*/run-*.wandb")
    found = when_whole(file)
    run = next(r.run for r in found if r.WhichOneof("record_type") == "run")
    assert run.project == "salon" and run.run_group == "the-run"
    keys = {item.key: item.value_json for item in run.config.update}
    assert json.loads(keys["dataset"])["name"] == "digits"
    summary = {
        "/".join(item.nested_key) or item.key: item.value_json
        for r in found
        if r.WhichOneof("record_type") == "summary"
        for item in r.summary.update
    }
    assert json.loads(summary["b/fid.fid"]) == 1.25


def test_a_broken_mirror_costs_one_warning(tmp_path, caplog):
    config = composed("score", ["tracking=wandb", f"paths.results={tmp_path}"])
    OmegaConf.update(config, "tracking.mode", "nonsense")
    mirror(config, REPORT, tmp_path)
    assert caplog.text.count("tracking failed") == 1 and "records are stored" in caplog.text


def test_no_tracking_does_nothing(tmp_path, caplog):
    mirror(composed("score", []), REPORT, tmp_path)
    assert caplog.text == ""
