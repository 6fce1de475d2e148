"""A reference that is a mean and a covariance instead of images."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bench.datasets.statistics_origin import Origin
from bench.datasets.stored import StoredImages
from bench.errors import ConfigError, DatasetError
from metrics.moments import Moments


@dataclass(frozen=True)
class GivenMoments:
    """A reference of which only moments are known: no rows, so most metrics cannot use it.

    Attributes:
        path: where the file lies, for messages.
        backbone: name of the backbone that the moments are said to be of.
        pooled: of the features.
        spatial: of the spatial features, or None.
        origin: what the file itself proves of its origin; None for other tools' files.
        images: reference images from the same file, for metrics of rows; None where not asked for.
    """

    path: Path
    backbone: str
    pooled: Moments
    spatial: Moments | None
    origin: Origin | None
    images: StoredImages | None = None
    live: ClassVar[bool] = False

    @property
    def count(self) -> int | None:
        """How many images the moments are of; None where nobody says."""
        return self.pooled.count

    def by_kind(self) -> dict[str, Moments]:
        """Those of features as "pooled" and, where there are such, of "spatial" ones."""
        spatial = {} if self.spatial is None else {"spatial": self.spatial}
        return {"pooled": self.pooled, **spatial}

    def content(self) -> dict[str, object]:
        """sha256 of the moments in float64, whatever file they lie in; their count and divisor."""
        return {
            "fingerprint": fingerprint(self.pooled, self.spatial),
            "reference": "moments",
            "count": self.count,
            "ddof": self.pooled.ddof,
        }

    def provenance(self) -> dict[str, object]:
        """What a record says of the origin, beside the content."""
        if self.origin is None:
            return {"stated_backbone": self.backbone, "origin": "unknown"}
        return {"stated_backbone": self.backbone, "origin": self.origin.entries()}

    @property
    def flags(self) -> dict[str, int]:
        """A reader must know that nobody can tell how these moments were made."""
        return {} if self.origin else {"reference.moments_of_unknown_origin": 1}

    def check_backbone(self, name: str, identity: dict[str, Any]) -> None:
        """Refuse a backbone whose features these are not.

        Raises:
            DatasetError: naming the setting that differs.
        """
        width = identity.get("width", len(self.pooled.mean))
        if width != len(self.pooled.mean):
            raise DatasetError(
                f"{self.path} has moments of {len(self.pooled.mean)} features, and backbone {name} "
                f"gives {width}; choose the backbone that they are of."
            )
        if self.origin is not None:
            self.origin.check_backbone(name, identity, where=self.path)
        elif name != self.backbone:
            raise DatasetError(
                f"{self.path} is said to be of {self.backbone} (dataset.backbone), not of {name}; "
                f"leave {name} out, or correct dataset.backbone."
            )

    def check_count(self, wanted: int | None) -> None:
        """Refuse a protocol that asks for another number of reference images."""
        if wanted is None or wanted == self.count:
            return
        if self.count is None:
            raise ConfigError(
                f"protocol.num_real={wanted}, and {self.path} does not say how many images its "
                "moments are of; type dataset.count=N."
            )
        raise DatasetError(
            f"protocol.num_real={wanted}, but the moments of {self.path} are of {self.count} "
            "images; no rows can be drawn from them."
        )


def fingerprint(*given: Moments | None) -> str:
    """sha256 over the shapes and float64 values of means and covariances, in order."""
    hashed = hashlib.sha256()
    for moments in given:
        for tensor in () if moments is None else (moments.mean, moments.covariance):
            hashed.update(str(tuple(tensor.shape)).encode())
            hashed.update(np.ascontiguousarray(tensor.numpy(), dtype="<f8").data)
    return hashed.hexdigest()
