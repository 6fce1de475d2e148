"""The fields that every dataset on disk shares: how its images are decoded, cropped and hashed."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import PIL

from bench.crop import Crop, Filter, check_crop
from bench.decode import MAX_PIXELS, Alpha, BitDepth
from bench.errors import ConfigError


class OnBadImage(StrEnum):
    """What to do with an image that cannot be read: stop, or leave it out and count it."""

    error = "error"
    skip = "skip"


class RowRule(StrEnum):
    """How some images of a split are chosen; always in ascending order."""

    first = "first"
    numpy_2020 = "numpy_2020"  # torch-fidelity's: RandomState(2020).choice, anew for each split


def chosen_rows(total: int, count: int, rule: RowRule) -> list[int]:
    """Indices of `count` of `total` images.

    Raises:
        ConfigError: if there are fewer.
    """
    if not 1 <= count <= total:
        raise ConfigError(f"rows={count}: the split has {total} images.")
    if rule is RowRule.first:
        return list(range(count))
    stream = np.random.RandomState(2020)  # the published draw
    return sorted(stream.choice(total, count, replace=False).tolist())


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Base of the datasets on disk.

    Attributes:
        crop, resolution, filter: see `bench.crop.prepare`.
        on_bad_image: stop at a damaged image, or skip and count it.
        bit_depth, alpha, max_pixels: see `bench.decode.decode_image`.
        rows: how many images of each split are used, as published comparisons do; None for all.
        rows_rule: which.
        verify: hash every image again, whatever the manifest says.
        workers: threads for hashing; 0 is one per core.
    """

    crop: Crop = Crop.none
    resolution: int | None = None
    filter: Filter | None = None
    on_bad_image: OnBadImage = OnBadImage.error
    bit_depth: BitDepth = BitDepth.refuse
    alpha: Alpha = Alpha.refuse
    max_pixels: int = MAX_PIXELS
    rows: int | None = None
    rows_rule: RowRule = RowRule.first
    verify: bool = False
    workers: int = 0

    def check(self) -> None:
        """Refuse settings that mean nothing.

        Raises:
            ConfigError: with the setting and the values it may have.
        """
        check_crop(crop=self.crop, resolution=self.resolution, filter=self.filter)
        if self.max_pixels < 1:
            raise ConfigError(f"max_pixels={self.max_pixels} allows no image; use 1 or more.")
        if self.workers < 0:
            raise ConfigError(f"workers={self.workers}: use 1 or more, or 0 for one per core.")

    def pixel_settings(self) -> dict[str, object]:
        """All that the pixels or their number depend on, as JSON values."""
        return {
            "crop": str(self.crop),
            "resolution": self.resolution,
            "filter": None if self.filter is None else str(self.filter),
            "on_bad_image": str(self.on_bad_image),
            "bit_depth": str(self.bit_depth),
            "alpha": str(self.alpha),
            "max_pixels": self.max_pixels,
            "decoder": f"pillow {PIL.__version__}",
        }
