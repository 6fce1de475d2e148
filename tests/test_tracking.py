"""Tracking: an offline run holds what the records hold; trouble costs one warning."""

import io
import logging

import pytest
from made_records import beside, record, score, store
from omegaconf import OmegaConf
from PIL import Image
from wandb_file import OfflineRun

from bench.beside import described
from bench.composed import composed
from bench.job import measured_line
from bench.records import read_record, record_paths
from bench.report import Line, Report
from bench.track import main as track
from bench.tracking import mirror, readable
from bench.wandb_run import runs_of

INTERVAL = {"standard_error": 0.5, "interval": [0.25, 2.25], "interval_method": "jackknife"}
PATIENT = "tracking.timeout=120"  # of a busy machine; nothing here waits for a server


@pytest.fixture(autouse=True)
def no_login(monkeypatch, tmp_path):
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL", "SALON_SWEEP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))


@pytest.fixture
def results(tmp_path):
    """Two records of one generator with a picture, per-image scores and a curve."""
    near = tmp_path / "runs" / "digits" / "gan" / "net"
    near.mkdir(parents=True)
    picture = io.BytesIO()
    Image.new("RGB", (12, 8), (200, 10, 30)).save(picture, "PNG")
    images = b"image,side,rarity,x_influence\n1,real,,2\n7,fake,0.5,\n8,fake,1.5,\n9,fake,inf,\n"
    files = {
        "grid": ("grid.png", picture.getvalue()),
        "images": ("prd.images.csv", images),
        "curve.prd": ("prd.prd.csv", b"precision,recall\n0.0,1.0\n1.0,0.25\n"),
    }
    artifacts = beside(near, **files)
    generator = {"api_key": "k3y", "url": "https://me:pw@host/g.pt?sig=s1g"}
    scores = {"fid": score(1.25, **INTERVAL)}
    store(
        tmp_path,
        record(scores=scores, config=generator, artifacts={"grid": artifacts["grid"]}),
        record(metric="prd", scores={"prd": 0.5}, config=generator, artifacts=artifacts),
    )
    return tmp_path


def report_of(results):
    names = ("digits", "gan", "net", "fid")
    return Report([measured_line(names, "done", read_record(p), p) for p in record_paths(results)])


def tracked_live(results, *words):
    config = composed("score", ["tracking=wandb", f"paths.results={results}", PATIENT, *words])
    mirror(config, report_of(results), results / "logs" / "the-run" / "3")


def test_an_offline_run_holds_config_scores_images_and_plots(results, caplog, monkeypatch):
    monkeypatch.setenv("SOME_SECRET", "env1ronment")
    caplog.set_level(logging.INFO)
    tracked_live(results)
    assert caplog.text.count("no wandb login, so offline") == 1 and "failed" not in caplog.text
    found = OfflineRun(results / "logs")
    assert (found.run.project, found.run.run_group, found.run.job_type) == (
        *("salon", "the-run", "score"),
    )
    assert found.exit_code == 0 and found.run.display_name == "digits/gan"
    assert {"digits", "gan", "demo", "net"} == set(found.run.tags)
    assert found.config["metrics"]["fid"] == {"k": 5} and found.config["seed"] == 0
    assert found.config["generator"] == {"name": "gan", "url": "https://host/g.pt"}
    for secret in (b"k3y", b"me:pw", b"s1g", b"env1ronment"):
        assert secret not in found.bytes

    summary = {key[0]: value for key, value in found.summary.items() if len(key) == 1}
    assert summary["net/fid.fid"] == 1.25 and summary["net/fid.fid.standard_error"] == 0.5
    assert (summary["net/fid.fid.low"], summary["net/fid.fid.high"]) == (0.25, 2.25)
    columns, rows = found.table("scores")
    assert dict(zip(columns, rows[0], strict=True))["interval_method"] == "jackknife"

    (picture,) = found.folder.glob("files/media/images/*.png")
    assert Image.open(picture).convert("RGB").getpixel((3, 3)) == (200, 10, 30)
    assert found.history["images", "_type"] == "images/separated"

    columns, rows = found.table("per_image/net/prd")
    assert columns == ["image", "side", "rarity"]
    assert rows[:2] == [["1", "real", None], ["7", "fake", 0.5]]
    assert sum(found.history["histogram/net/prd.rarity.fake", "values"]) == 2  # inf has no bin
    columns, rows = found.table("curve/net/prd.prd.recall_table")
    assert columns == ["precision", "recall"] and rows == [[0.0, 1.0], [1.0, 0.25]]


def test_tracking_from_records_renews_the_run_of_the_job(results, capsys):
    tracked_live(results)
    live = OfflineRun(results / "logs")
    report_of(results).write(results / "logs" / "the-run" / "3")
    assert track([str(results), PATIENT]) == 0
    again = OfflineRun(results / "logs")  # still one folder
    assert again.folder != live.folder and again.run.run_id == live.run.run_id
    assert not (results / "logs" / "wandb" / "artifacts").exists()  # nothing grows beside them
    assert again.config == live.config and again.run.run_group == "the-run"
    scores = [{k: v for k, v in r.summary.items() if "net/" in k[0][:4]} for r in (live, again)]
    assert scores[0] == scores[1] and len(scores[0]) == 5
    assert "1 runs of 2 records" in capsys.readouterr().out


def test_disabled_tracking_leaves_no_file(results):
    tracked_live(results, "tracking.mode=disabled")
    assert not (results / "logs").exists()


def test_a_broken_mirror_costs_one_warning(results, caplog):
    config = composed("score", ["tracking=wandb", f"paths.results={results}"])
    OmegaConf.update(config, "tracking.mode", "nonsense")
    mirror(config, report_of(results), results)
    assert caplog.text.count("tracking failed") == 1 and "records are stored" in caplog.text


def test_a_job_without_records_is_not_tracked(tmp_path):
    config = composed("score", ["tracking=wandb", f"paths.results={tmp_path}"])
    mirror(config, Report([Line("digits", "g", "b", "fid", "failed")]), tmp_path)
    assert not (tmp_path / "logs").exists()


def test_a_record_that_is_none_is_not_tracked_and_named(tmp_path, caplog):
    store(tmp_path, record("good"), record("foreign", num_fake=0))
    found = readable(list(record_paths(tmp_path)))
    assert [item.generator["name"] for item in found.values()] == ["good"]
    assert "not tracked: " in caplog.text and "counts no images" in caplog.text


def test_no_tracking_does_nothing(results, caplog):
    mirror(composed("score", []), report_of(results), results)
    assert caplog.text == "" and not (results / "logs").exists()


@pytest.mark.parametrize("change", [None, b"x,y\n1,2\n"])
def test_a_file_that_is_not_what_its_record_says_is_not_mirrored(results, caplog, change):
    table = next(results.glob("runs/**/prd.images.csv"))
    table.unlink() if change is None else table.write_bytes(change)
    records = {path: read_record(path) for path in record_paths(results)}
    (run,) = runs_of(records, {}, "g")
    assert not run.tables and run.curves and run.pictures
    assert "its images file" in caplog.text


def test_a_file_outside_the_folder_is_not_mirrored(tmp_path):
    store(tmp_path, record(artifacts={"images": "secret.csv", "grid": described("../a.png", b"a")}))
    records = {path: read_record(path) for path in record_paths(tmp_path)}
    (run,) = runs_of(records, {}, "g")
    assert not run.tables and not run.pictures
