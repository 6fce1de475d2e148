"""Rows of features that someone computed already: no images, so no backbone runs."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from bench.datasets.class_numbers import class_numbers
from bench.datasets.naming import absolute
from bench.datasets.numpy_file import check_sums, npz_keys, read_npy, read_npz
from bench.errors import ConfigError, DatasetError
from bench.fingerprint import ProgressCall

FEATURES, LOGITS, LABELS, SPATIAL = "features", "logits", "labels", "spatial"
BESIDE = (LOGITS, LABELS, SPATIAL)


@dataclass(frozen=True)
class FeatureFile:
    """The features of one file.

    Attributes:
        path: where they lie, for messages.
        features: (N, D), float32 or float64 as in the file.
        logits: (N, C), or None.
        labels: (N,) int64, or None.
        spatial: (N, S), or None.
    """

    path: Path
    features: Tensor
    logits: Tensor | None = None
    labels: Tensor | None = None
    spatial: Tensor | None = None
    fingerprint: str = field(init=False)
    live: ClassVar[bool] = False

    def __post_init__(self) -> None:
        arrays = (self.features, self.logits, self.labels)
        object.__setattr__(self, "fingerprint", _fingerprint(arrays, self.spatial))

    def __len__(self) -> int:
        return len(self.features)

    def rows(self) -> Tensor:
        """The features, (N, D), float32 or float64 as in the file."""
        return self.features

    def content(self) -> dict[str, object]:
        """sha256 over dtype, shape and bytes of the features, then of the other arrays if any."""
        return {"fingerprint": self.fingerprint}


@dataclass(frozen=True, kw_only=True)
class Features:
    """A dataset or generator of finished features, for `backbone=precomputed`.

    Attributes:
        path: npy, npz or safetensors: (N, D) float32 or float64; where the file holds several
            arrays they are called `features`, `logits`, `labels` and `spatial`.
        holdout: a second file with features of other real images, or None.
        name: what records call it; None lets the run name it after path and content.
    """

    path: str
    holdout: str | None = None
    name: str | None = None
    split: ClassVar[str] = "reference"

    @property
    def holdout_split(self) -> str | None:
        """`holdout` where that file is named."""
        return None if self.holdout is None else "holdout"

    def locate(self) -> Path:
        """The reference's file; it is not read.

        Raises:
            DatasetError: if it is not there.
        """
        _refuse_absent(absolute(self.path))
        return absolute(self.path)

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> FeatureFile:
        """Read the file of a split; nothing is remembered, for reading it is as cheap."""
        if split == self.split:
            return read_features(self.path)
        if split == "holdout" and self.holdout is not None:
            return read_features(self.holdout)
        known = (
            "reference and holdout"
            if self.holdout
            else "reference; dataset.holdout=FILE adds holdout"
        )
        raise ConfigError(f"{self.path} has no split {split!r}; it has {known}.")


def read_features(path: str) -> FeatureFile:
    """Read and check one file.

    Raises:
        DatasetError: if it is absent, damaged, or not (N, D) float32 or float64. NaN passes: the
            metric names the row.
    """
    file = absolute(path)
    arrays = _read_arrays(file)
    features = arrays[FEATURES]
    _check_features(features, file)
    for name in BESIDE:
        _check_rows(arrays.get(name), name, len(features), file)
    labels = arrays.get(LABELS)
    return FeatureFile(
        file,
        torch.from_numpy(features),
        _tensor(arrays.get(LOGITS), LOGITS, file),
        None if labels is None else class_numbers(labels, where=str(file)),
        _tensor(arrays.get(SPATIAL), SPATIAL, file),
    )


def _tensor(array: np.ndarray | None, name: str, file: Path) -> Tensor | None:
    if array is None:
        return None
    try:
        return torch.from_numpy(array)
    except (TypeError, ValueError) as error:  # 128 bits or another byte order, which torch has not
        raise DatasetError(f"{file}: {name} are {array.dtype}; save float32 or float64.") from error


def _refuse_absent(file: Path) -> None:
    if not file.is_file():
        raise DatasetError(
            f"{file} does not exist or is no file; set the path to features in npy, npz or "
            "safetensors."
        )


def _read_arrays(file: Path) -> dict[str, np.ndarray]:
    _refuse_absent(file)
    if file.suffix.lower() == ".npy":
        return {FEATURES: np.array(read_npy(file))}
    if file.suffix.lower() == ".npz":
        keys = _keys(npz_keys(file), file)
        check_sums(file, list(keys.values()))  # mapping an array does not look at its checksum
        return {role: np.array(read_npz(file, key)) for role, key in keys.items()}
    if file.suffix.lower() == ".safetensors":
        return _read_safetensors(file)
    raise DatasetError(f"{file} is neither npy, npz nor safetensors; save the features as one.")


def _read_safetensors(file: Path) -> dict[str, np.ndarray]:
    try:
        with safe_open(file, framework="pt") as stored:
            keys = _keys(list(stored.keys()), file)
            tensors = {role: stored.get_tensor(key) for role, key in keys.items()}
    except SafetensorError as error:
        raise DatasetError(f"{file} is not a safetensors file: {error}; copy it again.") from error
    return {role: _array(tensor, file) for role, tensor in tensors.items()}


def _array(tensor: Tensor, file: Path) -> np.ndarray:
    try:
        return tensor.numpy()
    except TypeError as error:  # bfloat16 and float8, which numpy has not
        raise DatasetError(f"{file} holds {tensor.dtype}; save float32 or float64.") from error


def _keys(keys: list[str], file: Path) -> dict[str, str]:
    """Role -> key: `features` by name or as the only array, the others by name."""
    if FEATURES in keys:
        return {role: role for role in (FEATURES, *BESIDE) if role in keys}
    rest = [key for key in keys if key not in BESIDE]
    if len(rest) != 1:
        raise DatasetError(
            f"{file} holds the arrays {', '.join(keys) or '(none)'}; call the features `features`."
        )
    return {FEATURES: rest[0]} | {role: role for role in BESIDE if role in keys}


def _check_features(features: np.ndarray, file: Path) -> None:
    if features.ndim != 2 or features.size == 0:
        raise DatasetError(f"{file} has shape {features.shape}; expected (N, D), one row an image.")
    if features.dtype not in (np.float32, np.float64):
        raise DatasetError(f"{file} holds {features.dtype}; save float32 or float64.")


def _check_rows(array: np.ndarray | None, name: str, count: int, file: Path) -> None:
    if array is None:
        return
    dimensions, kinds, wanted = {
        LOGITS: (2, "f", "floats (N, C)"),
        LABELS: (1, "iu", "whole numbers (N,)"),
        SPATIAL: (2, "f", "floats (N, S)"),
    }[name]
    if array.ndim != dimensions or array.dtype.kind not in kinds or len(array) != count:
        raise DatasetError(
            f"{file}: {name} are {array.dtype} {array.shape}; expected {wanted} with N={count}, as "
            "many rows as features."
        )


def _fingerprint(arrays: tuple[Tensor | None, ...], spatial: Tensor | None) -> str:
    """Spatial features by name: in place of logits they would be another file."""
    hashed = hashlib.sha256()
    for array in (*arrays, spatial):
        if array is not None:
            hashed.update(SPATIAL.encode() if array is spatial else b"")
            values = np.ascontiguousarray(array.numpy())
            hashed.update(f"{values.dtype.str}{values.shape}".encode())
            hashed.update(values.data)
    return hashed.hexdigest()
