"""What metrics may ask for: made once, shared, and named where it is missing."""

import json

import numpy as np
import pytest
import torch

import metrics.neighbourhood
from bench.cache import FeatureCache
from bench.errors import ConfigError, DatasetError, UndefinedError
from bench.feature_set import FeatureSet
from bench.fitted import Fitted
from bench.inputs import Inputs, check_input_names, sides_of, wants_spatial
from metrics.fid import Fid
from metrics.image_statistics import ImageStatistics
from metrics.prdc import Prdc
from metrics.sfid import Sfid


def side(*, rows=20, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return FeatureSet(torch.randn(rows, 4, generator=rng))


def inputs(**options):
    return Inputs({"real": side, "fake": lambda: side(seed=1)}, seed=0, **options)


def test_neighbour_metrics_share_one_pass(measure, small, monkeypatch):
    seen = []
    whole = metrics.neighbourhood.tiles
    spy = lambda a, b: (seen.append(1), whole(a, b))[1]  # noqa: E731
    monkeypatch.setattr(metrics.neighbourhood, "tiles", spy)
    measure(*small, "metrics=[authenticity,precision_recall,prdc,rarity,realism]")
    assert len(seen) == 1


def test_sharing_changes_no_score(measure, small, tmp_path):
    _, together = measure(*small, "metrics=[precision_recall,prdc,rarity]")
    for line in together.lines:
        words = (f"metrics=[{line.metric}]", f"paths.results={tmp_path}/{line.metric}")
        _, alone = measure(*small, *words)
        assert alone.lines[0].scores == line.scores and alone.lines[0].state == "done"


def test_metrics_say_which_sides_must_be_extracted():
    assert sides_of(Fid().compute) == sides_of(Prdc().compute) == {"real", "fake"}
    assert sides_of(ImageStatistics().compute) == set()
    assert sides_of(Sfid().compute) == {"real", "fake"} and wants_spatial(Sfid().compute)
    assert not wants_spatial(Fid().compute)


def test_every_input_of_every_metric_is_known():
    check_input_names("prdc", Prdc().compute)
    with pytest.raises(ConfigError, match="asks for 'fakes'"):
        check_input_names("mine", lambda *, fakes: {})


def test_images_are_scored_once_whatever_the_backbones(measure, small, tmp_path):
    words = ["metrics=[image_statistics,fid]", "backbone=[resnet18_random,efficientnet_lite0]"]
    _, report = measure(*(word for word in small if not word.startswith("backbone=")), *words)
    cells = [(line.backbone, line.metric) for line in report.lines]
    assert cells.count(("pixels", "image_statistics")) == 1 and len(cells) == 3
    (path,) = (tmp_path / "results").rglob("pixels/image_statistics-*.json")
    record = json.loads(path.read_text())
    assert record["backbone"] == {"name": "pixels", "config": {}}
    assert set(record["scores"]) == set(ImageStatistics.scores)
    assert 0 < record["scores"]["brightness"]["value"] < 255


def test_images_of_a_live_generator_end_at_the_protocols_count(measure, small, tmp_path):
    words = ["metrics=[image_statistics]", "generator=dcgan_digits", "protocol.num_fake=20"]
    _, report = measure(*small, *words)
    assert report.lines[0].state == "done"
    (table,) = (tmp_path / "results").rglob("image_statistics-*.images.csv")
    assert len(table.read_text().splitlines()) == 21


def test_a_fit_is_not_reused_where_features_are_extracted_in_another_way(
    measure, small, tmp_path, monkeypatch
):
    words = [*small, "metrics=[alpha_precision]", "metrics.alpha_precision.embedding=one_class"]
    for version in (1, 2):
        monkeypatch.setattr("bench.features.EXTRACTION_VERSION", version)
        measure(*words, "metrics.alpha_precision.one_class.epochs=1")
    assert len(list((tmp_path / "home").rglob("fitted/**/*.safetensors"))) == 2


def test_image_metrics_refuse_features():
    with pytest.raises(UndefinedError, match="needs images, and only features were given"):
        inputs().gather("image_statistics", ImageStatistics().compute)


def test_spatial_features_are_named_where_they_are_missing():
    with pytest.raises(UndefinedError, match="spatial features, and the real side has none"):
        inputs().gather("sfid", Sfid().compute)


def test_sfid_measures_the_spatial_map_of_inception(measure, tmp_path):
    words = ["protocol.num_real=6", "protocol.num_fake=6", "batch_size=6", "metrics=[sfid]"]
    _, report = measure(*words, "backbone=[inception]", "backbone.inception.weights=random")
    (line,) = report.lines
    assert line.state == "done" and line.scores["sfid"] > 0
    from models.backbones import load

    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    assert load("inception", weights="random")(images).spatial.shape == (2, 17 * 17 * 7)


def test_a_fit_is_made_once_for_one_real_side_and_settings(tmp_path):
    made = []

    def fit():
        made.append(1)
        return {"weight": torch.arange(6.0).reshape(2, 3), "centre": torch.tensor(2.5)}

    cache = FeatureCache(tmp_path)
    for _ in range(2):
        found = Fitted(cache, {"real": "a"})({"epochs": 3}, fit)
        assert torch.equal(found["weight"], torch.arange(6.0).reshape(2, 3))
        assert found["centre"].item() == 2.5
    assert len(made) == 1
    Fitted(cache, {"real": "b"})({"epochs": 3}, fit)
    Fitted(cache, {"real": "a"})({"epochs": 4}, fit)
    assert len(made) == 3


def test_the_first_whole_fit_counts_where_two_jobs_differ(tmp_path):
    one = Fitted(FeatureCache(tmp_path), {"real": "a"})

    def slower():
        one({"epochs": 3}, lambda: {"weight": torch.zeros(2)})  # another job is faster
        return {"weight": torch.ones(2)}

    assert one({"epochs": 3}, slower)["weight"].tolist() == [0, 0]


def test_one_class_embedding_is_cached_between_runs(measure, small, tmp_path):
    words = [*small, "metrics=[alpha_precision]", "metrics.alpha_precision.embedding=one_class"]
    _, first = measure(*words, "metrics.alpha_precision.one_class.epochs=2")
    assert first.lines[0].state == "done"
    fits = list((tmp_path / "home").rglob("fitted/**/*.safetensors"))
    assert len(fits) == 1
    again = [
        *words,
        "metrics.alpha_precision.one_class.epochs=2",
        "metrics.alpha_precision.levels=20",
    ]
    _, second = measure(*again)
    assert np.isfinite(second.lines[0].scores["beta_recall"])
    assert list((tmp_path / "home").rglob("fitted/**/*.safetensors")) == fits


def test_only_backbones_with_a_map_are_extracted_anew_for_it(measure, small, tmp_path):
    measure(*small, "metrics=[fid]")
    parts = sorted((tmp_path / "home").rglob("features/**/*.safetensors"))
    _, report = measure(*small, "metrics=[fid,sfid]")
    assert "spatial features" in report.lines[1].reason and report.lines[1].code == 5
    assert sorted((tmp_path / "home").rglob("features/**/*.safetensors")) == parts


def test_a_metric_of_held_out_images_says_what_to_type():
    with pytest.raises(DatasetError, match=r"dataset\.holdout=FILE"):
        inputs().gather("fld", lambda *, holdout: {})
