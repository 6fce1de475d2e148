"""Statistics of reference rows as the arrays of a file, in the layouts of other tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from bench.atomic import replace_by
from bench.datasets.array_pickle import dump_arrays
from bench.datasets.arrays import ADM_IMAGES
from bench.datasets.given_moments import fingerprint
from bench.datasets.statistics_layouts import MOMENTS, ORIGIN, SPATIAL
from bench.datasets.statistics_origin import Origin
from bench.feature_set import FeatureSet
from bench.features import extraction_version
from bench.images import ImageSource
from bench.npz import Parts, write_npz
from metrics.moments import Moments, moments

IMAGES_PER_PART = 64
EDM2_ENTRIES = {"inception": "fid", "dinov2_vitl14": "fd_dinov2", "precomputed": "fid"}
DDOF = 1  # np.cov's, which every reader of these layouts takes for granted


class Layout(Enum):
    """Whose file it is to be, by the name of that tool's protocol.

    The value says whether it is compressed, as that tool does, and how its name ends.
    """

    adm = ("adm", False, ".npz")
    edm = ("edm", False, ".npz")
    edm2 = ("edm2", False, ".pkl")
    clean_fid = ("clean_fid", True, ".npz")
    pytorch_fid = ("pytorch_fid", True, ".npz")

    @property
    def compressed(self) -> bool:
        """np.savez_compressed or np.savez."""
        return self.value[1]

    @property
    def suffix(self) -> str:
        """What that tool's reader tells the kind of file by."""
        return self.value[2]

    @property
    def has_images(self) -> bool:
        """ADM's reader asks for spatial moments and images too."""
        return self is Layout.adm


@dataclass(frozen=True)
class Contents:
    """What goes into a file, of one backbone.

    Attributes:
        pooled, spatial: moments; spatial ones for ADM alone.
        images: a source and the rows of it that ADM's arr_0 shows; None for the other layouts.
        origin: how the moments were made.
    """

    pooled: Moments
    spatial: Moments | None
    images: tuple[ImageSource, Sequence[int]] | None
    origin: Origin

    def entries(self) -> dict[str, np.ndarray | Parts]:
        """By the names that every layout has for them, and Salon's own entry."""
        arrays: dict[str, np.ndarray | Parts] = {}
        if self.images is not None:
            arrays[ADM_IMAGES] = _channels_last(*self.images)
        for keys, found in ((MOMENTS, self.pooled), (SPATIAL, self.spatial)):
            if found is not None:
                arrays |= dict(
                    zip(keys, (found.mean.numpy(), found.covariance.numpy()), strict=True)
                )
        return arrays | {ORIGIN: np.frombuffer(self.origin.encode(), np.uint8)}


def write(path: Path, layout: Layout, found: Mapping[str, Contents]) -> None:
    """The whole file or none.

    Args:
        path: a file of that name is replaced.
        layout: whose file it is to be.
        found: by backbone; several for EDM2 alone.

    Raises:
        StoreError: if the disk is full or the folder cannot be written.
    """
    if layout is Layout.edm2:
        content = _edm2(found)
        replace_by(path, lambda file: dump_arrays(content, file))
    else:
        (only,) = found.values()
        arrays = only.entries()
        replace_by(path, lambda file: write_npz(file, arrays, compressed=layout.compressed))


def _edm2(found: Mapping[str, Contents]) -> dict[str, Any]:
    """What EDM2's `save_stats` keeps; the entry `salon` beside mu and sigma is not read there."""
    (count,) = {one.origin.count for one in found.values()}
    return {"num_images": count} | {EDM2_ENTRIES[name]: found[name].entries() for name in found}


def contents(
    features: FeatureSet,
    *,
    images: tuple[ImageSource, Sequence[int]] | None,
    spatial: bool,
    known: Mapping[str, Any],
) -> Contents:
    """Take the moments.

    Args:
        features: of all reference rows.
        images: see `Contents`.
        spatial: whether the spatial moments are wanted; the features must have a spatial part.
        known: fields of `Origin` that the features do not tell.
    """
    pooled = moments(features.features, ddof=DDOF)
    mapped = (
        moments(features.spatial, ddof=DDOF) if spatial and features.spatial is not None else None
    )
    origin = Origin(
        moments=fingerprint(pooled, mapped),
        count=len(features.features),
        ddof=DDOF,
        extraction=extraction_version(known["backbone"]),
        **known,
    )
    return Contents(pooled, mapped, images, origin)


def _channels_last(source: ImageSource, rows: Sequence[int]) -> Parts:
    height, width = source.read(rows[:1]).shape[-2:]
    starts = range(0, len(rows), IMAGES_PER_PART)
    parts = (_part(source, rows[start : start + IMAGES_PER_PART]) for start in starts)
    return Parts((len(rows), height, width, 3), np.dtype(np.uint8), parts)


def _part(source: ImageSource, rows: Sequence[int]) -> np.ndarray:
    images = source.read(rows)
    source.refuse_changed(rows)
    return images.permute(0, 2, 3, 1).numpy()
