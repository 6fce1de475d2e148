"""Images in a zip file, StyleGAN's and EDM's layout included; nothing is ever extracted to disk."""

import json
import threading
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from bench.datasets.class_numbers import LARGEST
from bench.datasets.file_stamps import FileStamps
from bench.datasets.members import FAULTS, foreign_method, read_member
from bench.datasets.naming import absolute
from bench.datasets.stored import StoredImages, StoredItems, open_stored
from bench.datasets.tree import (
    ImageTree,
    Layout,
    class_labels,
    is_hidden,
    is_image_name,
    nothing_found,
    suffix_of,
)
from bench.decode import BadImageError, Decoded, check_file_size, decode_image
from bench.errors import DatasetError
from bench.fingerprint import ProgressCall

LABELS_FILE = "dataset.json"  # {"labels": [["00000/img00000000.png", 6], ...]} or null
LARGEST_LABELS_FILE = 256 << 20
ENCRYPTED = 0x1  # bit of a member's flags


@dataclass(frozen=True, kw_only=True)
class ImageZip(ImageTree):
    """Image files in a zip, sorted by name; see `ImageTree` for the fields.

    With layout `flat`, labels come from `dataset.json` where that has any.
    """

    def locate(self) -> Path:
        """The zip file; it is not read.

        Raises:
            DatasetError: if it is not there.
        """
        path = absolute(self.path)
        _refuse_absent(path)
        return path

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> StoredImages:
        """List the split's members and check every one of them; see `open_stored`."""
        self.check()
        items = _ZipItems(self.locate(), self, split)
        return open_stored(items, preparation=self, manifests=manifests, progress=progress)


class _ZipItems(StoredItems):
    def __init__(self, path: Path, tree: ImageTree, split: str) -> None:
        self.path, self.preparation, self.layout = path, tree, tree.layout
        self.files = FileStamps.of([path])
        self.archive = _open_zip(path)
        self.lock = threading.Lock()  # one file position for all threads
        self.folder = tree.folder_of(split).strip("/")
        self.where = f"{path}/{self.folder}" if self.folder else str(path)
        everything, self.ignored = self._list()
        self.rows = tree.rows_of(split, len(everything), self.where)
        labels = self._labels(everything)
        if labels is not None:
            self.labels = labels[self.rows.start : self.rows.stop]
        self.names = everything[self.rows.start : self.rows.stop]

    def _list(self) -> tuple[list[str], int]:
        """Names of the images below the split's folder, and how many other files there are."""
        others: Counter[str] = Counter()
        images = []
        for info in self.archive.infolist():
            name = self._within(info.filename)
            if name is None or is_hidden(name) or name.endswith("/"):
                continue
            if is_image_name(name):
                images.append(name)
            elif name != LABELS_FILE:
                others[suffix_of(name)] += 1
        if not images:
            raise nothing_found(self.where, others)
        return sorted(images), others.total()

    def _within(self, member: str) -> str | None:
        if not self.folder:
            return member
        prefix = self.folder + "/"
        return member.removeprefix(prefix) if member.startswith(prefix) else None

    def _member(self, name: str) -> str:
        return f"{self.folder}/{name}" if self.folder else name

    def _labels(self, names: list[str]) -> Tensor | None:
        if self.layout == Layout.classes:
            labels, self.num_classes = class_labels(names, self.where)
            return labels
        known = self._read_labels_file()
        if known is None:
            return None
        absent = [name for name in names if name not in known]
        if absent:
            raise DatasetError(
                f"{self.where}: {LABELS_FILE} has no label for {absent[0]} ({len(absent)} of "
                f"{len(names)} images); make the zip again."
            )
        self.num_classes = max(known.values()) + 1
        return torch.tensor([known[name] for name in names])

    def _read_labels_file(self) -> dict[str, int] | None:
        member = self._member(LABELS_FILE)
        if member not in self.archive.NameToInfo:
            return None
        if self.archive.getinfo(member).file_size > LARGEST_LABELS_FILE:
            raise DatasetError(f"{self.path}: {member} is larger than {LARGEST_LABELS_FILE} bytes.")
        try:
            return _parse_labels(read_member(self.archive, self.archive.getinfo(member)))
        except Exception as error:  # damaged members and foreign JSON raise many classes
            raise DatasetError(
                f"{self.path}: {member} is not labels ({error}); expected "
                '{"labels": [["00000/img00000000.png", 6], ...]} with whole numbers, or null.'
            ) from error

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        return self.names[index]

    def decode(self, index: int) -> Decoded:
        return decode_image(
            self._read(self._member(self.names[index])),
            bit_depth=self.preparation.bit_depth,
            alpha=self.preparation.alpha,
            max_pixels=self.preparation.max_pixels,
        )

    def _read(self, member: str) -> bytes:
        info = self.archive.getinfo(member)
        check_file_size(info.file_size, max_pixels=self.preparation.max_pixels)
        try:
            with self.lock:
                return read_member(self.archive, info)
        except FAULTS as error:
            raise BadImageError(f"cannot be unpacked: {error}; make the zip again.") from error
        except OSError as error:
            raise DatasetError(f"{self.path} cannot be read: {error.strerror}.") from error

    def identity(self) -> dict[str, object]:
        rows = [self.rows.start, self.rows.stop]
        selection = {"folder": self.folder, "rows": rows, "layout": str(self.layout)}
        return {"zip": str(self.path), **selection}

    def stamp(self) -> str:
        return self.files.stamp()

    def changed(self, indices: Sequence[int]) -> str | None:
        return None if self.files.changed() is None else self.path.name


def _refuse_absent(path: Path) -> None:
    if path.is_dir():
        raise DatasetError(f"{path} is a folder, not a zip file; choose folder instead of zip.")
    if not path.is_file():
        raise DatasetError(f"{path} does not exist; set dataset.path (or generator.path) to a zip.")


def _open_zip(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # a damaged table of contents can raise nearly anything
        raise DatasetError(f"{path} is not a readable zip file: {error}; copy it again.") from error
    _refuse_members(path, archive.infolist())
    return archive


def _refuse_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for info in members:
        parts = info.filename.split("/")
        if info.flag_bits & ENCRYPTED:
            raise DatasetError(f"{path}: {info.filename} is encrypted; make the zip without.")
        if method := foreign_method(info):
            raise DatasetError(
                f"{path}: {info.filename} is packed by {method}, expected stored or deflated; make "
                "the zip again."
            )
        if info.filename.startswith(("/", "\\")) or ".." in parts:
            raise DatasetError(f"{path}: {info.filename} points out of the zip; make it again.")
        if info.filename in seen:
            raise DatasetError(f"{path} holds {info.filename} twice; make the zip again.")
        if parts[-1] == "" and is_image_name(info.filename.rstrip("/")):
            raise DatasetError(f"{path}: {info.filename} is a folder with the name of an image.")
        seen.add(info.filename)


def _parse_labels(data: bytes) -> dict[str, int] | None:
    rows = json.loads(data).get("labels")
    if rows is None:
        return None
    labels = {str(name): label for name, label in rows}
    for name, label in labels.items():
        if type(label) is not int or not 0 <= label <= LARGEST:
            raise ValueError(f"the label of {name} is {label!r}")
    if not labels:
        raise ValueError("the list is empty")
    return labels
