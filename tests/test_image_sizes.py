"""Samples of another size than the reference are scored, and told."""

from pathlib import Path

import numpy as np

from bench.records import read_record, record_paths


def test_samples_of_another_size_are_scored_with_a_warning_and_a_flag(
    measure, small, tmp_path, caplog
):
    for side, size in (("real", 8), ("fake", 6)):
        pixels = np.random.default_rng(size).integers(0, 256, (120, size, size, 3), dtype=np.uint8)
        np.save(tmp_path / f"{side}.npy", pixels)
    words = ["dataset=npy", f"dataset.path={tmp_path}/real.npy", "metrics=[fid]"]
    measure(*small, *words, "generator=npy", f"generator.path={tmp_path}/fake.npy")
    assert read_record(next(record_paths(tmp_path / "results"))).flags["fake.other_size"] == 1
    assert "real images are 8 x 8, generated ones 6 x 6" in caplog.text
    same = tmp_path / "same"
    words += ["generator=npy", f"generator.path={tmp_path}/real.npy", f"paths.results={same}"]
    _, report = measure(*small, *words)
    assert "fake.other_size" not in read_record(Path(report.lines[0].record)).flags
