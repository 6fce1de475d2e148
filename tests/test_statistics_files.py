"""Statistics files of every layout as the reference of a job."""

import json

import numpy as np
import pytest
import torch
from made_statistics import (
    FAKE,
    FAKE_SPATIAL,
    IMAGES,
    POOLED,
    REAL,
    REAL_SPATIAL,
    moments_of,
    opened,
    rows,
    write,
)

from bench.composed import composed
from bench.errors import ConfigError, DatasetError
from bench.feature_set import FeatureSet
from bench.inputs import Inputs
from bench.prepare import prepare
from bench.records import read_record, record_paths
from metrics.fid import frechet_distance
from metrics.sfid import sfid


@pytest.fixture
def fakes(tmp_path):
    np.savez(tmp_path / "fake.npz", features=FAKE, spatial=FAKE_SPATIAL)
    return [
        *("generator=features", f"generator.path={tmp_path}/fake.npz", "backbone=[precomputed]"),
        *("dataset=statistics", "dataset.backbone=precomputed"),
    ]


@pytest.mark.parametrize("layout", ["adm", "edm", "edm2", "clean_fid", "pytorch_fid"])
def test_every_layout_gives_the_fid_of_the_features(layout, tmp_path, measure, fakes):
    path = write(tmp_path, layout)
    _, report = measure(*fakes, f"dataset.path={path}", "metrics=[fid]")
    expected = frechet_distance(real=torch.from_numpy(REAL), fake=torch.from_numpy(FAKE))
    assert report.lines[0].scores["fid"] == pytest.approx(expected, rel=1e-10)
    (record,) = map(read_record, record_paths(tmp_path / "results"))
    assert record.num_real == (300 if layout == "edm2" else None)
    assert record.flags["reference.moments_of_unknown_origin"] == 1
    assert record.identities["reference"]["origin"] == "unknown"
    assert record.comparison["dataset"]["reference"] == "moments"


def test_the_same_moments_are_one_reference_in_whatever_file(tmp_path):
    found = {opened(write(tmp_path, layout)).content()["fingerprint"] for layout in ("edm", "edm2")}
    assert len(found) == 1


def test_float32_moments_are_read(tmp_path):
    path = tmp_path / "single.npz"
    np.savez(path, **{name: array.astype(np.float32) for name, array in POOLED.items()})
    assert opened(path).pooled.covariance.dtype == torch.float64


def test_sfid_takes_adms_spatial_moments(tmp_path, measure, fakes):
    path = write(tmp_path, "adm")
    _, report = measure(*fakes, f"dataset.path={path}", "metrics=[sfid]")
    sides = (torch.from_numpy(side) for side in (REAL_SPATIAL, FAKE_SPATIAL))
    expected = sfid(**dict(zip(("real_spatial", "fake_spatial"), sides, strict=True)))
    assert report.lines[0].scores["sfid"] == pytest.approx(expected, rel=1e-10)


def test_sfid_without_spatial_moments_says_what_is_missing(tmp_path, measure, fakes):
    _, report = measure(*fakes, f"dataset.path={write(tmp_path, 'edm')}", "metrics=[sfid]")
    assert report.lines[0].code == 5 and "mu_s and sigma_s" in report.lines[0].reason


def test_metrics_of_rows_are_refused_by_name_and_lose_no_other(tmp_path, measure, fakes):
    path = write(tmp_path, "edm")
    metrics = "metrics=[kid,precision_recall,fid]"
    _, report = measure(*fakes, f"dataset.path={path}", metrics)
    by_name = {line.metric: line for line in report.lines}
    assert report.code == 5 and by_name["fid"].state == "done"
    for name in ("kid", "precision_recall"):
        assert "fid and sfid need no more" in by_name[name].reason
        assert "dataset.images=true" in by_name[name].reason


def test_a_refused_metric_starts_no_extraction():
    def extracted():
        raise AssertionError("the fakes were extracted")

    inputs = Inputs({"fake": extracted}, seed=0)
    with pytest.raises(Exception, match="a mean and a covariance alone"):
        inputs.gather("mine", lambda *, fake, real: {})


def test_moments_are_no_input_where_the_reference_is_features():
    inputs = Inputs({"real": lambda: FeatureSet(torch.zeros(2, 2))}, seed=0)
    with pytest.raises(Exception, match="the reference has none"):
        inputs.gather("mine", lambda *, real_moments: {})


def test_adms_images_serve_the_metrics_that_need_rows(tmp_path, measure):
    path = tmp_path / "adm.npz"
    pooled = moments_of(rows(600, seed=5, width=512))
    np.savez(path, arr_0=IMAGES, **pooled)
    np.save(tmp_path / "samples.npy", IMAGES[:10])
    words = [
        *("dataset=statistics", f"dataset.path={path}", "dataset.backbone=resnet18_random"),
        *("generator=npy", f"generator.path={tmp_path}/samples.npy", "dataset.images=true"),
        *("backbone=[resnet18_random]", "backbone.resnet18_random.resolution=32"),
        *("metrics=[fid,precision_recall]", "dataset.count=600"),
    ]
    _, report = measure(*words)
    assert report.code == 0, report.reasons()
    found = {r.metric["name"]: r for r in map(read_record, record_paths(tmp_path / "results"))}
    assert (found["fid"].num_real, found["precision_recall"].num_real) == (600, 12)
    assert "reference" in found["fid"].identities
    assert "reference" not in found["precision_recall"].identities
    assert (
        found["precision_recall"].scores["precision"]["value"] == 1.0
    )  # fakes are among the reals


