"""Class numbers that a conversion would change without a word are refused with their row."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from bench.datasets.arrays import ImageArray
from bench.datasets.class_numbers import LARGEST, class_numbers
from bench.datasets.features import read_features
from bench.datasets.zip import ImageZip
from bench.errors import DatasetError

IMAGES = np.zeros((2, 4, 4, 3), np.uint8)
TOO_LARGE = np.array([1, 2**63], np.uint64)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "<i8", ">i8", "u8"])
def test_whole_numbers_of_any_width_come_as_int64(dtype):
    found = class_numbers(np.array([0, 3, 127], dtype), where="x")
    assert found.tolist() == [0, 3, 127] and str(found.dtype) == "torch.int64"


@pytest.mark.parametrize("value", [LARGEST + 1, 2**62, -(2**63)])
def test_numbers_beyond_a_class_are_refused_with_their_row(value):
    match = rf"x: the label of row 2 is {value}, expected a class number"
    with pytest.raises(DatasetError, match=match):
        class_numbers(np.array([0, LARGEST, value]), where="x")


def test_unsigned_labels_do_not_become_negative(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, features=np.ones((2, 2)), labels=TOO_LARGE)
    with pytest.raises(DatasetError, match=rf"a\.npz: the label of row 1 is {2**63}"):
        read_features(str(path))
    np.savez(path, IMAGES, TOO_LARGE)
    with pytest.raises(DatasetError, match=rf"a\.npz: the label of row 1 is {2**63}"):
        ImageArray(path=str(path)).open("all", manifests=tmp_path / "m")


@pytest.mark.parametrize("label", [LARGEST + 1, 10**30])
def test_a_label_of_a_zip_is_bounded_too(tmp_path, label):
    file = io.BytesIO()
    Image.fromarray(IMAGES[0]).save(file, "PNG")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", file.getvalue())
        archive.writestr("dataset.json", json.dumps({"labels": [["a.png", label]]}))
    with pytest.raises(DatasetError, match=rf"the label of a\.png is {label}"):
        ImageZip(path=str(tmp_path / "a.zip")).open("all", manifests=tmp_path / "m")
