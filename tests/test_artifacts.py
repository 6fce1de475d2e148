"""What lies beside a record."""

import csv

import pytest
import torch
from made_records import record

from bench.artifacts import keep, write_curves, write_per_image
from bench.beside import described
from bench.errors import StoreError
from bench.records import record_path, write_record
from metrics.metric import Outcome

NAMES = {"real": "r{}".format, "fake": "f{}".format}


def rows(path):
    return list(csv.reader(path.open()))


def test_per_image_columns_of_both_sides_share_one_table(tmp_path):
    outcome = Outcome(
        scores={},
        per_image={
            "fake": {"rarity": torch.tensor([0.5, torch.nan])},
            "real": {"fid_influence": torch.tensor([1 / 3, 2.0, -1.0], dtype=torch.float64)},
        },
        nearest_real=torch.tensor([2, 0]),
    )
    found = write_per_image(tmp_path / "fid-0a.json", outcome, NAMES)
    data = (tmp_path / "fid-0a.images.csv").read_bytes()
    assert found == {"images": described("fid-0a.images.csv", data)}
    assert rows(tmp_path / "fid-0a.images.csv") == [
        ["image", "side", "fid_influence", "nearest_real", "rarity"],
        ["r0", "real", "0.3333333", "", ""],
        ["r1", "real", "2", "", ""],
        ["r2", "real", "-1", "", ""],
        ["f0", "fake", "", "r2", "0.5"],
        ["f1", "fake", "", "r0", ""],
    ]


def test_a_curve_is_a_table_of_its_own_with_all_digits(tmp_path):
    third = torch.tensor([1 / 3, 1.0], dtype=torch.float64)
    outcome = Outcome(scores={}, curves={"prd": {"count": torch.tensor([3, 4]), "recall": third}})
    found = write_curves(tmp_path / "prd-0a.json", outcome)
    assert found["curve.prd"]["file"] == "prd-0a.prd.csv"
    expected = [["count", "recall"], ["3", "0.3333333333333333"], ["4", "1.0"]]
    assert rows(tmp_path / "prd-0a.prd.csv") == expected


def test_a_metric_without_single_images_or_curves_leaves_nothing(tmp_path):
    assert write_per_image(tmp_path / "a.json", Outcome(scores={}), NAMES) == {}
    assert write_curves(tmp_path / "a.json", Outcome(scores={})) == {}
    assert list(tmp_path.iterdir()) == []


def test_what_the_record_of_another_job_knows_is_adopted(tmp_path):
    names = {"dataset": "d", "generator": "g", "backbone": "b", "metric": "m"}
    path = record_path(tmp_path, **names, key="0" * 64)
    path.parent.mkdir(parents=True)
    first = keep(path, path.with_suffix(".csv"), b"first")
    write_record(path, record(artifacts={"images": first}))
    assert keep(path, path.with_suffix(".csv"), b"later!") == first
    assert path.with_suffix(".csv").read_bytes() == b"first"
    assert first == described(path.with_suffix(".csv").name, b"first")


def test_a_damaged_file_that_no_record_knows_is_written_anew(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"fir")
    assert keep(tmp_path / "a.json", tmp_path / "a.csv", b"first") == described("a.csv", b"first")
    assert (tmp_path / "a.csv").read_bytes() == b"first"


def test_a_file_that_cannot_be_read_is_a_store_error(tmp_path):
    (tmp_path / "a.csv").mkdir()  # as unreadable as somebody else's file, for root too
    with pytest.raises(StoreError, match="cannot read"):
        keep(tmp_path / "a.json", tmp_path / "a.csv", b"later")