def test_images_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="holds no images"):
        opened(write(tmp_path, "edm"), images=True)


def test_the_network_must_be_stated_where_the_file_does_not_say(tmp_path):
    with pytest.raises(ConfigError, match=r"type dataset\.backbone=inception"):
        opened(write(tmp_path, "edm"), backbone=None)


def test_another_backbone_than_the_stated_one_is_refused(tmp_path, measure, fakes):
    path = write(tmp_path, "edm")
    words = [*fakes[:-1], "dataset.backbone=inception", f"dataset.path={path}", "metrics=[fid]"]
    _, report = measure(*words)
    (line,) = report.lines
    assert line.code == 3 and "said to be of inception" in line.reason


def test_a_backbone_of_another_width_is_refused_before_any_work(tmp_path, measure, small):
    path = write(tmp_path, "edm")
    words = ["dataset=statistics", f"dataset.path={path}", "dataset.backbone=resnet18_random"]
    _, report = measure(
        *small[:2], *words, "generator=npz", f"generator.path={write_images(tmp_path)}"
    )
    assert {line.code for line in report.lines} == {3}
    assert "moments of 6 features, and backbone resnet18_random gives 512" in report.lines[0].reason


def write_images(folder):
    np.savez(folder / "samples.npz", arr_0=IMAGES)
    return folder / "samples.npz"


def test_config_and_file_must_not_contradict_each_other(tmp_path):
    with pytest.raises(ConfigError, match=r"dataset\.count=50000, but .* says 300"):
        opened(write(tmp_path, "edm2"), count=50000)


@pytest.mark.parametrize("options", [{"ddof": 2}, {"count": 1}, {"count": 0, "ddof": 0}])
def test_counts_and_divisors_that_cannot_be_are_refused(options, tmp_path):
    with pytest.raises(ConfigError, match="expected ddof 0 or 1"):
        opened(write(tmp_path, "edm"), **options)


def test_a_protocols_count_must_be_the_files(tmp_path, fakes):
    path = write(tmp_path, "edm")
    words = [*fakes, f"dataset.path={path}", "metrics=[fid]", "protocol.num_real=50"]
    with pytest.raises(ConfigError, match=r"type dataset\.count=N"):
        prepare(composed("score", words))
    with pytest.raises(DatasetError, match="are of 300 images"):
        prepare(composed("score", [*words, "dataset.count=300"]))
    assert prepare(composed("score", [*words, "dataset.count=50"])).num_real == 50


def test_a_live_generator_needs_a_count(tmp_path):
    path = tmp_path / "wide.npz"
    np.savez(path, **moments_of(rows(600, seed=5, width=512)))
    words = ["dataset=statistics", f"dataset.path={path}", "dataset.backbone=resnet18_random"]
    words += ["dataset.name=digits", "generator=dcgan_digits", "backbone=[resnet18_random]"]
    with pytest.raises(ConfigError, match=r"protocol\.num_fake=N"):
        prepare(composed("score", words))


def test_moments_are_no_fake_side(tmp_path, fakes):
    words = [*fakes[3:], "generator=copycat", f"dataset.path={write(tmp_path, 'edm')}"]
    with pytest.raises(ConfigError, match="moments alone"):
        prepare(composed("score", [*words, "backbone=[precomputed]"]))


def test_the_records_of_unknown_counts_make_a_leaderboard(tmp_path, measure, fakes, salon):
    """Two generators: their tables hold no reference images, and that is no fault."""
    words = (*fakes[2:], f"dataset.path={write(tmp_path, 'edm')}", "metrics=[fid]")
    for name, shift in (("near", 0.0), ("far", 0.5)):
        np.save(tmp_path / f"{name}.npy", FAKE + np.float32(shift))
        measure(*words, "generator=features", f"generator.path={tmp_path}/{name}.npy")
    done = salon("leaderboard", f"paths.results={tmp_path}/results", "name=x", "strict=true")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "compared as independent" not in done.stdout + done.stderr
    (board,) = json.loads((tmp_path / "results/leaderboards/x.json").read_text())["boards"]
    assert board["num_real"] is None and len(board["rows"]) == 2


def test_provenance_and_where_the_file_lay_are_told_apart(tmp_path, measure, fakes):
    words = "dataset.provenance='published by the authors, 2021'"
    measure(*fakes, f"dataset.path={write(tmp_path, 'edm')}", "metrics=[fid]", words)
    (path,) = record_paths(tmp_path / "results")
    assert read_record(path).dataset["config"]["provenance"] == "published by the authors, 2021"
    assert str(tmp_path) not in path.read_text()
