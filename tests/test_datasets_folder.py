import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from bench.crop import Crop, Filter
from bench.datasets.folder import ImageFolder
from bench.datasets.preparation import OnBadImage
from bench.datasets.tree import Layout
from bench.decode import BadImageError
from bench.errors import ConfigError, DatasetError
from bench.fingerprint import fingerprint


def picture(value, size=(4, 5)):
    return np.full((*size, 3), value, np.uint8)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, lossless=True)  # webp would change the pixels


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "photos"
    for value, name in enumerate(["b.png", "sub/c.PNG", "a.bmp", "z.Tiff", "y.webp"]):
        save(folder / name, picture(value))
    return folder


def opened(root, split="all", **fields):
    manifests = root.parent / "manifests"
    return ImageFolder(path=str(root), **fields).open(split, manifests=manifests)


def test_images_come_sorted_by_relative_path_whatever_the_suffix(root):
    source = opened(root)
    names = [source.image_name(index) for index in range(len(source))]
    assert names == ["a.bmp", "b.png", "sub/c.PNG", "y.webp", "z.Tiff"]
    images = source.read(range(5))
    assert images.shape == (5, 3, 4, 5) and images.dtype == torch.uint8
    assert images[:, 0, 0, 0].tolist() == [2, 0, 1, 4, 3]
    assert source.labels is None and source.num_classes is None and source.counts == {}


def test_content_is_the_fingerprint_and_no_path(root):
    source = opened(root)
    assert source.content() == {"fingerprint": fingerprint(source)}
    moved = root.parent / "elsewhere"
    shutil.copytree(root, moved)
    assert opened(moved).content() == source.content()


def test_making_one_touches_no_file():
    assert ImageFolder(path="/nowhere/at/all").split == "all"


def test_some_rows_can_be_read_in_any_order(root):
    source = opened(root)
    assert source.read([4, 0, 4])[:, 0, 0, 0].tolist() == [3, 2, 3]
    assert source.read([]).shape == (0, 3, 4, 5)


def test_dot_files_are_left_out_and_other_files_counted(root):
    for name in ["._b.png", ".DS_Store", "notes.txt", "movie.gif", ".git/x.png"]:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("x")
    source = opened(root)
    assert len(source) == 5 and source.counts == {"ignored": 2}


def test_class_folders_become_labels_in_sorted_order(tmp_path):
    root = tmp_path / "pets"
    for name in ["dog/1.png", "cat/2.png", "cat/deep/3.png", "wild/4.png"]:
        save(root / name, picture(int(name[-5])))
    source = opened(root, layout=Layout.classes)
    assert source.labels.tolist() == [0, 0, 1, 2] and source.num_classes == 3
    assert source.read(range(4))[:, 0, 0, 0].tolist() == [2, 3, 1, 4]
    assert source.content() != opened(root).content()  # labels count


def test_classes_refuse_loose_images_and_empty_folders(tmp_path):
    root = tmp_path / "pets"
    save(root / "cat/1.png", picture(1))
    (root / "dog").mkdir()
    with pytest.raises(DatasetError, match=r"class folder .*dog holds no image"):
        opened(root, layout=Layout.classes)
    save(root / "loose.png", picture(2))
    with pytest.raises(DatasetError, match=r"loose\.png lies beside the class folders"):
        opened(root, layout=Layout.classes)


def test_class_folders_that_are_unpadded_numbers_are_refused(tmp_path):
    """As text, 10 comes before 2: the classes would not be those of the other side."""
    for number in range(11):
        save(tmp_path / f"raw/{number}/a.png", picture(number))
        save(tmp_path / f"padded/{number:02}/a.png", picture(number))
    with pytest.raises(DatasetError, match="the class folders 10 and 2 are numbers"):
        opened(tmp_path / "raw", layout=Layout.classes)
    source = opened(tmp_path / "padded", layout=Layout.classes)
    assert source.labels.tolist() == source.read(range(11))[:, 0, 0, 0].tolist()


