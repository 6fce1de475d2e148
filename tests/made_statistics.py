"""Made-up statistics files for tests: what other tools write, with random values."""

import pickle

import numpy as np

from bench.datasets.statistics import Statistics

WIDTH, SPATIAL = 6, 5


def rows(count, *, seed, width=WIDTH):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


REAL, REAL_SPATIAL = rows(300, seed=0), rows(300, seed=1, width=SPATIAL)
FAKE, FAKE_SPATIAL = rows(90, seed=2) + 0.3, rows(90, seed=3, width=SPATIAL)


def moments_of(features, names=("mu", "sigma")):
    """As every peer does it: np.mean and np.cov of float64."""
    wide = features.astype(np.float64)
    return dict(zip(names, (wide.mean(axis=0), np.cov(wide, rowvar=False)), strict=True))


POOLED = moments_of(REAL)
SPATIAL_MOMENTS = moments_of(REAL_SPATIAL, ("mu_s", "sigma_s"))
IMAGES = np.random.default_rng(4).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)


def write(folder, layout):
    path = folder / ("stats.pkl" if layout == "edm2" else "stats.npz")
    if layout == "edm2":
        path.write_bytes(pickle.dumps({"num_images": 300, "fid": POOLED}, protocol=4))
    elif layout == "adm":
        np.savez(path, arr_0=IMAGES, **POOLED, **SPATIAL_MOMENTS)
    else:
        save = np.savez if layout == "edm" else np.savez_compressed
        save(path, **POOLED)
    return path


def opened(path, *, manifests=None, **options):
    return Statistics(path=str(path), **{"backbone": "precomputed"} | options).open(
        "reference", manifests=manifests or path.parent
    )
