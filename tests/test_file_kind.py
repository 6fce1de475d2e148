"""Any file whatever has a kind: damaged tables and headers raise nothing."""

import json
import struct

import pytest
import torch

from models.file_kind import FileKind, file_kind
from models.weights import WeightsError, load_state


def header(text, data=b""):
    return struct.pack("<Q", len(text)) + text + data


def entry(*offsets):
    return {"dtype": "F32", "shape": [1], "data_offsets": offsets}


@pytest.mark.parametrize("text", [
    json.dumps({"a": entry(0, "4")}).encode(),
    json.dumps({"a": entry(0, "4"), "b": entry(0, 4)}).encode(),
    json.dumps({"a": entry(0, [4])}).encode(), json.dumps({"a": entry(0)}).encode(),
    b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
])  # fmt: skip
def test_an_odd_header_is_left_to_its_loader_which_refuses_it(tmp_path, text):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(header(text, bytes(4)))
    assert file_kind(path) is FileKind.SAFETENSORS
    with pytest.raises(WeightsError, match=r"odd\.safetensors cannot be read") as caught:
        load_state(path)
    assert "\n" not in str(caught.value)


def test_a_zip_with_a_damaged_table_of_contents_is_named(tmp_path):
    path = tmp_path / "odd.pt"
    torch.save({"a": torch.ones(2)}, path)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02")] = 0
    path.write_bytes(data)
    assert file_kind(path) is FileKind.DAMAGED
    with pytest.raises(WeightsError, match=r"odd\.pt is damaged: its table of contents"):
        load_state(path)
