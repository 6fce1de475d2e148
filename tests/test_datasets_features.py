import hashlib

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bench.datasets.features import Features, read_features
from bench.errors import ConfigError, DatasetError

ROWS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


def stored(tmp_path, kind, array):
    path = tmp_path / f"rows.{kind}"
    if kind == "npy":
        np.save(path, array)
    elif kind == "npz":
        np.savez(path, anything=array)
    else:
        save_file({"anything": torch.from_numpy(array)}, path)
    return path


@pytest.mark.parametrize("kind", ["npy", "npz", "safetensors"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_come_as_they_are_stored(tmp_path, kind, dtype):
    array = ROWS.astype(dtype)
    found = Features(path=str(stored(tmp_path, kind, array))).open("reference", manifests=tmp_path)
    assert found.rows().numpy().dtype == dtype and np.array_equal(found.rows().numpy(), array)
    expected = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    assert found.content() == {"fingerprint": expected.hexdigest()}
    assert found.logits is None and found.labels is None and len(found) == 5


def test_logits_and_labels_come_along_and_count(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, features=ROWS, logits=ROWS[:, :2], labels=np.arange(5))
    found = read_features(str(path))
    assert found.logits.shape == (5, 2) and found.labels.tolist() == [0, 1, 2, 3, 4]
    alone = read_features(str(stored(tmp_path, "npy", ROWS)))
    assert found.content() != alone.content()


def test_nan_passes_for_the_metric_names_the_row(tmp_path):
    rows = read_features(str(stored(tmp_path, "npy", np.full((2, 2), np.nan)))).rows()
    assert rows.isnan().all()


def test_the_holdout_is_a_second_file(tmp_path):
    path = str(stored(tmp_path, "npy", ROWS))
    dataset = Features(path="/nowhere", holdout=path)
    assert dataset.split == "reference" and dataset.holdout_split == "holdout"
    assert len(dataset.open("holdout", manifests=tmp_path)) == 5
    assert Features(path=path).holdout_split is None
    with pytest.raises(ConfigError, match=r"no split 'holdout'.*dataset.holdout=FILE"):
        Features(path=path).open("holdout", manifests=tmp_path)


@pytest.mark.parametrize("kind", ["npy", "npz", "safetensors"])
@pytest.mark.parametrize("array, match", [
    (ROWS.astype(np.float16), "holds float16; save float32 or float64"),
    (ROWS.astype(np.int64), "holds int64"), (ROWS[0], r"shape \(3,\); expected \(N, D\)"),
    (ROWS[:0], "expected"),
])  # fmt: skip
def test_what_is_no_feature_table_is_refused(tmp_path, kind, array, match):
    with pytest.raises(DatasetError, match=match):
        read_features(str(stored(tmp_path, kind, array)))


def test_bfloat16_is_refused(tmp_path):
    save_file({"a": torch.zeros(2, 2, dtype=torch.bfloat16)}, tmp_path / "a.safetensors")
    with pytest.raises(DatasetError, match="bfloat16; save float32"):
        read_features(str(tmp_path / "a.safetensors"))


@pytest.mark.parametrize("extra, match", [
    ({"labels": np.arange(4)}, r"labels are int64 \(4,\); expected whole numbers"),
    ({"labels": ROWS[:, 0]}, "labels are float32"), ({"logits": ROWS[:, 0]}, "logits are float32"),
])  # fmt: skip
def test_logits_and_labels_must_fit(tmp_path, extra, match):
    np.savez(tmp_path / "a.npz", features=ROWS, **extra)
    with pytest.raises(DatasetError, match=match):
        read_features(str(tmp_path / "a.npz"))


def test_statistics_are_no_features(tmp_path):
    np.savez(tmp_path / "a.npz", mu=ROWS[0], sigma=ROWS)
    with pytest.raises(DatasetError, match="holds the arrays mu, sigma; call the features"):
        read_features(str(tmp_path / "a.npz"))


@pytest.mark.parametrize("name, data, match", [
    ("a.safetensors", b"<html>404</html>", "not a safetensors file"),
    ("a.npy", b"hello", "not a numpy array"), ("a.npz", b"hello", "not a readable npz"),
    ("a.csv", b"1,2", "neither npy, npz nor safetensors"),
])  # fmt: skip
def test_foreign_files_are_named(tmp_path, name, data, match):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DatasetError, match=match) as caught:
        read_features(str(tmp_path / name))
    assert name in str(caught.value)
    with pytest.raises(DatasetError, match="absent"):
        read_features(str(tmp_path / f"absent{name}"))
