"""A full disk costs what could not be stored, with its reason, and leaves no stump."""

import os
import subprocess
import sys

import pytest
import torch
from made_records import record
from small_disk import small_disk

from bench import features
from bench.atomic import TEMPORARY
from bench.cache import FeatureCache
from bench.child import LOG, lines_of
from bench.errors import StoreError
from bench.features import Extractor
from bench.images import ImageSource
from bench.mapped import MappedRows
from bench.plan import PlannedJob
from bench.pool import Pool
from bench.records import read_record, record_paths, write_record
from bench.report import Report
from bench.shard import WHOLE
from models.backbone import Embedding

ROWS = range(0, 2000)
PART = {"features": torch.arange(16_000.0).reshape(2000, 8)}


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


def files(disk):
    return [path for path in disk.folder.rglob("*") if path.is_file() and path != disk.filler]


def test_the_cache_takes_no_part_and_no_half_of_one(disk, caplog):
    cache = FeatureCache(disk.folder / "features")
    disk.fill()
    assert torch.equal(cache.write({"a": 1}, ROWS, PART)["features"], PART["features"])
    assert "No space left on device" in caplog.text and files(disk) == []
    disk.free()
    cache.write({"a": 1}, ROWS, PART)
    assert torch.equal(cache.read({"a": 1}, ROWS)["features"], PART["features"])


def test_a_damaged_part_cannot_be_replaced_but_costs_no_job(disk):
    cache = FeatureCache(disk.folder / "features")
    cache.write({"a": 1}, ROWS, PART)
    (entry,) = files(disk)
    entry.write_bytes(b"damaged")
    disk.fill()
    assert torch.equal(cache.write({"a": 1}, ROWS, PART)["features"], PART["features"])


def test_a_record_is_stored_whole_once_there_is_room(disk):
    path = disk.folder / "runs/d/g/b/fid-0.json"
    disk.fill()
    with pytest.raises(StoreError, match="No space left on device; free some space"):
        write_record(path, record())
    assert files(disk) == []
    disk.free()
    write_record(path, record())
    assert read_record(path).key == record().key


def test_features_that_find_no_room_are_an_error_and_no_crash(disk):
    rows = MappedRows(disk.folder)
    disk.fill()
    with pytest.raises(StoreError, match="cannot take the features: No space left"):
        for _ in range(2):  # the first may still find a page
            rows.append(PART)


def test_a_job_says_so_and_the_same_job_completes_later(disk, measure, small):
    words = [*small, "metrics=[fid,prdc]", f"paths.results={disk.folder / 'results'}"]
    disk.fill()
    _, report = measure(*words)
    assert [line.code for line in report.lines] == [6, 6]
    assert all("No space left on device" in line.reason for line in report.lines)
    assert "Measured: fid = " in report.lines[0].reason  # so that it is not lost
    assert files(disk) == []
    disk.free()
    _, again = measure(*words)
    assert [line.state for line in again.lines] == ["done", "done"]
    told = float(report.lines[0].reason.partition("fid = ")[2].partition(",")[0].rstrip("."))
    assert again.lines[0].scores["fid"] == pytest.approx(told)
    assert len(list(record_paths(disk.folder / "results"))) == 2
    assert not [path for path in files(disk) if path.name.startswith(TEMPORARY)]


class Ramp(ImageSource):
    """Image k is filled with k."""

    def __len__(self):
        return 12

    def read(self, indices):
        self.last = max(indices)
        return torch.stack([torch.full((3, 4, 4), k, dtype=torch.uint8) for k in indices])

    def content(self):
        return {"fingerprint": "ramp"}


class Mean:
    def identity(self):
        return {"name": "mean"}

    def load(self, device="cpu"):
        return lambda images: Embedding(images.float().mean(dim=(2, 3)), None)


def test_an_extraction_stops_at_the_first_part_that_the_cache_does_not_take(disk, monkeypatch):
    monkeypatch.setattr(features, "PART_ROWS", 3)
    extractor = Extractor(FeatureCache(disk.folder / "cache"), "cpu", batch_size=3, workers=1)
    asked = (source := Ramp(), 12, {"mean": Mean()}, "real", {"mean": {"name": "mean"}}, WHOLE)
    disk.fill()
    with pytest.raises(StoreError, match="does not take the features of mean; free some space"):
        extractor.fill(*asked)
    assert source.last == 2 and files(disk) == []
    disk.free()
    assert extractor.fill(*asked).images == 12 and len(files(disk)) == 4


def test_a_job_that_could_not_even_begin_is_one_failed_line(disk):
    disk.fill()
    (disk.folder / "sweep").mkdir()  # needs no page of its own here
    (line,) = Pool(jobs=1).run([PlannedJob(["n=0"], [])], disk.folder / "sweep")
    assert line.state == "failed" and line.code == 6 and "no space left on its disk" in line.reason


def test_a_job_without_a_report_is_told_with_the_last_word_of_its_log(tmp_path):
    (tmp_path / LOG).write_text("features 1/2\nerror: what was wrong\nterminated\n")
    (line,) = lines_of(tmp_path, ["n=0"], "exited with 3")
    assert "exited with 3 without a report: what was wrong; its log" in line.reason
    assert Report.read(tmp_path).lines == [line]


def test_a_log_on_a_full_disk_costs_neither_record_nor_report(tmp_path, small):
    words = ["score", *small, "metrics=[fid]", "hydra.run.dir=job"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bench", *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"},
            stdout=full,
            stderr=full,
        )
    assert done.returncode == 0
    assert [line.state for line in Report.read(tmp_path / "job").lines] == ["done"]
    assert len(list(record_paths(tmp_path / "results"))) == 1
