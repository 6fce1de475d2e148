"""CIFAR-10 from its Python archive, checked by md5 before it is unpickled, and then safely."""

import hashlib
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.datasets.archive import Archive, file_md5
from bench.datasets.array_pickle import load_arrays
from bench.datasets.file_stamps import FileStamps
from bench.datasets.home import data_home
from bench.datasets.in_memory import ArrayItems
from bench.datasets.naming import absolute
from bench.datasets.preparation import Preparation
from bench.datasets.stored import StoredImages, open_stored
from bench.datasets.two_splits import check_split, other_split
from bench.errors import DatasetError
from bench.fingerprint import ProgressCall

SPLITS = ("train", "test")
ARCHIVE, FOLDER = "cifar-10-python.tar.gz", "cifar-10-batches-py"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
BATCHES = {
    "train": [f"data_batch_{number}" for number in range(1, 6)],
    "test": ["test_batch"],
}
MD5 = {  # as published, and as torchvision has them
    ARCHIVE: "c58f30108f718f92721af3b95e74349a",
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Cifar10(Preparation):
    """50,000 and 10,000 RGB images of 32 x 32.

    Attributes:
        path: the archive, or a folder that holds it or the unpacked batches; None is salon's own.
        name: what records call it.
        split: the reference split.
        holdout_split: None takes the other one.
        download: fetch the archive into salon's own folder when it is nowhere.
        md5: file name -> md5 that it must have.
    """

    path: str | None = None
    name: str = "cifar10"
    split: str = "train"
    holdout_split: str | None = None
    download: bool = False
    md5: dict[str, str] = field(default_factory=lambda: dict(MD5))

    def __post_init__(self) -> None:
        other = self.holdout_split or other_split(self.split, SPLITS)
        object.__setattr__(self, "holdout_split", other)

    def locate(self) -> Path:
        """The archive or the unpacked folder; nothing is downloaded.

        Raises:
            DatasetError: if neither is there, with what to type.
        """
        base = self._base()
        place = _place_in(base)
        if place is None:
            raise DatasetError(
                f"CIFAR-10 is not in {base}; put {ARCHIVE} there, or set dataset.path, or "
                "dataset.download=true (with dataset.path=null)."
            )
        return place

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> StoredImages:
        """Check the md5s, unpickle and check the batches of one split."""
        self.check()
        check_split(split, SPLITS, self.name)
        if self.download and self.path is None and _place_in(self._base()) is None:
            Archive(ARCHIVE, URL, self.md5[ARCHIVE]).fetch(self._base(), "CIFAR-10")
        place = self.locate()
        names = BATCHES[split]
        files = FileStamps.of([place] if place.is_file() else [place / name for name in names])
        batches = _read_batches(place, names, self.md5)
        parts = [_parse(data, f"{place}: {name}") for name, data in batches.items()]
        items = ArrayItems(
            np.concatenate([images for images, _ in parts]),
            labels=np.concatenate([labels for _, labels in parts]),
            num_classes=CLASSES,
            where=str(place),
            files=files,
            part=split,
        )
        return open_stored(items, preparation=self, manifests=manifests, progress=progress)

    def _base(self) -> Path:
        return _own_folder() if self.path is None else absolute(self.path)


def _own_folder() -> Path:
    return data_home() / "cifar10"


def _place_in(base: Path) -> Path | None:
    """The unpacked folder or the archive, whichever is there; the folder is quicker to read."""
    if base.is_file():
        return base
    folders = [folder for folder in (base / FOLDER, base) if (folder / "data_batch_1").is_file()]
    archive = base / ARCHIVE
    return folders[0] if folders else archive if archive.is_file() else None


def _read_batches(place: Path, names: list[str], md5: Mapping[str, str]) -> dict[str, bytes]:
    try:
        if place.is_file():
            _check_md5(file_md5(place), place, md5[ARCHIVE])
            return _read_archive(place, names)
        batches = {name: (place / name).read_bytes() for name in names}
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        raise DatasetError(f"{place} cannot be read: {error}; copy it again.") from error
    for name, data in batches.items():
        found = hashlib.md5(data, usedforsecurity=False).hexdigest()
        _check_md5(found, place / name, md5[name])
    return batches


def _read_archive(place: Path, names: list[str]) -> dict[str, bytes]:
    wanted = {f"{FOLDER}/{name}": name for name in names}
    batches: dict[str, bytes] = {}
    with tarfile.open(place) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name in wanted else None
            if file is not None:
                batches[wanted[member.name]] = file.read()
    return {name: batches[name] for name in names}


def _check_md5(found: str, path: Path, expected: str) -> None:
    if found != expected:
        raise DatasetError(
            f"{path} has md5 {found}, expected {expected}; nothing was unpickled. Delete it and "
            "download it again."
        )


def _parse(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, 3, 32, 32) uint8 and (N,) labels of one batch."""
    batch = load_arrays(data, where=where)
    images = batch.get(b"data") if isinstance(batch, dict) else None
    labels = np.asarray(batch.get(b"labels") if isinstance(batch, dict) else None)
    if not (
        isinstance(images, np.ndarray)
        and images.dtype == np.uint8
        and images.shape == (labels.size, 3 * 32 * 32)
        and labels.dtype.kind in "iu"
        and labels.ndim == 1
        and 0 <= labels.min() <= labels.max() < CLASSES
    ):
        raise DatasetError(
            f"{where} is no CIFAR-10 batch: expected uint8 (N, 3072) and N labels 0 to 9."
        )
    return images.reshape(-1, 3, 32, 32), labels.astype(np.int64)
