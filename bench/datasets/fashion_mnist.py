"""Fashion-MNIST from its original idx files: 60,000 and 10,000 grey images of 28 x 28."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.datasets.archive import Archive
from bench.datasets.file_stamps import FileStamps
from bench.datasets.home import data_home
from bench.datasets.idx import read_images, read_labels
from bench.datasets.in_memory import ArrayItems
from bench.datasets.naming import absolute
from bench.datasets.preparation import Preparation
from bench.datasets.stored import StoredImages, open_stored
from bench.datasets.two_splits import check_split, other_split
from bench.errors import DatasetError
from bench.fingerprint import ProgressCall

SPLITS = ("train", "test")
PREFIX = {"train": "train", "test": "t10k"}
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
TORCHVISION = Path("FashionMNIST/raw")
CLASSES = 10
URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"  # the authors', without TLS
MD5 = {  # as the authors publish them
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
}
ARCHIVES = {
    split: [Archive(name, URL + name, MD5[name]) for name in MD5 if name.startswith(prefix)]
    for split, prefix in PREFIX.items()
}


@dataclass(frozen=True, kw_only=True)
class FashionMnist(Preparation):
    """Gzipped or plain idx files, in one folder or in torchvision's layout.

    Attributes:
        path: the folder; None looks where Debian's package puts them, then in salon's own.
        name: what records call it.
        split: the reference split.
        holdout_split: None takes the other one.
        download: fetch the files into salon's own folder when they are nowhere.
    """

    path: str | None = None
    name: str = "fashion_mnist"
    split: str = "train"
    holdout_split: str | None = None
    download: bool = False

    def __post_init__(self) -> None:
        other = self.holdout_split or other_split(self.split, SPLITS)
        object.__setattr__(self, "holdout_split", other)

    def locate(self) -> Path:
        """The folder of the reference split's files; nothing is downloaded.

        Raises:
            DatasetError: naming the folders that were looked in, and what to type.
        """
        return self._find(self.split)[0].parent

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> StoredImages:
        """Find, parse and check the two files of one split."""
        self.check()
        check_split(split, SPLITS, self.name)
        if self.download and self.path is None and _find_in(self._folders(), split) is None:
            for archive in ARCHIVES[split]:
                archive.fetch(_own_folder(), "Fashion-MNIST")
        images_file, labels_file = self._find(split)
        files = FileStamps.of([images_file, labels_file])
        images, labels = read_images(images_file), read_labels(labels_file)
        _check(images, labels, images_file, labels_file)
        items = ArrayItems(
            images,
            labels=labels,
            num_classes=CLASSES,
            where=str(images_file),
            files=files,
        )
        return open_stored(items, preparation=self, manifests=manifests, progress=progress)

    def _find(self, split: str) -> tuple[Path, Path]:
        found = _find_in(self._folders(), split)
        if found is None:
            raise DatasetError(self._absent())
        return found

    def _folders(self) -> list[Path]:
        bases = [DEBIAN, _own_folder()] if self.path is None else [absolute(self.path)]
        return [folder for base in bases for folder in (base, base / TORCHVISION, base / "raw")]

    def _absent(self) -> str:
        looked = ", ".join(str(folder) for folder in self._folders()[::3])
        return (
            f"Fashion-MNIST is in none of {looked} (nor in FashionMNIST/raw below); run "
            "apt install dataset-fashion-mnist, or set dataset.path, or "
            "dataset.download=true (with dataset.path=null)."
        )


def _own_folder() -> Path:
    return data_home() / "fashion_mnist"


def _find_in(folders: list[Path], split: str) -> tuple[Path, Path] | None:
    for folder in folders:
        images = _one_of(folder / f"{PREFIX[split]}-images-idx3-ubyte")
        labels = _one_of(folder / f"{PREFIX[split]}-labels-idx1-ubyte")
        if images is not None and labels is not None:
            return images, labels
    return None


def _one_of(plain: Path) -> Path | None:
    zipped = plain.with_name(plain.name + ".gz")
    return next((path for path in (zipped, plain) if path.is_file()), None)


def _check(images: np.ndarray, labels: np.ndarray, images_file: Path, labels_file: Path) -> None:
    if images.shape[1:] != (28, 28):
        raise DatasetError(f"{images_file} holds images of {images.shape[1:]}, expected 28 x 28.")
    if len(images) != len(labels):
        raise DatasetError(
            f"{images_file} has {len(images):,} images and {labels_file} {len(labels):,} labels; "
            "copy both again."
        )
    if labels.max() >= CLASSES:
        raise DatasetError(f"{labels_file} holds label {labels.max()}, expected 0 to 9.")
