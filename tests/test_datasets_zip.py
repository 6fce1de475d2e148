import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from bench.datasets.folder import ImageFolder
from bench.datasets.preparation import OnBadImage
from bench.datasets.tree import Layout
from bench.datasets.zip import ImageZip
from bench.decode import BadImageError
from bench.errors import DatasetError


def png(value):
    file = io.BytesIO()
    Image.fromarray(np.full((3, 4, 3), value, np.uint8)).save(file, "PNG")
    return file.getvalue()


def pack(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


STYLEGAN = {f"0000{i // 2}/img0000000{i}.png": png(i) for i in range(4)}


def with_labels(labels):
    return {**STYLEGAN, "dataset.json": json.dumps({"labels": labels})}


def opened(path, split="all", **fields):
    return ImageZip(path=str(path), **fields).open(split, manifests=path.parent / "manifests")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_stylegan_zip_gives_images_and_labels(tmp_path, compression):
    labels = [[name, 3 - i] for i, name in enumerate(STYLEGAN)]
    source = opened(pack(tmp_path / "a.zip", with_labels(labels), compression))
    assert source.read(range(4))[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert source.labels.tolist() == [3, 2, 1, 0] and source.num_classes == 4
    assert source.image_name(3) == "00001/img00000003.png" and source.counts == {}


@pytest.mark.parametrize("members", [STYLEGAN, with_labels(None)])
def test_without_labels_there_are_none(tmp_path, members):
    assert opened(pack(tmp_path / "a.zip", members)).labels is None


def test_a_zip_and_its_folder_have_one_fingerprint(tmp_path):
    path = pack(tmp_path / "a.zip", STYLEGAN)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "a")
    folder = ImageFolder(path=str(tmp_path / "a")).open("all", manifests=tmp_path / "m")
    assert opened(path).content() == folder.content()


def test_class_folders_sub_folders_and_ranges_work_as_in_a_folder(tmp_path):
    members = {"train/cat/1.png": png(1), "train/dog/2.png": png(2), "val/cat/3.png": png(3)}
    path = pack(tmp_path / "a.zip", {**members, "train/cat/._1.png": b"x", "train/x.txt": b"x"})
    folders = {"train": "train", "val": "val"}
    source = opened(path, "train", folders=folders, layout=Layout.classes)
    assert source.labels.tolist() == [0, 1] and source.counts == {"ignored": 1}
    assert opened(path, "val", folders=folders).read([0]).max() == 3
    assert opened(path, "last", ranges={"last": [2, 3]}).image_name(0) == "val/cat/3.png"
    with pytest.raises(DatasetError, match=r"3 images.*expected 4"):
        opened(path, expected={"all": 4})


@pytest.mark.parametrize("labels, match", [
    ([["00000/img00000000.png", 1]], "no label for .*img00000001.png.*3 of 4"),
    ([[name, 0.5] for name in STYLEGAN], "is not labels .*whole numbers"),
    ([[name, -1] for name in STYLEGAN], "is not labels"),
    ("nonsense", "is not labels"), ([], "is not labels"),
])  # fmt: skip
def test_labels_that_are_no_classes_are_refused(tmp_path, labels, match):
    with pytest.raises(DatasetError, match=match):
        opened(pack(tmp_path / "a.zip", with_labels(labels)))


def test_a_place_that_is_no_zip_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"absent\.zip does not exist"):
        opened(tmp_path / "absent.zip")
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(DatasetError, match="is a folder, not a zip file; choose folder"):
        opened(tmp_path / "folder.zip")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(pack(tmp_path / "a.zip", STYLEGAN).read_bytes()[:300])
    with pytest.raises(DatasetError, match=r"broken\.zip is not a readable zip"):
        opened(broken)
    with pytest.raises(DatasetError, match=r"holds no image .*found 1 \.txt"):
        opened(pack(tmp_path / "text.zip", {"a.txt": b"x"}))


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "x/../../a.png"])
def test_names_that_point_outside_are_refused_and_nothing_is_written(tmp_path, name):
    path = pack(tmp_path / "inner.zip", {name: png(1)})
    with pytest.raises(DatasetError, match="points out of the zip"):
        opened(path)
    assert sorted(tmp_path.iterdir()) == [path]


def test_encrypted_members_are_refused(tmp_path):
    data = bytearray(pack(tmp_path / "a.zip", {"a.png": png(1)}).read_bytes())
    central = data.rindex(b"PK\x01\x02")
    data[central + 8] |= 1
    (tmp_path / "a.zip").write_bytes(bytes(data))
    with pytest.raises(DatasetError, match=r"a\.png is encrypted"):
        opened(tmp_path / "a.zip")


def test_a_member_that_inflates_beyond_any_image_is_refused(tmp_path):
    path = pack(tmp_path / "a.zip", {"a.png": bytes(3_000_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(BadImageError, match=r"a\.zip: a\.png has 3,000,000 bytes"):
        opened(path, max_pixels=1000)


def test_twice_the_same_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, pytest.warns(UserWarning):
        archive.writestr("a.png", png(1))
        archive.writestr("a.png", png(2))
    with pytest.raises(DatasetError, match=r"holds a\.png twice"):
        opened(tmp_path / "a.zip")


def test_a_damaged_member_is_named_or_skipped(tmp_path):
    data = bytearray(pack(tmp_path / "a.zip", STYLEGAN).read_bytes())
    data[data.index(b"IDAT") + 6] ^= 0xFF  # in the first member; the zip's own crc sees it
    (tmp_path / "a.zip").write_bytes(bytes(data))
    with pytest.raises(BadImageError, match=r"img00000000\.png cannot be unpacked"):
        opened(tmp_path / "a.zip")
    source = opened(tmp_path / "a.zip", on_bad_image=OnBadImage.skip)
    assert source.counts == {"skipped": 1} and source.read([0]).max() == 1


def test_several_threads_may_read_at_once(tmp_path):
    members = {f"{i:03}.png": png(i) for i in range(100)}
    source = opened(pack(tmp_path / "a.zip", members, zipfile.ZIP_DEFLATED))
    with ThreadPoolExecutor(8) as pool:
        images = torch.cat(list(pool.map(lambda i: source.read([i]), range(100))))
    assert images[:, 0, 0, 0].tolist() == list(range(100))
