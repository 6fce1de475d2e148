"""The 1,797 handwritten digits of 8 x 8 pixels that come inside scikit-learn."""

import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bench.datasets.in_memory import ArrayItems
from bench.datasets.preparation import Preparation
from bench.datasets.stored import StoredImages, scan_images
from bench.datasets.two_splits import check_split, other_split
from bench.errors import DatasetError
from bench.fingerprint import ProgressCall

SPLITS = ("train", "holdout")
TRAIN = 897  # the other 900 are the holdout
CLASSES = 10
SIDE = 8
FILE = "datasets/data/digits.csv.gz"  # of scikit-learn; its code takes seconds to import


@dataclass(frozen=True, kw_only=True)
class Digits:
    """Grey values 0..16 become round(v * 255 / 16).

    The order is numpy.random.RandomState(0).permutation(1797): its first 897 are `train`, its
    last 900 `holdout`. Always hashed, for that takes no time.

    Attributes:
        name: what records call it.
        split: the reference split.
        holdout_split: None takes the other one.
    """

    name: str = "digits"
    split: str = "train"
    holdout_split: str | None = None

    def __post_init__(self) -> None:
        other = self.holdout_split or other_split(self.split, SPLITS)
        object.__setattr__(self, "holdout_split", other)

    def locate(self) -> None:
        """Nothing to look for: they come with scikit-learn."""

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> StoredImages:
        """The images and labels of one split."""
        check_split(split, SPLITS, self.name)
        images, labels = _load()
        order = np.random.RandomState(0).permutation(len(images))
        rows = order[:TRAIN] if split == "train" else order[TRAIN:]
        items = ArrayItems(images[rows], labels=labels[rows], num_classes=CLASSES, where=self.name)
        preparation = Preparation()
        return StoredImages(items, preparation, scan_images(items, preparation, progress))


def _load() -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 (1797, 8, 8) and labels int64 (1797,), in the order of the file."""
    with gzip.open(_file()) as lines:
        table = np.loadtxt(lines, delimiter=",")  # a row is 64 grey values and the label
    grey = np.rint(table[:, :-1] * 255 / 16).astype(np.uint8)
    return grey.reshape(-1, SIDE, SIDE), table[:, -1].astype(np.int64)


def _file() -> Path:
    package = find_spec("sklearn")
    folders = (package and package.submodule_search_locations) or []
    for file in (Path(folder) / FILE for folder in folders):
        if file.is_file():
            return file
    raise DatasetError(
        f"scikit-learn's {FILE} is not there; type pip install --force-reinstall scikit-learn"
    )
