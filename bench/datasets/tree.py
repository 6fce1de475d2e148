"""A tree of named images, in a folder or a zip: its splits, its classes, its expected counts.

A split is a sub-folder (`folders`), a range of the sorted images (`ranges`), or, where neither
is set, the whole tree under the name `all`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath

import torch
from torch import Tensor

from bench.datasets.preparation import Preparation
from bench.errors import ConfigError, DatasetError

WHOLE = "all"
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class Layout(StrEnum):
    """What sub-folders mean: nothing (`flat`), or one class each (`classes`)."""

    flat = "flat"
    classes = "classes"


@dataclass(frozen=True, kw_only=True)
class ImageTree(Preparation):
    """Base of `ImageFolder` and `ImageZip`.

    Attributes:
        path: the folder or zip.
        name: what records call it; None lets the run name it after path and content.
        split: the reference split.
        holdout_split: real images that are not in the reference split, or None.
        layout: `classes` takes the first folder level as classes, numbered in sorted order.
        folders: split -> sub-folder.
        ranges: split -> [first, stop) of the images sorted by relative path.
        expected: split -> how many images it must have; null asks for no number.
    """

    path: str
    name: str | None = None
    split: str = WHOLE
    holdout_split: str | None = None
    layout: Layout = Layout.flat
    folders: dict[str, str] = field(default_factory=dict)
    ranges: dict[str, list[int]] = field(default_factory=dict)
    expected: dict[str, int | None] = field(default_factory=dict)

    def folder_of(self, split: str) -> str:
        """The sub-folder of a split, "" for the whole tree.

        Raises:
            ConfigError: for a split that the dataset does not have.
        """
        if split in self.folders:
            return self.folders[split]
        if split in self.ranges or (split == WHOLE and not self.folders):
            return ""
        known = [*self.folders, *self.ranges] + ([] if self.folders else [WHOLE])
        raise ConfigError(f"{self.path} has no split {split!r}; it has {', '.join(known)}.")

    def rows_of(self, split: str, count: int, where: str) -> range:
        """The rows of a split among `count` sorted images.

        Raises:
            DatasetError: if there are fewer images than the range or `expected` asks for.
            ConfigError: if the range is no range.
        """
        rows = range(count)
        if split in self.ranges:
            rows = _range(list(self.ranges[split]), split)
            if rows.stop > count:
                raise DatasetError(
                    f"{where} holds {count:,} images, and split {split} is images {rows.start:,} "
                    f"to {rows.stop - 1:,}; complete the copy, or set dataset.ranges.{split}."
                )
        expected = self.expected.get(split)
        if expected is not None and len(rows) != expected:
            raise DatasetError(
                f"{where} has {len(rows):,} images in split {split}, expected {expected:,}; "
                f"complete the copy, or set dataset.expected.{split}=null."
            )
        return rows


def _range(bounds: Sequence[int], split: str) -> range:
    if len(bounds) != 2 or not 0 <= bounds[0] < bounds[1]:
        raise ConfigError(
            f"ranges.{split}={list(bounds)} is no range; give [first, stop), e.g. [0, 60000]."
        )
    return range(bounds[0], bounds[1])


def is_image_name(name: str) -> bool:
    """Whether the suffix, in whatever case, is one of an image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def is_hidden(relative: str) -> bool:
    """Dot-files, macOS's `._x.png` among them, and everything below such a folder."""
    return any(part.startswith(".") or part == "__MACOSX" for part in relative.split("/"))


def class_labels(names: Sequence[str], where: str) -> tuple[Tensor, int]:
    """Labels from the first folder of each relative path, numbered in sorted order.

    Raises:
        DatasetError: if an image lies beside the class folders, or these are numbers that sort
            otherwise as text: samples of class 10 would be compared with class 2.
    """
    folders = [name.split("/", 1)[0] if "/" in name else None for name in names]
    if None in folders:
        raise DatasetError(
            f"{where}: {names[folders.index(None)]} lies beside the class folders; move it into "
            "one, or set dataset.layout=flat."
        )
    names_of_classes = sorted(set(map(str, folders)))
    _refuse_unpadded(names_of_classes, where)
    number = {folder: label for label, folder in enumerate(names_of_classes)}
    return torch.tensor([number[str(folder)] for folder in folders]), len(number)


def _refuse_unpadded(classes: Sequence[str], where: str) -> None:
    """Of class folders in the order of text."""
    if not all(name.isdecimal() for name in classes):
        return
    for first, second in itertools.pairwise(classes):
        if int(first) > int(second):
            raise DatasetError(
                f"{where}: the class folders {first} and {second} are numbers that sort otherwise "
                "as text, by which classes are numbered; pad them with zeros to one length, or, "
                "where no metric asks for classes, take dataset.layout=flat (for samples "
                "generator.source.layout)."
            )


def nothing_found(where: str, other_suffixes: Mapping[str, int]) -> DatasetError:
    """The error for a place without images: which suffixes were looked for, which are there."""
    wanted = ", ".join(suffix[1:] for suffix in IMAGE_SUFFIXES)
    found = ", ".join(f"{count} {suffix}" for suffix, count in sorted(other_suffixes.items()))
    return DatasetError(
        f"{where} holds no image ({wanted}); found {found or 'no file at all'}. Set the path "
        "(dataset.path, or generator.path for samples)."
    )


def suffix_of(name: str) -> str:
    """The suffix in lower case, for counting."""
    return PurePosixPath(name).suffix.lower() or "(no suffix)"
