"""Samples that lie on disk, or a whole dataset, as the fake side."""

from dataclasses import dataclass
from typing import Any

from bench.generator import Surroundings
from bench.images import ImageSource
from bench.progress import Progress


@dataclass(frozen=True)
class Stored:
    """Any dataset in the role of the generator.

    Attributes:
        source: a dataset: a folder, zip, npz or npy of samples, or one of the named datasets.
        name: what records call it; None takes the source's name (base name of the path plus
            eight digits of the fingerprint).
        trained_on: None fits every dataset.
        path: the samples, where the yaml hands it on to `source`.
        note: a line for the reader of the leaderboard.
    """

    source: Any
    name: str | None = None
    trained_on: str | None = None
    path: str | None = None
    note: str | None = None

    def open(self, surroundings: Surroundings) -> ImageSource:
        """Open the source's reference split."""
        hashing = Progress("hashing fake", 0).reach
        return self.source.open(
            self.source.split, manifests=surroundings.manifests, progress=hashing
        )