def test_splits_can_be_sub_folders(tmp_path):
    root = tmp_path / "faces"
    save(root / "train/cat/1.png", picture(1))
    save(root / "val/cat/2.png", picture(2))
    fields = {"folders": {"train": "train", "test": "val"}, "layout": Layout.classes}
    assert opened(root, "test", **fields).read([0]).max() == 2
    with pytest.raises(ConfigError, match="no split 'all'; it has train, test"):
        opened(root, "all", **fields)


def test_splits_can_be_ranges_of_the_sorted_images(root):
    ranges = {"train": [0, 3], "holdout": [3, 5]}
    train, holdout = (opened(root, split, ranges=ranges) for split in ranges)
    assert [train.image_name(0), holdout.image_name(0)] == ["a.bmp", "y.webp"]
    assert (len(train), len(holdout), len(opened(root, "all", ranges=ranges))) == (3, 2, 5)
    with pytest.raises(DatasetError, match=r"holds 5 images.*0 to 5.*dataset.ranges.train"):
        opened(root, "train", ranges={"train": [0, 6]})
    with pytest.raises(ConfigError, match="is no range"):
        opened(root, "train", ranges={"train": [3, 3]})


def test_a_count_that_is_not_the_expected_one_is_refused(root):
    assert len(opened(root, expected={"all": 5})) == 5
    with pytest.raises(DatasetError, match=r"5 images in split all, expected 6.*expected.all=null"):
        opened(root, expected={"all": 6})


def test_a_missing_empty_or_wrong_place_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"absent does not exist; set dataset.path"):
        opened(tmp_path / "absent")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DatasetError, match=r"empty holds no image .*found no file at all"):
        opened(empty)
    for name in ["a.gif", "b.gif", "readme.TXT"]:
        (empty / name).write_text("x")
    with pytest.raises(DatasetError, match=r"found 2 \.gif, 1 \.txt"):
        opened(empty)
    archive = tmp_path / "x.zip"
    archive.write_text("x")
    with pytest.raises(DatasetError, match=r"is a file.*choose zip instead of folder"):
        opened(archive)


def test_mixed_sizes_are_refused_with_two_examples(root):
    save(root / "m.png", picture(9, size=(7, 7)))
    with pytest.raises(DatasetError, match=r"a\.bmp is 4x5, m\.png is 7x7.*dataset.resolution"):
        opened(root)
    source = opened(root, crop=Crop.center_long_edge, resolution=2, filter=Filter.box)
    assert source.read(range(6)).shape == (6, 3, 2, 2)


BAD = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty file": lambda data: b"",
    "git-LFS pointer": lambda data: b"version https://git-lfs.github.com/spec/v1\n",
    "HTML page": lambda data: b"<html>not found</html>",
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_image_is_an_error_that_names_the_file(root, reason):
    noise = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    save(root / "sub/n.png", noise)
    path = root / "sub/n.png"
    path.write_bytes(BAD[reason](path.read_bytes()))
    with pytest.raises(BadImageError, match=rf"photos: sub/n\.png .*{reason}") as caught:
        opened(root)
    assert caught.value.code == 3 and "\n" not in str(caught.value)


def test_bad_images_can_be_skipped_and_are_counted(root):
    whole = opened(root).content()
    (root / "c.png").write_bytes(b"")
    (root / "sub/d.png").write_bytes(b"hello")
    for _ in range(2):  # from the scan, then from the manifest
        source = opened(root, on_bad_image=OnBadImage.skip)
        assert len(source) == 5 and source.counts == {"skipped": 2}
        assert source.content() == whole
        assert source.image_name(2) == "sub/c.PNG" and source.read([2]).max() == 1
    assert source.scan.skipped["c.png"].startswith("is an empty file")


def test_labels_stay_with_their_images_when_some_are_skipped(tmp_path):
    root = tmp_path / "pets"
    save(root / "cat/1.png", picture(1))
    save(root / "dog/2.png", picture(2))
    (root / "cat/0.png").write_bytes(b"")
    source = opened(root, layout=Layout.classes, on_bad_image=OnBadImage.skip)
    assert source.labels.tolist() == [0, 1]


