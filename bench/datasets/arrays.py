"""Images in an npy or npz file: uint8 (N, H, W, 3), (N, 3, H, W), or (N, H, W) for grey."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.datasets.file_stamps import FileStamps
from bench.datasets.in_memory import ArrayItems
from bench.datasets.naming import absolute
from bench.datasets.numpy_file import npz_keys, read_npy, read_npz, refuse_absent
from bench.datasets.preparation import Preparation
from bench.datasets.stored import StoredImages, open_stored
from bench.errors import ConfigError, DatasetError
from bench.fingerprint import ProgressCall

ADM_IMAGES, ADM_LABELS = "arr_0", "arr_1"  # what np.savez(file, images, labels) calls them
LABELS = "labels"


@dataclass(frozen=True, kw_only=True)
class ImageArray(Preparation):
    """One array of images on disk; an npy or uncompressed npz is read in parts.

    Attributes:
        path: the file: the reference split, called `all`.
        holdout: a second file with images that are not in the first, or None.
        name: what records call it; None lets the run name it after path and content.
        key: the npz's array of images; None takes `arr_0`, or the only array there is.
        num_classes: None counts from the labels, `labels` or `arr_1` in the npz.
    """

    path: str
    holdout: str | None = None
    name: str | None = None
    split: str = "all"
    key: str | None = None
    num_classes: int | None = None

    @property
    def holdout_split(self) -> str | None:
        """`holdout` where that file is named."""
        return None if self.holdout is None else "holdout"

    def locate(self) -> Path:
        """The file of the reference split; it is not read.

        Raises:
            DatasetError: if it is not there.
        """
        refuse_absent(absolute(self.path))
        return absolute(self.path)

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> StoredImages:
        """Check the array's type and shape, then its fingerprint; see `open_stored`."""
        self.check()
        items = _read_items(self._path_of(split), self.key, self.num_classes)
        return open_stored(items, preparation=self, manifests=manifests, progress=progress)

    def _path_of(self, split: str) -> Path:
        if split not in ("all", self.holdout_split):
            known = "all and holdout" if self.holdout else "all; dataset.holdout=FILE adds holdout"
            raise ConfigError(f"{self.path} has no split {split!r}; it has {known}.")
        path = self.holdout if split == "holdout" and self.holdout else self.path
        return absolute(path)


def _read_items(path: Path, key: str | None, num_classes: int | None) -> ArrayItems:
    files = FileStamps.of([path])
    if path.suffix.lower() == ".npy":
        images, labels, part = read_npy(path), None, ""
    else:
        part = _image_key(path, key)
        images, labels = read_npz(path, part), _read_labels(path, part)
    images = channels_first(images, where=str(path))
    if labels is not None:
        _check_labels(labels, len(images), num_classes, path)
        num_classes = num_classes or int(labels.max()) + 1
    return ArrayItems(
        images, labels=labels, num_classes=num_classes, where=str(path), files=files, part=part
    )


def _image_key(path: Path, key: str | None) -> str:
    keys = npz_keys(path)
    if key is None:
        others = [one for one in keys if one != LABELS]
        key = ADM_IMAGES if ADM_IMAGES in keys else others[0] if len(others) == 1 else None
    if key is None or key not in keys:
        raise DatasetError(
            f"{path} holds the arrays {', '.join(keys) or '(none)'}; name the images' one with "
            "dataset.key (for samples generator.source.key)."
        )
    return key


def _read_labels(path: Path, image_key: str) -> np.ndarray | None:
    keys = npz_keys(path)
    if LABELS in keys:
        return read_npz(path, LABELS)
    if image_key == ADM_IMAGES and ADM_LABELS in keys:
        return read_npz(path, ADM_LABELS)
    return None


def _check_labels(labels: np.ndarray, count: int, num_classes: int | None, path: Path) -> None:
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise DatasetError(
            f"{path}: labels are {labels.dtype} {labels.shape}; expected whole numbers ({count},)."
        )
    if labels.min() < 0 or (num_classes is not None and labels.max() >= num_classes):
        raise DatasetError(
            f"{path}: labels go from {labels.min()} to {labels.max()}; expected 0 to "
            f"{'the number of classes' if num_classes is None else num_classes} - 1."
        )


def channels_first(images: np.ndarray, *, where: str) -> np.ndarray:
    """A view of the images as (N, 3, H, W), or (N, H, W) for grey.

    Raises:
        DatasetError: if they are no uint8 images, or the channels cannot be told.
    """
    if images.dtype != np.uint8:
        raise DatasetError(_wrong_type(images, where))
    if images.size == 0:
        raise DatasetError(f"{where} holds no images: its shape is {images.shape}.")
    if images.ndim == 3 and images.shape[-1] not in (3, 4):  # else: one image, not N grey ones
        return images
    first = images.ndim == 4 and images.shape[1] == 3
    last = images.ndim == 4 and images.shape[3] == 3
    if first and last:
        raise DatasetError(
            f"{where} has shape {images.shape}: channels may be first or last. Save the images "
            "one by one (dataset=folder)."
        )
    if not first and not last:
        raise DatasetError(
            f"{where} has shape {images.shape}; expected (N, H, W, 3), (N, 3, H, W), or "
            "(N, H, W) for grey. Save it so."
        )
    return images if first else images.transpose(0, 3, 1, 2)


def _wrong_type(images: np.ndarray, where: str) -> str:
    advice = "convert it to 0..255 yourself"
    if images.dtype.kind == "f":
        advice = "for values in 0..1 save (x * 255).round().clip(0, 255).astype('uint8')"
    return f"{where} holds {images.dtype}, shape {images.shape}; expected uint8: {advice}."
