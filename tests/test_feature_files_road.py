"""The pinned road for people who already have features: every feature metric, by the command."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

METRICS = Path(__file__).parents[1] / "conf" / "metrics"
NEEDS_IMAGES = {"image_statistics"}
NAMES = sorted({path.stem for path in METRICS.glob("*.yaml")} - NEEDS_IMAGES)
PINNED = {
    "alpha_precision": ["alpha_precision", "authenticity_published", "beta_recall"],
    "authenticity": ["authenticity"],
    "class_accuracy": ["top1", "top5"],
    "class_fid": ["class_fid"],
    "cmmd": ["cmmd", "cmmd_unbiased"],
    "data_copying": ["c_t"],
    "fid": ["fid"],
    "fid_infinity": ["fid_infinity"],
    "fld": ["fld", "fld_gap"],
    "inception_score": ["is_mean", "is_std"],
    "kid": ["kid"],
    "kid_subsets": ["kid_mean", "kid_std"],
    "mifid": ["mifid"],
    "prd": ["f1_8", "f8"],
    "prdc": ["coverage", "density", "precision", "recall"],
    "precision_recall": ["precision", "recall"],
    "rarity": ["defined_fraction", "max", "mean", "median"],
    "realism": ["mean"],
    "sfid": ["sfid"],
    "sliced_wasserstein": ["sw"],
    "trend": ["trend"],
    "vendi": ["vendi_q1", "vendi_q2", "vendi_qinf"],
}
CURVES = {"alpha_precision": 2, "class_fid": 1, "fid_infinity": 1, "prd": 1, "trend": 1}


def write_side(path, *, count, seed):
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    np.savez(
        path,
        features=np.abs(draw.normal(size=(count, 6))).astype(np.float32),
        logits=(3 * np.eye(7)[labels] + draw.normal(size=(count, 7))).astype(np.float32),
        labels=labels,
        spatial=draw.normal(size=(count, 5)).astype(np.float32),
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Metric -> its record, all measured by one command."""
    folder = tmp_path_factory.mktemp("features")
    for seed, (name, count) in enumerate({"real": 150, "fake": 120, "holdout": 130}.items()):
        write_side(folder / f"{name}.npz", count=count, seed=seed)
    words = [
        "score",
        "dataset=features",
        f"dataset.path={folder}/real.npz",
        f"dataset.holdout={folder}/holdout.npz",
        "generator=features",
        f"generator.path={folder}/fake.npz",
        "backbone=precomputed",
        f"metrics=[{','.join(NAMES)}]",
        "metrics.fld.epochs=2",
        "metrics.prd.runs=2",
        f"paths.results={folder}/out",
    ]
    environment = os.environ | {"SALON_HOME": str(folder), "OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-m", "bench", *words]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    paths = (folder / "out" / "runs").rglob("*.json")
    return {json.loads(path.read_text())["metric"]["name"]: path for path in paths}


def test_every_metric_of_features_is_pinned_here():
    assert sorted(PINNED) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_command_records_the_pinned_names(name, records):
    record = json.loads(records[name].read_text())
    assert sorted(record["scores"]) == PINNED[name]
    assert OmegaConf.load(METRICS / f"{name}.yaml")[name]["_target_"]
    for entry in record["scores"].values():
        assert (entry["value"] is None) == bool(entry["undefined"])
        assert bool(entry["interval"]) == bool(entry["interval_method"])


@pytest.mark.parametrize("name", NAMES)
def test_what_lies_beside_the_record_is_complete(name, records):
    record = json.loads(records[name].read_text())
    curves = [role for role in record["artifacts"] if role.startswith("curve.")]
    assert len(curves) == CURVES.get(name, 0)
    for known in record["artifacts"].values():
        rows = list(csv.DictReader((records[name].parent / known["file"]).open()))
        assert len(rows) > 1
    if "images" in record["artifacts"]:
        sides = {row["side"] for row in read_images(records[name])}
        assert sides <= {"real", "fake"}


def read_images(record):
    file = json.loads(record.read_text())["artifacts"]["images"]["file"]
    return list(csv.DictReader((record.parent / file).open()))


@pytest.mark.parametrize("name", ["prdc", "precision_recall", "rarity", "realism", "authenticity"])
def test_fakes_name_their_nearest_real_image(name, records):
    rows = read_images(records[name])
    near = {row["image"]: row["nearest_real"] for row in rows if row["side"] == "fake"}
    other = {
        row["image"]: row["nearest_real"]
        for row in read_images(records["authenticity"])
        if row["side"] == "fake"
    }
    assert len(near) == 120 and near == other
    assert all(0 <= int(index) < 150 for index in near.values())


def test_influences_give_the_standard_error_of_the_record(records):
    record = json.loads(records["fid"].read_text())
    sides = {"real": [], "fake": []}
    for row in read_images(records["fid"]):
        sides[row["side"]].append(float(row["fid_influence"]))
    squared = sum(np.var(values, ddof=1) / len(values) for values in sides.values())
    assert record["scores"]["fid"]["standard_error"] == pytest.approx(squared**0.5, rel=1e-6)
