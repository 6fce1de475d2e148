"""`salon statistics layout=edm2`: a reference that EDM2 and salon read."""

import pickle

import numpy as np
import pytest
import scipy.linalg
import torch

from bench.datasets.statistics import Statistics
from bench.errors import ConfigError, DatasetError
from bench.feature_set import FeatureSet
from bench.statistics import main as statistics
from bench.statistics_file import Layout, contents, write
from models.backbone import Embedding


def rows(count, *, seed, width=6):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


REAL = {"inception": rows(200, seed=0), "dinov2_vitl14": rows(200, seed=1, width=4)}
ENTRIES = {"inception": "fid", "dinov2_vitl14": "fd_dinov2"}


def made(path, *names):
    """A reference of the named networks, with features made up."""
    known = {"dataset": {"name": "made"}, "protocol": "edm2"}
    found = {
        name: contents(
            FeatureSet(torch.from_numpy(REAL[name])),
            images=None,
            spatial=False,
            known=known | {"backbone_name": name, "backbone": {"architecture": name}},
        )
        for name in names
    }
    write(path, Layout.edm2, found)
    return path


def edm2_distance(entry, fake, path):
    """load_stats and calculate_metrics_from_stats of EDM2's calculate_metrics.py."""
    ref = pickle.loads(path.read_bytes())[entry]
    mu, sigma = fake.mean(axis=0), np.cov(fake, rowvar=False)
    gap = np.square(mu - ref["mu"]).sum()
    root = scipy.linalg.sqrtm(np.dot(sigma, ref["sigma"]))
    return float(np.real(gap + np.trace(sigma + ref["sigma"] - root * 2)))


def test_edm2_reads_what_the_command_writes(tmp_path, measure):
    fake, path = rows(90, seed=2) + 0.2, tmp_path / "ref.pkl"
    np.save(tmp_path / "real.npy", REAL["inception"])
    np.save(tmp_path / "fake.npy", fake)
    ready = ["dataset=features", f"dataset.path={tmp_path}/real.npy", "backbone=[precomputed]"]
    assert statistics([*ready, f"out={path}", "layout=edm2"]) == 0
    words = ["generator=features", f"generator.path={tmp_path}/fake.npy", "backbone=[precomputed]"]
    words += ["dataset=statistics", f"dataset.path={path}", "metrics=[fid]"]
    _, report = measure(*words)
    theirs = edm2_distance("fid", fake.astype(float), path)
    assert report.lines[0].scores["fid"] == pytest.approx(theirs, rel=1e-9)


def test_one_file_holds_both_networks_under_edm2s_names(tmp_path):
    content = pickle.loads(made(tmp_path / "ref.pkl", *REAL).read_bytes())
    assert content.keys() == {"num_images", "fid", "fd_dinov2"} and content["num_images"] == 200
    for name, entry in ENTRIES.items():
        wide = REAL[name].astype(float)
        np.testing.assert_allclose(content[entry]["mu"], wide.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(content[entry]["sigma"], np.cov(wide, rowvar=False), rtol=1e-12)


@pytest.mark.parametrize("name", REAL)
def test_each_entry_comes_back_with_its_network_and_count(name, tmp_path):
    path = made(tmp_path / "ref.pkl", *REAL)
    given = Statistics(path=str(path), key=ENTRIES[name]).open("reference", manifests=tmp_path)
    assert given.backbone == name and given.count == 200 and not given.flags
    given.check_backbone(name, {"architecture": name})
    with pytest.raises(DatasetError, match="architecture"):
        given.check_backbone(name, {"architecture": "another"})


class Told:
    """A backbone whose features are as many copies of the image's mean as it is wide."""

    def __init__(self, width):
        self.width = width

    def identity(self):
        return {"architecture": "told", "width": self.width}

    def load(self, device="cpu"):
        scale = torch.arange(1.0, self.width + 1)
        return lambda images: Embedding(images.float().mean(dim=(1, 2, 3))[:, None] * scale, None)


def test_both_networks_are_measured_in_one_command(tmp_path, monkeypatch, caplog):
    both = {"inception": Told(3), "dinov2_vitl14": Told(2)}
    monkeypatch.setattr("bench.statistics.read_backbones", lambda *_: both)
    words = ["dataset=digits", "protocol=edm2", f"backbone=[{','.join(both)}]", "layout=edm2"]
    words += [f"backbone.{name}.weights=random" for name in both]
    words += [f"out={tmp_path}/ref.pkl", f"paths.cache={tmp_path}/cache"]
    assert statistics([*words, "protocol.num_real=null"]) == 0
    for name, backbone in both.items():
        given = Statistics(path=f"{tmp_path}/ref.pkl", key=ENTRIES[name])
        given = given.open("reference", manifests=tmp_path)
        assert given.backbone == name and len(given.pooled.mean) == backbone.width
        given.check_backbone(name, backbone.identity())
    assert "dinov2_vitl14 has random weights, and edm2's own is trained" in caplog.text


def test_of_several_entries_one_must_be_named(tmp_path):
    path = made(tmp_path / "ref.pkl", *REAL)
    with pytest.raises(DatasetError, match=r"fid, fd_dinov2, found dataset\.key=None"):
        Statistics(path=str(path)).open("reference", manifests=tmp_path)


def test_changed_arrays_are_refused(tmp_path):
    path = made(tmp_path / "ref.pkl", "dinov2_vitl14")
    content = pickle.loads(path.read_bytes())
    content["fd_dinov2"]["mu"] = content["fd_dinov2"]["mu"] + 1e-9
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DatasetError, match="not those that salon wrote"):
        Statistics(path=str(path)).open("reference", manifests=tmp_path)


def test_the_same_reference_is_the_same_bytes(tmp_path):
    first, second = (made(tmp_path / f"{name}.pkl", *REAL).read_bytes() for name in "ab")
    assert first == second


def test_networks_that_edm2_lacks_and_other_pixels_are_refused(tmp_path):
    words = ["dataset=digits", f"out={tmp_path}/ref.pkl", "layout=edm2"]
    both = ["backbone=[inception,dinov2_vitl14]", "protocol=salon"]
    with pytest.raises(ConfigError, match="type protocol=edm2"):
        statistics([*words, *both])
    with pytest.raises(ConfigError, match="EDM2 has inception and dinov2_vitl14, found inception"):
        statistics([*words, "backbone=[inception,swin_b]"])
    assert not (tmp_path / "ref.pkl").exists()
