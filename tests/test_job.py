"""One job from config to records, on real input."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench import job
from bench.beside import read_artifact
from bench.composed import composed
from bench.errors import ConfigError, DatasetError, IncompatibleError
from bench.failure_record import failure_path
from bench.prepare import prepare
from bench.records import read_record, record_paths, write_record
from metrics.fid import frechet_distance
from metrics.prdc import prdc
from models.backbones.random_projector import RandomProjector


def records(tmp_path):
    return {
        path.stem.split("-")[0]: read_record(path) for path in record_paths(tmp_path / "results")
    }


def test_a_job_writes_one_record_per_metric(measure, small, tmp_path):
    _, report = measure(*small, "metrics=[fid,kid,rarity]")
    assert report.code == 0 and [line.state for line in report.lines] == ["done"] * 3
    found = records(tmp_path)
    assert found.keys() == {"fid", "kid", "rarity"}
    record = found["kid"]
    assert (record.num_real, record.num_fake, record.seed) == (120, 100, 0)
    assert record.scores["kid"]["better"] == "lower" and record.scores["kid"]["interval"]
    assert record.dataset["name"] == "digits" and record.generator["config"]["control"] is True
    assert record.environment["packages"]["torch"] == torch.__version__.split("+")[0]
    assert record.flags["fake.grey"] > 0


def test_records_hold_no_path_of_this_machine(measure, small, tmp_path):
    measure(*small, "metrics=[fid]", "generator=dcgan_digits")
    for path in record_paths(tmp_path / "results"):
        assert str(Path.home()) not in path.read_text() and str(tmp_path) not in path.read_text()


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["sampler=truncated", "sampler.threshold=0.5"], {"threshold": 0.5}),
        ([], {}),
    ],
)
def test_a_record_of_drawn_images_holds_its_sampler(measure, small, tmp_path, words, kept):
    measure(*small, "metrics=[fid]", "generator=dcgan_digits", *words)
    sampler = records(tmp_path)["fid"].generator["sampler"]
    assert {key: value for key, value in sampler.items() if key != "_target_"} == kept


def test_a_record_of_stored_images_has_no_sampler(measure, small, tmp_path):
    measure(*small, "metrics=[fid]", "generator=holdout", "sampler=truncated")
    assert "sampler" not in records(tmp_path)["fid"].generator


def test_a_second_run_reuses_every_record_and_changes_no_byte(measure, small, tmp_path):
    measure(*small, "metrics=[fid,prdc]")
    before = {p: p.read_bytes() for p in record_paths(tmp_path / "results")}
    _, report = measure(*small, "metrics=[fid,prdc]")
    assert [line.state for line in report.lines] == ["reused"] * 2
    assert before == {p: p.read_bytes() for p in record_paths(tmp_path / "results")}


def test_one_more_metric_changes_no_other_score(measure, small):
    _, alone = measure(*small, "metrics=[kid]")
    _, both = measure(*small, "metrics=[inception_score,kid]", "seed=0")
    assert alone.lines[0].scores == both.lines[1].scores


def test_another_seed_is_another_record_under_one_comparison_key(measure, small, tmp_path):
    for seed in (0, 1):
        measure(*small, "metrics=[fid]", "generator=dcgan_digits", f"seed={seed}")
    found = [read_record(path) for path in record_paths(tmp_path / "results")]
    assert len(found) == 2 and found[0].comparison_key == found[1].comparison_key
    assert found[0].scores["fid"]["value"] != found[1].scores["fid"]["value"]


def test_copycat_copies_the_drawn_reference_under_every_seed(measure, small):
    for seed in (0, 1):
        words = [w for w in small if not w.startswith("protocol.num_fake")]
        _, report = measure(*words, "metrics=[fid]", "generator=copycat", f"seed={seed}")
        assert report.lines[0].scores["fid"] < 1e-6


def test_one_broken_backbone_file_loses_no_other_backbone(measure, small, tmp_path):
    (tmp_path / "broken.safetensors").write_bytes(b"\0" * 100)
    words = [w for w in small if w != "backbone=[resnet18_random]"]
    _, report = measure(
        *("backbone=[efficientnet_lite0,resnet18_random]", *words, "metrics=[fid]"),
        f"backbone.efficientnet_lite0.weights={tmp_path}/broken.safetensors",
    )
    states = {line.backbone: line.state for line in report.lines}
    assert states == {"efficientnet_lite0": "failed", "resnet18_random": "done"}


def test_a_network_that_fails_with_anything_loses_no_other(measure, small, monkeypatch, caplog):
    tries = []

    def load(self, device):
        tries.append(device)
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(RandomProjector, "load", load)
    words = ("backbone=[random_projector,resnet18_random]", "metrics=[fid,kid]")
    job, report = measure(*small[1:], *words)
    assert {(line.backbone, line.state, line.reason) for line in report.lines} == {
        ("resnet18_random", "done", None),
        ("random_projector", "failed", "RuntimeError: CUDA out of memory"),
    }
    assert len(tries) == 2 and report.code == 1  # with the other one, by itself, and never again
    failed = [m for m in job.measurements if m.backbone == "random_projector"]
    paths = [failure_path(Path(job.settings.paths.results), m.key) for m in failed]
    assert not any(json.loads(path.read_text())["lasts"] for path in paths)
    first, second = (path.with_suffix(".txt").read_text() for path in paths)
    assert first == second and "in load" in first
    assert "RuntimeError: CUDA out of memory; each backbone by itself now" in caplog.text


def test_a_record_edited_by_hand_is_measured_anew(measure, small, tmp_path):
    _, before = measure(*small, "metrics=[fid]")
    (path,) = record_paths(tmp_path / "results")
    text = path.read_text()
    path.write_text(
        text.replace('"num_fake": 100,\n "num_real"', '"num_fake": 20000,\n "num_real"')
    )
    assert path.read_text() != text
    _, report = measure(*small, "metrics=[fid]")
    assert report.lines[0].state == "done"
    assert report.lines[0].scores == before.lines[0].scores


def test_duplicates_are_counted(measure, small, tmp_path):
    measure(*small, "metrics=[fid]", "generator=one_per_class")
    (path,) = record_paths(tmp_path / "results")
    assert read_record(path).flags["fake.duplicates"] >= 90


def test_a_damaged_record_is_set_aside_and_measured_anew(measure, small, tmp_path):
    measure(*small, "metrics=[fid]")
    (path,) = record_paths(tmp_path / "results")
    whole = json.loads(path.read_text())["scores"]
    path.write_text(path.read_text()[:200])
    _, report = measure(*small, "metrics=[fid]")
    assert report.lines[0].state == "done" and path.with_suffix(".damaged").exists()
    assert json.loads(path.read_text())["scores"] == whole


def test_a_record_that_cannot_be_read_just_now_loses_no_other(measure, small, tmp_path):
    measure(*small, "metrics=[fid]")
    (path,) = record_paths(tmp_path / "results")
    path.unlink()
    path.mkdir()  # as unreadable as on a disk that errs, for root too
    _, report = measure(*small, "metrics=[fid,image_statistics]")
    assert {line.metric: (line.state, line.code) for line in report.lines} == {
        "fid": ("failed", 6),
        "image_statistics": ("done", 0),
    }


def test_a_table_that_another_job_replaced_before_the_record_was_there_is_mended(
    measure, small, tmp_path, monkeypatch
):
    """Its last bits differ, and it has found no record yet."""

    def late(path, record):
        path.with_suffix(".images.csv").write_text("another job's")
        return write_record(path, record)

    monkeypatch.setattr(job, "write_record", late)
    measure(*small, "metrics=[rarity]")
    (path,) = record_paths(tmp_path / "results")
    assert read_artifact(path.parent, read_record(path).artifacts, "images")


def test_a_failing_metric_loses_no_other(measure, small):
    _, report = measure(*small, "metrics=[fid,prdc,kid]", "metrics.prdc.k=500")
    assert [line.state for line in report.lines] == ["done", "failed", "done"]
    assert report.code == 5 and "prdc" in report.reasons()


def test_a_backbone_without_weights_loses_no_other(measure, small):
    words = [w for w in small if w != "backbone=[resnet18_random]"]
    _, report = measure("backbone=[inception,resnet18_random]", *words, "metrics=[fid]")
    states = {line.backbone: line.state for line in report.lines}
    assert states == {"inception": "failed", "resnet18_random": "done"}
    assert report.code == 4 and "pt_inception-2015-12-05-6726825d.pth" in report.reasons()


def test_per_image_scores_lie_beside_the_record(measure, small):
    _, report = measure(*small, "metrics=[rarity]")
    record = Path(report.lines[0].record)
    artifacts = read_record(record).artifacts
    rows = list(csv.DictReader((record.parent / artifacts["images"]["file"]).open()))
    assert [row["side"] for row in rows] == ["real"] * 120 + ["fake"] * 100
    defined = [float(row["rarity"]) for row in rows if row["rarity"]]
    assert np.mean(defined) == pytest.approx(report.lines[0].scores["mean"])
    with Image.open(record.parent / artifacts["grid"]["file"]) as grid:
        assert grid.size == (48, 48)


def test_features_made_elsewhere_are_scored_alike(measure, tmp_path):
    draws = np.random.default_rng(0)
    real, fake = draws.normal(size=(90, 8)), draws.normal(0.2, 1, size=(80, 8))
    np.save(tmp_path / "real.npy", real)
    np.save(tmp_path / "fake.npy", fake.astype(np.float32))
    words = [
        *("dataset=features", f"dataset.path={tmp_path}/real.npy", "generator=features"),
        *(f"generator.path={tmp_path}/fake.npy", "backbone=[precomputed]", "metrics=[fid,prdc]"),
    ]
    _, report = measure(*words)
    scores = {line.metric: line.scores for line in report.lines}
    left, right = torch.from_numpy(real), torch.from_numpy(fake.astype(np.float32)).double()
    assert scores["fid"]["fid"] == pytest.approx(frechet_distance(real=left, fake=right), rel=1e-9)
    assert scores["prdc"] == prdc(real=left, fake=right)
    assert report.lines[0].dataset.startswith("real-")


def test_any_dataset_can_stand_in_for_the_generator(measure, small):
    job, report = measure(
        *small, "generator=dataset", "dataset@generator.source=digits", "metrics=[fid]"
    )
    assert job.generator == "digits-train" and report.code == 0


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (
            ["dataset=fashion_mnist", "generator=dcgan_digits"],
            IncompatibleError,
            "trained on digits",
        ),
        (["protocol.num_fake=5000"], DatasetError, "5000 fake images, found 900"),
        (["backbone=[precomputed]"], ConfigError, "features go with backbone=precomputed"),
        (["generator.name=a b/c"], ConfigError, "it becomes a folder"),
        (["batch_size=0"], ConfigError, "batch_size: found 0"),
        (["+seeed=1"], ConfigError, "did you mean seed"),
        (["+protocol.num_fakes=3"], ConfigError, "did you mean num_fake"),
        (["seed=-1"], ConfigError, "seed: found -1"),
        (["seed=abc"], ConfigError, "seed: Value 'abc'"),
        (["device=cuda:17"], ConfigError, "device=cuda:17"),
        (["metrics.fid.ddof=x"], ConfigError, r"metrics\.fid\.ddof"),
        (["protocol.backbones=[inception]"], ConfigError, "is defined for inception"),
    ],
)
def test_a_wrong_config_is_refused_before_any_work(words, error, message):
    with pytest.raises(error, match=message):
        prepare(composed("score", words))
