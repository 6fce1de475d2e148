"""Links within a folder of images: followed, as long as each folder is there once."""

import itertools
import os
import stat

import numpy as np
import pytest
from PIL import Image

from bench.datasets.folder import ImageFolder
from bench.errors import DatasetError


def save(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(path)


@pytest.fixture
def root(tmp_path):
    for name in ["b.png", "sub/c.png"]:
        save(tmp_path / "photos" / name)
    return tmp_path / "photos"


def opened(root):
    return ImageFolder(path=str(root)).open("all", manifests=root.parent / "manifests")


def test_linked_files_and_folders_are_followed(root, tmp_path):
    save(tmp_path / "other/x.png")
    (root / "linked").symlink_to(tmp_path / "other")
    (root / "b2.png").symlink_to(root / "b.png")
    assert len(opened(root)) == 4


def test_a_folder_that_is_reached_twice_is_refused_with_both_names(root, tmp_path):
    (root / "again").symlink_to(root / "sub")
    with pytest.raises(DatasetError, match=r"are one folder, whose images would count") as caught:
        opened(root)
    assert f"{root}/again" in str(caught.value) and f"{root}/sub" in str(caught.value)
    levels = [tmp_path / f"level{number}" for number in range(40)]
    for folder in levels:
        folder.mkdir()
    for upper, lower in itertools.pairwise(levels):
        (upper / "x").symlink_to(lower)
        (upper / "y").symlink_to(lower)
    with pytest.raises(DatasetError, match=r"level0/.*/[xy] and .*/[xy] are one folder"):
        opened(levels[0])


def test_a_file_system_without_inode_numbers_is_no_folder_reached_twice(root, monkeypatch):
    real = os.stat

    def numberless(path, **words):
        found = list(real(path, **words))
        found[stat.ST_INO] = 0
        return os.stat_result(found)

    monkeypatch.setattr("pathlib.Path.stat", lambda path, **words: numberless(path))
    assert len(opened(root)) == 2
