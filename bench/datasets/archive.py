"""A published dataset file, fetched into salon's own folder when it is nowhere else."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bench.download import DownloadError, download
from bench.errors import DatasetError


@dataclass(frozen=True)
class Archive:
    """One file of a dataset.

    Attributes:
        name: the file's.
        url: where it comes from.
        md5: as published; a download of another is refused.
    """

    name: str
    url: str
    md5: str

    def fetch(self, folder: Path, dataset: str) -> None:
        """Download it unless it is there.

        Raises:
            DatasetError: if it is not to be had, naming the dataset.
            StoreError: if the disk is full or the folder cannot be written.
        """
        try:
            download(self.url, folder / self.name, check=self._fault)
        except DownloadError as error:
            raise DatasetError(f"{dataset} cannot be downloaded to {folder}: {error}.") from error

    def _fault(self, path: Path) -> str | None:
        found = file_md5(path)
        return None if found == self.md5 else f"has md5 {found}, expected {self.md5}"


def file_md5(path: Path) -> str:
    """Hex md5 of a file's bytes; datasets were published with no better hash."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