def test_nothing_but_bad_images_is_an_error(tmp_path):
    root = tmp_path / "bad"
    root.mkdir()
    (root / "x.png").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"all 1 images are bad, e\.g\. x\.png is an empty"):
        opened(root, on_bad_image=OnBadImage.skip)


def test_what_would_be_lost_without_a_word_is_refused(root):
    link = root / "gone.png"
    link.symlink_to(root / "nowhere.png")
    with pytest.raises(DatasetError, match=r"gone\.png is a broken link"):
        opened(root)
    link.unlink()
    (root / "dir.png").mkdir()
    with pytest.raises(DatasetError, match=r"dir\.png is a folder with the name of an image"):
        opened(root)
    (root / "dir.png").rmdir()
    os.mkfifo(root / "pipe.png")
    with pytest.raises(DatasetError, match=r"pipe\.png is neither a file nor a folder"):
        opened(root)
    (root / "pipe.png").unlink()
    (root / "sub/loop").symlink_to(root)
    with pytest.raises(DatasetError, match="loop is a link to a folder above it"):
        opened(root)


def test_an_unchanged_folder_is_not_decoded_again(root, monkeypatch):
    first = opened(root)
    monkeypatch.setattr("bench.datasets.folder.decode_image", None)  # calling it would fail
    assert opened(root).content() == first.content()
    with pytest.raises(TypeError):
        opened(root, verify=True)
    (root / "b.png").touch()
    with pytest.raises(TypeError):
        opened(root)


def test_verify_sees_a_change_that_the_stamp_does_not(root):
    first = opened(root)
    path = root / "a.bmp"
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[60] ^= 0xFF  # a pixel: the header has 54 bytes
    path.write_bytes(bytes(data))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert opened(root).content() == first.content()
    assert opened(root, verify=True).content() != first.content()


def test_settings_that_change_pixels_have_a_manifest_of_their_own(root):
    opened(root)
    opened(root, resolution=2, filter=Filter.box)
    opened(root, resolution=2, filter=Filter.lanczos)
    assert len(list((root.parent / "manifests").iterdir())) == 3


def test_names_that_are_no_utf8_can_be_printed(root):
    raw = os.fsencode(root) + b"/caf\xe9.png"
    shutil.copy(root / "b.png", raw)
    source = opened(root)
    assert "caf?.png" in [source.image_name(index) for index in range(6)]
    with open(raw, "wb"):
        pass
    assert opened(root, on_bad_image=OnBadImage.skip).counts == {"skipped": 1}


@pytest.mark.parametrize("fields, match", [
    ({"workers": -1}, "workers=-1"), ({"max_pixels": 0}, "max_pixels=0"),
    ({"crop": Crop.adm}, "needs a resolution"),
])  # fmt: skip
def test_settings_that_mean_nothing_are_refused(root, fields, match):
    with pytest.raises(ConfigError, match=match):
        opened(root, **fields)


def test_conversions_are_counted_by_kind(tmp_path):
    root = tmp_path / "mixed"
    save(root / "grey.png", picture(3)[:, :, 0])
    save(root / "alpha.png", np.dstack([picture(3), np.full((4, 5), 255, np.uint8)]))
    Image.fromarray(picture(3)).convert("P").save(root / "palette.png")
    assert opened(root).counts == {"grey": 1, "opaque_alpha": 1, "palette": 1}


def test_a_relative_path_and_an_absolute_one_share_a_manifest(root, monkeypatch):
    opened(root)
    monkeypatch.chdir(root.parent)
    ImageFolder(path="photos").open("all", manifests=root.parent / "manifests")
    assert len(list((root.parent / "manifests").iterdir())) == 1


def test_progress_is_told(root):
    told = []
    dataset = ImageFolder(path=str(root))
    dataset.open("all", manifests=root.parent / "m", progress=lambda *done: told.append(done))
    assert told == [(5, 5)]
