"""Statistics that we write for clean-fid are the ones that clean-fid finds by their name."""

import numpy as np
import pytest

from bench.statistics import main as statistics

cleanfid = pytest.importorskip("cleanfid")
fid = pytest.importorskip("cleanfid.fid")


def test_clean_fid_itself_reads_our_statistics(tmp_path, monkeypatch):
    rows = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    np.save(tmp_path / "real.npy", rows)
    words = ["dataset=features", f"dataset.path={tmp_path}/real.npy", "backbone=[precomputed]"]
    (tmp_path / "stats").mkdir()  # where clean-fid looks, beside its own code
    out = tmp_path / "stats" / "mine_clean_custom_na.npz"
    statistics([*words, "layout=clean_fid", f"out={out}"])

    monkeypatch.setattr(cleanfid, "__file__", str(tmp_path / "__init__.py"))
    assert fid.test_stats_exists("mine", "clean")  # else it would be downloaded
    mean, covariance = fid.get_reference_statistics("mine", "na", mode="clean", split="custom")
    wide = rows.astype(np.float64)
    assert np.allclose(mean, wide.mean(axis=0), rtol=0, atol=1e-12)
    assert np.allclose(covariance, np.cov(wide, rowvar=False), rtol=0, atol=1e-12)
    assert fid.frechet_distance(mean, covariance, mean, covariance) == pytest.approx(0, abs=1e-6)
