"""Some rows of an image source, and the rule by which a protocol draws them."""

import hashlib
import sys
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from bench.errors import DatasetError
from bench.images import ImageSource

DRAW_VERSION = 2  # under 1 a draw's features could come from a cached draw for the other side


class RowsOf(ImageSource):
    """Some rows of another source, in the order given.

    Args:
        base: the other source.
        rows: indices into it.
        rule: how the rows were chosen, in words.
    """

    def __init__(self, base: ImageSource, rows: Sequence[int], rule: dict[str, object]) -> None:
        self.base, self.rows, self.rule = base, list(rows), rule
        self.labels = None if base.labels is None else base.labels[torch.tensor(self.rows)]
        self.num_classes = base.num_classes

    @property
    def size(self) -> tuple[int, int] | None:
        """The base's."""
        return self.base.size

    @property
    def counts(self) -> dict[str, int]:
        """The base's conversions."""
        return self.base.counts

    def __len__(self) -> int:
        """How many rows were chosen."""
        return len(self.rows)

    def read(self, indices: Sequence[int]) -> Tensor:
        """Read through to the base."""
        return self.base.read([self.rows[index] for index in indices])

    def refuse_changed(self, indices: Sequence[int]) -> None:
        """Look at the base's files."""
        self.base.refuse_changed([self.rows[index] for index in indices])

    def content(self) -> dict[str, object]:
        """The base's content, the rule, and a hash of the rows themselves: rules can be alike."""
        return {"base": self.base.content(), **self.rule, "rows_sha256": self._rows_sha256}

    @cached_property
    def _rows_sha256(self) -> str:
        return hashlib.sha256(np.asarray(self.rows, "<i8").tobytes()).hexdigest()

    def image_name(self, index: int) -> str:
        """The base's name for it."""
        return self.base.image_name(self.rows[index])


def drawn_rows(total: int, count: int | None, seed: int, side: str) -> Sequence[int]:
    """Which rows a protocol uses.

    All rows where `count` is None or equals the total; else a draw without replacement, in
    ascending order, from a stream of its own: sorted files would otherwise mean missing classes.

    Args:
        total: rows there are; `sys.maxsize` for a live generator, which simply counts from 0.
        count: rows wanted, or None for all.
        seed: the run's seed.
        side: "real" or "fake"; the two sides draw from streams of their own.

    Raises:
        DatasetError: if there are fewer rows than wanted.
    """
    if total == sys.maxsize:
        return range(count or 0)
    if count is None or count == total:
        return range(total)
    if count > total:
        raise DatasetError(
            f"protocol.num_{side} asks for {count} {side} images, found {total}; "
            f"give more images, or say protocol.num_{side}={total}."
        )
    entropy = np.random.SeedSequence([seed, total, *side.encode()])
    draws = np.random.Generator(np.random.Philox(entropy))
    return np.sort(draws.permutation(total)[:count]).tolist()
