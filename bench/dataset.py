"""The dataset contract: a cheap description that opens its splits."""

from pathlib import Path
from typing import Protocol

from bench.images import ImageSource


class Dataset(Protocol):
    """A frozen dataclass whose fields are the yaml's keys; making one touches no file.

    Attributes:
        name: what records and leaderboards call it.
        split: the reference split.
        holdout_split: real images that are not in the reference split, or None.
    """

    name: str
    split: str
    holdout_split: str | None

    def open(self, split: str, *, manifests: Path) -> ImageSource:
        """Open one split.

        Args:
            split: a split of this dataset.
            manifests: folder in which fingerprints of files on disk are remembered.

        Raises:
            bench.errors.DatasetError: if the data is absent, damaged or ambiguous.
        """
