"""Arrays of types and shapes that numpy or torch has no room for are refused in one line."""

import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bench.datasets.arrays import ImageArray
from bench.datasets.features import read_features
from bench.errors import DatasetError

ROWS = np.ones((2, 3), np.float32)


def refused(path, match):
    with pytest.raises(DatasetError, match=match) as caught:
        read_features(str(path))
    assert path.name in str(caught.value) and "\n" not in str(caught.value)


def written(path, dtype, shape):
    """An npy file of no bytes that claims a type and a shape."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}}}\n".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    return path


@pytest.mark.parametrize("shape", [(0, 10**30), (0,) * 100])
def test_a_shape_beyond_numpys_numbers_is_refused(tmp_path, shape):
    refused(written(tmp_path / "a.npy", "<f4", shape), r"a\.npy has shape \(0, ")


@pytest.mark.parametrize("dtype", ["|S0", "|V0", "<U0"])
def test_numbers_of_no_width_are_refused_however_many(tmp_path, dtype):
    path = written(tmp_path / "a.npy", dtype, (10**12, 3, 4, 4))
    refused(path, "of no width")
    with pytest.raises(DatasetError, match="of no width"):
        ImageArray(path=str(path)).open("all", manifests=tmp_path)


def test_float8_features_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"features": torch.ones(4, 2).to(torch.float8_e4m3fn)}, path)
    refused(path, "float8_e4m3fn; save float32")


@pytest.mark.parametrize("name", ["logits", "spatial"])
@pytest.mark.parametrize("dtype", [np.longdouble, ">f4"])
def test_logits_of_types_that_torch_has_not_are_refused(tmp_path, name, dtype):
    np.savez(tmp_path / "a.npz", features=ROWS, **{name: ROWS.astype(dtype)})
    refused(tmp_path / "a.npz", f"{name} are .*save float32")
