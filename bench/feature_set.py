"""The features of one side in one backbone, as metrics and statistics get them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

ROW_DIGEST = 16  # bytes


@dataclass(frozen=True)
class FeatureSet:
    """One side in one backbone; after an extraction its tensors are mapped, not in memory.

    Attributes:
        features: (N, D) float32 (or what a feature file holds).
        logits: (N, C) float32, or None.
        labels: (N,) int64, or None.
        spatial: (N, S) float32, or None where it was not asked for or the backbone has none.
    """

    features: Tensor
    logits: Tensor | None = None
    labels: Tensor | None = None
    spatial: Tensor | None = None

    @cached_property
    def duplicates(self) -> int:
        """Rows that are equal to an earlier row, bit for bit; 16 bytes of memory a row."""
        digests = b"".join(
            hashlib.blake2b(row, digest_size=ROW_DIGEST).digest()
            for row in self.features.contiguous().numpy()
        )
        rows = np.frombuffer(digests, dtype=(np.void, ROW_DIGEST))
        return len(rows) - len(np.unique(rows))
