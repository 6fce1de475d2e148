"""The dataset contract: a cheap description that opens its splits."""

from pathlib import Path
from typing import Protocol

from bench.fingerprint import ProgressCall
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

    def open(
        self, split: str, *, manifests: Path, progress: ProgressCall | None = None
    ) -> ImageSource:
        """Open one split.

        Args:
            split: a split of this dataset.
            manifests: folder in which fingerprints of files on disk are remembered.
            progress: called as progress(done, total) while images are hashed.

        Raises:
            bench.errors.DatasetError: if the data is absent, damaged or ambiguous.
        """

    def locate(self) -> object:
        """Find the data without reading it, for `salon list`.

        Raises:
            bench.errors.DatasetError: if it is not where it should be.
        """
