"""Statistics files as a dataset: npz of ADM, EDM, clean-fid, pytorch-fid, pkl of EDM2, our own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.datasets.arrays import ADM_IMAGES, ImageArray
from bench.datasets.given_moments import GivenMoments, fingerprint
from bench.datasets.naming import absolute
from bench.datasets.statistics_layouts import (
    MOMENTS,
    SPATIAL,
    StoredStatistics,
    read_statistics,
)
from bench.datasets.statistics_origin import Origin
from bench.datasets.stored import StoredImages
from bench.errors import ConfigError, DatasetError
from bench.fingerprint import ProgressCall
from metrics.moments import Moments, check_moments

NUMPY_DDOF = 1  # np.cov's divisor N - 1: that of every known tool that writes such files


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """A dataset of which a file holds the moments.

    Attributes:
        path: npz with mu and sigma (ADM's also mu_s, sigma_s), or EDM2's pkl.
        name: what records call it; None lets the run name it after path and content.
        backbone: which backbone the file is of; None where the file itself says.
        count: how many images it is of; None where the file says or nobody knows.
        ddof: the covariance is divided by N - ddof; None takes the file's word, else 1.
        key: which entry of a pkl, `fid` or `fd_dinov2`; None takes the only one.
        images: whether ADM's arr_0 gives reference rows to the metrics that need them.
        provenance: where the file is from, in your words; only for the record.
    """

    path: str
    name: str | None = None
    backbone: str | None = None
    count: int | None = None
    ddof: int | None = None
    key: str | None = None
    images: bool = False
    provenance: str | None = None
    split: ClassVar[str] = "reference"
    holdout_split: ClassVar[str | None] = None

    def locate(self) -> Path:
        """The file; it is not read.

        Raises:
            DatasetError: if it is not there.
        """
        file = absolute(self.path)
        if not file.is_file():
            raise DatasetError(
                f"{file} does not exist or is no file; set dataset.path to an npz or pkl of "
                "statistics."
            )
        return file

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> GivenMoments:
        """Read and check the moments; images only where they are asked for.

        Raises:
            DatasetError: if the file is damaged, or does not hold a mean and a covariance.
            ConfigError: if what the config says contradicts the file, or is missing.
        """
        if split != self.split:
            raise ConfigError(f"{self.path} has no split {split!r}; it has {self.split}.")
        file = self.locate()
        stored = read_statistics(file, self.key)
        origin = None if stored.origin is None else Origin.read(stored.origin, where=file)
        backbone = self._settled("backbone", origin.backbone_name if origin else None)
        if backbone is None:
            raise ConfigError(_of_unknown_network(file))
        count, ddof = self._count_and_divisor(stored, origin)
        has_spatial = SPATIAL[0] in stored.arrays
        pooled = _moments(MOMENTS, stored, count, ddof, file)
        spatial = _moments(SPATIAL, stored, count, ddof, file) if has_spatial else None
        if origin is not None:
            origin.check_arrays(fingerprint(pooled, spatial), where=file)
        images = self._images(stored, file, manifests, progress) if self.images else None
        return GivenMoments(file, backbone, pooled, spatial, origin, images)

    def _count_and_divisor(
        self, stored: StoredStatistics, origin: Origin | None
    ) -> tuple[int | None, int]:
        count = self._settled("count", origin.count if origin else stored.count)
        ddof = self._settled("ddof", origin.ddof if origin else None)
        ddof = NUMPY_DDOF if ddof is None else ddof
        if ddof not in (0, 1) or (count is not None and count <= ddof):
            raise ConfigError(
                f"dataset.count={count} and dataset.ddof={ddof}: expected ddof 0 or 1, and more "
                "images than that."
            )
        return count, ddof

    def _settled(self, field: str, found: Any) -> Any:
        """What the config says, or the file; they must not contradict each other."""
        stated = getattr(self, field)
        if stated is not None and found is not None and stated != found:
            raise ConfigError(
                f"dataset.{field}={stated}, but {self.path} says {found}; leave the setting out."
            )
        return found if stated is None else stated

    def _images(
        self, stored: StoredStatistics, file: Path, manifests: Path, progress: ProgressCall | None
    ) -> StoredImages:
        if not stored.has_images:
            raise DatasetError(
                f"{file} holds no images ({ADM_IMAGES}); leave dataset.images out, and the metrics "
                "that need them."
            )
        images = ImageArray(path=str(file), key=ADM_IMAGES)
        return images.open(images.split, manifests=manifests, progress=progress)


def _of_unknown_network(file: Path) -> str:
    return (
        f"{file} does not say which network its statistics are of; type dataset.backbone=inception "
        "(published files of 2048 numbers), or another name from `salon list backbones`."
    )


def _moments(
    keys: tuple[str, str], stored: StoredStatistics, count: int | None, ddof: int, file: Path
) -> Moments:
    """In float64.

    Raises:
        DatasetError: if the two arrays are no mean and covariance.
    """
    mean, covariance = (_in_float64(stored.arrays[key], key, file) for key in keys)
    moments = Moments(mean, covariance, count=count, ddof=ddof)
    try:
        check_moments(**{" and ".join(keys): moments})
    except ValueError as error:
        raise DatasetError(f"{file}: {error}") from error
    return moments


def _in_float64(array: np.ndarray, key: str, file: Path) -> Tensor:
    if array.dtype not in (np.float32, np.float64):
        raise DatasetError(f"{file}: {key} is {array.dtype}; expected float32 or float64.")
    return torch.from_numpy(np.array(array, np.float64))
