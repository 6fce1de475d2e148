"""Statistics files that are none are refused in one line, and nothing in them runs."""

import json
import pickle

import numpy as np
import pytest
from made_statistics import IMAGES, POOLED, REAL, WIDTH, moments_of, opened, rows, write

from bench.errors import ConfigError, DatasetError


def damaged(**changes):
    return {**POOLED, **changes}


LOPSIDED = POOLED["sigma"] + np.triu(np.ones((WIDTH, WIDTH)), 1)
SPOILT = np.where(np.eye(WIDTH) > 0, np.nan, POOLED["sigma"])
BAD = {
    "expected mean": damaged(mu=POOLED["mu"][:3]),
    "expected mean (": damaged(sigma=POOLED["sigma"][:3]),
    "expected mean (D,)": damaged(mu=POOLED["mu"][None]),
    "not symmetric": damaged(sigma=LOPSIDED),
    "NaN or infinity": damaged(sigma=SPOILT),
    "below zero": damaged(sigma=POOLED["sigma"] - 2 * np.eye(WIDTH)),
    "float16": damaged(mu=POOLED["mu"].astype(np.float16)),
    "no mu and sigma": {"mean": POOLED["mu"]},
    "no sigma; it holds images: dataset=npz": {"mu": POOLED["mu"], "arr_0": IMAGES},
    "it holds features": {"feats": REAL},
    "mu_s without": damaged(mu_s=POOLED["mu"]),
    "runs code": damaged(sigma=np.array([None, 1], dtype=object)),
}


@pytest.mark.parametrize("words", BAD)
def test_what_is_no_mean_and_covariance_is_refused_in_one_line(words, tmp_path):
    path = tmp_path / "bad.npz"
    np.savez(path, **BAD[words])
    with pytest.raises(DatasetError) as caught:
        opened(path)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.code == 3


def test_a_flipped_bit_is_found(tmp_path):
    path = write(tmp_path, "edm")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1  # in sigma: the file is stored, not compressed
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="checksum"):
        opened(path)


def test_rounding_below_zero_passes(tmp_path):
    flat = rows(4, seed=0)  # rank 3 of 6
    np.savez(tmp_path / "flat.npz", **moments_of(flat))
    assert opened(tmp_path / "flat.npz").count is None


class Malicious:
    def __reduce__(self):
        return (print, ("code was run",))


@pytest.mark.parametrize("content", [Malicious(), {"fid": {"mu": Malicious(), "sigma": 1}}])
def test_a_pickle_that_would_run_code_is_refused_and_not_run(content, tmp_path, capsys):
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DatasetError, match=r"Nothing was run.*np\.savez"):
        opened(path)
    assert "code was run" not in capsys.readouterr().out


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol_are_read(protocol, tmp_path):
    path = tmp_path / "edm2.pkl"
    path.write_bytes(pickle.dumps({"num_images": 300, "fid": POOLED}, protocol=protocol))
    assert opened(path).count == 300


def test_of_several_entries_one_must_be_named(tmp_path):
    path = tmp_path / "edm2.pkl"
    other = moments_of(rows(50, seed=9, width=4))
    path.write_bytes(pickle.dumps({"num_images": 300, "fid": POOLED, "fd_dinov2": other}))
    with pytest.raises(DatasetError, match=r"fid, fd_dinov2.*dataset\.key="):
        opened(path)
    assert len(opened(path, key="fd_dinov2").pooled.mean) == 4
    with pytest.raises(ConfigError, match="only a pkl"):
        opened(write(tmp_path, "edm"), key="fid")


def test_a_pickle_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.pkl"
    for content in ([1, 2], {"fid": 3}, {"fid": {"mu": 1}}):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(DatasetError, match="no entry with mu and sigma"):
            opened(path)


ORIGIN = {
    "moments": "", "dataset": {}, "backbone_name": "precomputed", "backbone": {}, "count": 300,
    "protocol": "salon", "ddof": 1, "extraction": 3, "schema": 1,
}  # fmt: skip


@pytest.mark.parametrize("entry", [
    b"[" * 100_000, b"{}", b"[1]", b"\xff", b'{"schema": 1}',
    json.dumps({**ORIGIN, "count": "300"}).encode(),
    json.dumps({**ORIGIN, "dataset": {"x": float("nan")}}).encode(),
    json.dumps({**ORIGIN, "dataset": {"x": 1}}).replace("1}", "1e999}", 1).encode(),
    json.dumps({**ORIGIN, "protocol": "\ud800"}).encode(),
    json.dumps({**ORIGIN, "dataset": {"x": []}}).replace("[]", "[" * 900 + "]" * 900).encode(),
])  # fmt: skip
def test_an_entry_salon_that_no_record_could_hold_is_refused(tmp_path, entry):
    path = tmp_path / "own.npz"
    np.savez(path, **POOLED, salon=np.frombuffer(entry, np.uint8))
    with pytest.raises(DatasetError, match="its entry `salon` is damaged") as caught:
        opened(path)
    assert "\n" not in str(caught.value)
