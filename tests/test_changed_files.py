"""Files that are overwritten while a job runs are refused, and nothing made of them is kept."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import Mean, extract
from PIL import Image
from safetensors.torch import load_file, save_file

from bench.composed import composed
from bench.datasets import arrays
from bench.datasets.arrays import ImageArray
from bench.datasets.folder import ImageFolder
from bench.datasets.zip import ImageZip
from bench.errors import CheckpointError, DatasetError
from bench.generators.checkpoint import Checkpoint
from bench.generators.damage import Blur, _DamagedSource
from bench.rows import RowsOf

OLD, NEW = (np.random.default_rng(n).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8) for n in (0, 1))


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def in_folder(place, images):
    place.mkdir(exist_ok=True)
    for number, image in enumerate(images):
        (place / f"{number}.png").write_bytes(png(image))
    return ImageFolder(path=str(place))


def in_zip(place, images):
    with zipfile.ZipFile(place.with_suffix(".new"), "w") as archive:
        for number, image in enumerate(images):
            archive.writestr(f"{number}.png", png(image))
    place.with_suffix(".new").replace(place)
    return ImageZip(path=str(place))


def in_npy(place, images):
    np.save(place.with_suffix(".new.npy"), images)
    place.with_suffix(".new.npy").replace(place)
    return ImageArray(path=str(place))


def in_npz(place, images):
    np.savez_compressed(place.with_suffix(".new.npz"), images)
    place.with_suffix(".new.npz").replace(place)
    return ImageArray(path=str(place))


KINDS = {"folder": in_folder, "a.zip": in_zip, "a.npy": in_npy, "a.npz": in_npz}


@pytest.fixture(params=KINDS)
def written(request, tmp_path):
    """Writes images of one kind, and gives their source."""

    def write(images):
        place = tmp_path / request.param
        spec = KINDS[request.param](place, images)
        if images is NEW:  # a clock may tick slowly
            for path in [place, *place.glob("*")] if place.is_dir() else [place]:
                os.utime(path, (1, 1))
        return spec.open("all", manifests=tmp_path / "manifests")

    return write


def test_images_that_change_are_refused_by_name_and_none_of_their_features_is_kept(
    written, tmp_path
):
    source = written(OLD)
    source.refuse_changed(range(6))
    written(NEW)
    with pytest.raises(DatasetError, match="has changed since the job began"):
        extract(tmp_path, source, 6, {"mean": Mean()})
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    found, _ = extract(tmp_path, written(OLD), 6, {"mean": Mean()})
    expected = torch.from_numpy(OLD).float().mean(dim=(1, 2))
    assert torch.allclose(found["mean"].features, expected)


def test_what_is_made_of_a_source_asks_it(written):
    source = written(OLD)
    made = [RowsOf(source, [4, 2], {}), _DamagedSource(source, Blur("blur"), 0)]
    for one in made:
        one.refuse_changed([0])
    written(NEW)
    for one in made:
        with pytest.raises(DatasetError, match="has changed since the job began"):
            one.refuse_changed([0])


def test_in_a_folder_only_the_images_that_were_read_count(tmp_path):
    source = in_folder(tmp_path / "x", OLD).open("all", manifests=tmp_path)
    (tmp_path / "x/3.png").unlink()
    source.refuse_changed([0, 1, 2])
    with pytest.raises(DatasetError, match=r"3\.png has changed"):
        source.refuse_changed([2, 3])


def test_a_file_that_is_replaced_while_it_is_read_is_not_remembered_as_the_new_one(
    tmp_path, monkeypatch
):
    spec, read = in_npz(tmp_path / "a.npz", OLD), arrays.read_npz

    def slow(path, key):
        found = read(path, key)
        in_npz(tmp_path / "a.npz", NEW)
        os.utime(tmp_path / "a.npz", (1, 1))
        return found

    monkeypatch.setattr(arrays, "read_npz", slow)
    old = spec.open("all", manifests=tmp_path / "manifests").content()
    monkeypatch.undo()
    assert spec.open("all", manifests=tmp_path / "manifests").content() != old


def test_a_metric_of_pixels_is_not_told_of_images_that_changed(measure, tmp_path, monkeypatch):
    from metrics.image_statistics import ImageStatistics

    np.save(tmp_path / "a.npy", np.repeat(OLD, 10, axis=0))
    compute = ImageStatistics.compute

    def slow(self, **inputs):
        found = compute(self, **inputs)
        in_npy(tmp_path / "a.npy", np.repeat(NEW, 10, axis=0))
        return found

    slow.__signature__ = __import__("inspect").signature(compute)
    monkeypatch.setattr(ImageStatistics, "compute", slow)
    _, report = measure(
        *("generator=npy", f"generator.path={tmp_path / 'a.npy'}", "protocol.num_fake=60"),
        *("metrics=[image_statistics]", "backbone=[resnet18_random]"),
    )
    (line,) = report.lines
    assert line.state == "failed" and "has changed since the job began" in line.reason
    assert not list((tmp_path / "results").rglob("runs/*.json"))


def test_a_checkpoint_that_is_overwritten_makes_no_images_under_the_old_hash(tmp_path, measure):
    config = composed("score", ["generator=dcgan_digits"])
    shipped, path = Path(config.generator.weights.path), tmp_path / "own.safetensors"
    path.write_bytes(shipped.read_bytes())
    words = ["generator=dcgan_digits", "generator.weights.sha256=null", "generator.name=own"]
    loads = Checkpoint._load

    def late(self, surroundings, sha256):
        state = {name: tensor * 1.01 for name, tensor in load_file(path).items()}
        save_file(state, path)
        os.utime(path, (1, 1))
        return loads(self, surroundings, sha256)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Checkpoint, "_load", late)
        _, report = measure(
            *(*words, f"generator.weights.path={path}", "metrics=[image_statistics]"),
            *("backbone=[resnet18_random]", "protocol.num_fake=10"),
        )
    (line,) = report.lines
    assert line.state == "failed" and line.code == CheckpointError.code
    assert "own.safetensors has changed since the job began" in line.reason
