"""The 1,797 handwritten digits of 8 x 8 pixels that come inside scikit-learn."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from bench.datasets.in_memory import ArrayItems
from bench.datasets.preparation import Preparation
from bench.datasets.stored import StoredImages, scan_images
from bench.datasets.two_splits import check_split, other_split
from bench.fingerprint import ProgressCall

SPLITS = ("train", "holdout")
TRAIN = 897  # the other 900 are the holdout
CLASSES = 10


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
    digits = load_digits()
    return np.rint(digits.images * 255 / 16).astype(np.uint8), digits.target
