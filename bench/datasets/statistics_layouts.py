"""The files in which other tools keep reference statistics, read as plain arrays.

- mu (D,), sigma (D, D) in an npz: pytorch-fid, clean-fid, EDM, TTUR.
- the same with mu_s, sigma_s of the spatial features and 10,000 images arr_0: ADM.
- a pickle of {num_images, fid: {mu, sigma}, fd_dinov2: {mu, sigma}}: EDM2. It is read by an
  unpickler that knows numpy's arrays and plain values alone.

Salon's own files are these forms with one more array, `salon`, which the others ignore; EDM2's has
one beside each mu and sigma.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.datasets.array_pickle import load_arrays
from bench.datasets.arrays import ADM_IMAGES
from bench.datasets.numpy_file import check_sums, npz_keys, read_npz
from bench.errors import ConfigError, DatasetError

MOMENTS = ("mu", "sigma")
SPATIAL = ("mu_s", "sigma_s")
ORIGIN = "salon"
CONVERT = "To convert it: np.savez(FILE, mu=mean, sigma=covariance)."


@dataclass(frozen=True)
class StoredStatistics:
    """What a file holds, unchecked.

    Attributes:
        arrays: mu and sigma, of the features; mu_s and sigma_s, of the spatial ones, both or
            neither.
        count: how many images, where the layout has a place for it.
        origin: the bytes of Salon's own entry, or None.
        has_images: whether there are images too.
    """

    arrays: Mapping[str, np.ndarray]
    count: int | None = None
    origin: bytes | None = None
    has_images: bool = False


def read_statistics(file: Path, key: str | None) -> StoredStatistics:
    """Read any of the layouts.

    Args:
        file: npz or pkl.
        key: which entry of a pkl; None takes the only one.

    Raises:
        DatasetError: if it is absent, damaged, holds objects, or none of the layouts.
        ConfigError: if a key is named where there is nothing to choose.
    """
    if file.suffix.lower() in (".pkl", ".pickle"):
        return _from_pickle(file, key)
    if key is not None:
        raise ConfigError(f"dataset.key={key}: only a pkl holds several entries; leave it out.")
    if file.suffix.lower() != ".npz":
        raise DatasetError(f"{file} is neither npz nor pkl. {CONVERT}")
    return _from_npz(file)


def _from_npz(file: Path) -> StoredStatistics:
    keys = npz_keys(file)
    if missing := [key for key in MOMENTS if key not in keys]:
        raise DatasetError(_no_moments(file, keys, missing))
    spatial = [key for key in SPATIAL if key in keys]
    if len(spatial) == 1:
        raise DatasetError(f"{file} holds {spatial[0]} without the other of mu_s and sigma_s.")
    own = [key for key in (ORIGIN,) if key in keys]
    read = [*MOMENTS, *spatial, *own]
    check_sums(file, read)
    arrays = {key: np.array(read_npz(file, key)) for key in read}
    origin = arrays.pop(ORIGIN).tobytes() if own else None
    return StoredStatistics(arrays, origin=origin, has_images=ADM_IMAGES in keys)


def _no_moments(file: Path, keys: list[str], missing: list[str]) -> str:
    if ADM_IMAGES in keys:
        advice = f"it holds images: dataset=npz dataset.path={file.name}"
    elif "feats" in keys:
        advice = "it holds features, as clean-fid's for KID: dataset=features"
    else:
        advice = "expected mu (D,) and sigma (D, D)"
    found = ", ".join(keys) or "nothing"
    return f"{file} holds {found}, no {' and '.join(missing)}; {advice}."


def _from_pickle(file: Path, key: str | None) -> StoredStatistics:
    try:
        content = load_arrays(_bytes(file), where=str(file))
    except DatasetError as error:
        raise DatasetError(f"{error} {CONVERT}") from error
    entries = _entries(content)
    if not entries:
        raise DatasetError(f"{file} holds no entry with mu and sigma, as EDM2's have. {CONVERT}")
    if key is None and len(entries) == 1:
        (key,) = entries
    if key not in entries:
        raise DatasetError(
            f"{file} holds the entries {', '.join(entries)}, found dataset.key={key}; type "
            f"dataset.key={next(iter(entries))} or another of them."
        )
    count = content.get("num_images")
    own = entries[key].get(ORIGIN)
    return StoredStatistics(
        {name: np.asarray(entries[key][name]) for name in MOMENTS},
        count=count if type(count) is int else None,
        origin=own.tobytes() if isinstance(own, np.ndarray) else None,
    )


def _entries(content: Any) -> dict[str, Mapping[str, Any]]:
    """Name -> entry with mu and sigma."""
    if not isinstance(content, dict):
        return {}
    return {
        str(name): entry
        for name, entry in content.items()
        if isinstance(entry, dict) and entry.keys() >= set(MOMENTS)
    }


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DatasetError(f"{file} cannot be read: {error.strerror}.") from error
