"""A folder of images: flat, nested, or one sub-folder per class."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bench.datasets.file_stamps import file_status
from bench.datasets.naming import absolute
from bench.datasets.preparation import Preparation
from bench.datasets.stored import StoredImages, StoredItems, open_stored, printable
from bench.datasets.tree import (
    ImageTree,
    Layout,
    class_labels,
    is_hidden,
    is_image_name,
    nothing_found,
    suffix_of,
)
from bench.decode import Decoded, check_file_size, decode_image
from bench.errors import DatasetError
from bench.fingerprint import ProgressCall, stamp_files

_OTHER_KINDS = {".zip": "zip", ".npz": "npz", ".npy": "npy", ".safetensors": "features"}


@dataclass(frozen=True, kw_only=True)
class ImageFolder(ImageTree):
    """Image files below a folder, sorted by relative path; see `ImageTree` for the fields.

    png, jpg, jpeg, webp, bmp, tif and tiff in any case; dot-files are left out, other files are
    counted as "ignored".
    """

    def locate(self) -> Path:
        """The folder of the reference split; nothing is listed.

        Raises:
            DatasetError: if it is not there.
        """
        return self._root(self.split)

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> StoredImages:
        """List the split's images and check every one of them; see `open_stored`."""
        self.check()
        items = _FolderItems(self._root(split), self, split)
        return open_stored(items, preparation=self, manifests=manifests, progress=progress)

    def _root(self, split: str) -> Path:
        root = absolute(self.path) / self.folder_of(split)
        if not root.is_dir():
            raise _not_a_folder(root)
        return root


@dataclass
class _Listing:
    """Relative names with their stamps, and the suffixes of all other files."""

    files: list[tuple[str, int, int]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


class _FolderItems(StoredItems):
    def __init__(self, root: Path, tree: ImageTree, split: str) -> None:
        listing = _list_images(root)
        rows = tree.rows_of(split, len(listing.files), str(root))
        names = [name for name, _, _ in listing.files]
        if tree.layout == Layout.classes:
            labels, self.num_classes = class_labels(names, str(root))
            self.labels = labels[rows.start : rows.stop]
            _refuse_empty_classes(root, names)
        self.root, self.where, self.rows = root, str(root), rows
        self.names = names[rows.start : rows.stop]
        listed = listing.files[rows.start : rows.stop]
        self.files_stamp = stamp_files(listed)
        self.seen = np.array([status for _, *status in listed], dtype=np.int64)
        self.ignored = listing.others.total()
        self.layout, self.preparation = tree.layout, tree

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        return self.names[index]

    def decode(self, index: int) -> Decoded:
        return decode_file(self.root / self.names[index], self.preparation)

    def identity(self) -> dict[str, object]:
        rows = [self.rows.start, self.rows.stop]
        return {"folder": str(self.root), "rows": rows, "layout": str(self.layout)}

    def stamp(self) -> str:
        return self.files_stamp

    def changed(self, indices: Sequence[int]) -> str | None:
        named = ((self.names[index], tuple(self.seen[index])) for index in indices)
        return next((name for name, seen in named if file_status(self.root / name) != seen), None)


def decode_file(path: Path, preparation: Preparation) -> Decoded:
    """Read and decode one file.

    Raises:
        BadImageError: with the reason alone.
        DatasetError: if the file cannot be read at all.
    """
    try:
        check_file_size(path.stat().st_size, max_pixels=preparation.max_pixels)
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{printable(str(path))} cannot be read: {error.strerror}.") from error
    return decode_image(
        data,
        bit_depth=preparation.bit_depth,
        alpha=preparation.alpha,
        max_pixels=preparation.max_pixels,
    )


def _list_images(root: Path) -> _Listing:
    listing = _Listing()
    try:
        for relative, entry in _walk(root, "", {}):
            if is_image_name(relative):
                status = entry.stat()
                listing.files.append((relative, status.st_size, status.st_mtime_ns))
            else:
                listing.others[suffix_of(relative)] += 1
    except OSError as error:
        raise DatasetError(f"{error.filename} cannot be read: {error.strerror}.") from error
    if not listing.files:
        raise nothing_found(str(root), listing.others)
    listing.files.sort()
    return listing


def _not_a_folder(root: Path) -> DatasetError:
    if not root.exists():
        return DatasetError(
            f"{root} does not exist; set dataset.path (or generator.path) to a folder of images."
        )
    kind = _OTHER_KINDS.get(root.suffix.lower())
    advice = f"choose {kind} instead of folder" if kind else "set the path to the folder it lies in"
    return DatasetError(f"{root} is a file, not a folder of images; {advice}.")


def _walk(
    folder: Path, prefix: str, seen: dict[tuple[int, int], Path]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file that is not hidden; linked folders are followed, each folder is listed once."""
    _refuse_second_visit(folder, seen)
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_hidden(entry.name):
                continue
            relative = prefix + entry.name
            _refuse_lost(entry)
            if entry.is_dir():
                yield from _walk(folder / entry.name, relative + "/", seen)
            else:
                yield relative, entry


def _refuse_second_visit(folder: Path, seen: dict[tuple[int, int], Path]) -> None:
    """Links can show one folder under many names, twice as many with every level of them."""
    status = folder.stat()
    if not status.st_ino:  # some network file systems number nothing
        return
    first = seen.setdefault((status.st_dev, status.st_ino), folder)
    if first is folder:
        return
    path = printable(str(folder))
    if first in folder.parents:
        raise DatasetError(f"{path} is a link to a folder above it; remove it.")
    raise DatasetError(
        f"{printable(str(first))} and {path} are one folder, whose images would count twice; "
        "remove one of the links."
    )


def _refuse_lost(entry: os.DirEntry[str]) -> None:
    """Whatever would be left out without a word."""
    path = printable(entry.path)
    if entry.is_symlink() and not os.path.exists(entry.path):
        raise DatasetError(f"{path} is a broken link; remove it or restore its target.")
    if not is_image_name(entry.name):
        return
    if entry.is_dir():
        raise DatasetError(f"{path} is a folder with the name of an image; rename it.")
    if not entry.is_file():
        raise DatasetError(f"{path} is neither a file nor a folder; remove it.")


def _refuse_empty_classes(root: Path, names: list[str]) -> None:
    filled = {name.split("/", 1)[0] for name in names}
    for entry in sorted(root.iterdir()):
        if entry.is_dir() and not is_hidden(entry.name) and entry.name not in filled:
            raise DatasetError(
                f"class folder {entry} holds no image, and classes are numbered by folder; fill "
                "or remove it."
            )
