"""Rows on disk: in order, nameless, safe when the disk is not."""

import numpy as np
import pytest
import torch

import bench.mapped
from bench.errors import StoreError
from bench.mapped import MappedRows


def test_rows_come_back_in_order_with_names_widths_and_types(tmp_path):
    rows = MappedRows(tmp_path)
    rows.append({"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([[1], [2]])})
    rows.append({"a": torch.arange(6.0, 9.0)[None], "b": torch.tensor([[3]])})
    found = rows.tensors()
    assert torch.equal(found["a"], torch.arange(9.0).reshape(3, 3))
    assert torch.equal(found["b"], torch.tensor([[1], [2], [3]]))


def test_tensors_outlive_the_writer_and_leave_no_file(tmp_path):
    rows = MappedRows(tmp_path / "cache")
    rows.append({"a": torch.ones(4, 2)})
    found = rows.tensors()["a"]
    del rows
    assert found.sum() == 8 and list((tmp_path / "cache").iterdir()) == []


def test_changing_a_tensor_changes_no_other(tmp_path):
    rows = MappedRows(tmp_path)
    rows.append({"a": torch.ones(4, 2)})
    rows.tensors()["a"].zero_()
    assert rows.tensors()["a"].sum() == 8


def test_a_folder_that_cannot_be_written_costs_a_warning(tmp_path, caplog):
    (tmp_path / "cache").write_text("a file where the folder should be")
    rows = MappedRows(tmp_path / "cache")
    rows.append({"a": torch.ones(4, 2)})
    assert rows.tensors()["a"].sum() == 8 and "meanwhile" in caplog.text


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(bench.mapped, "open_nameless", lambda folder: open("/dev/full", "wb"))  # noqa: SIM115
    with pytest.raises(StoreError, match="cannot take the features: No space left"):
        MappedRows(tmp_path).append({"a": torch.from_numpy(np.ones((4, 2)))})
