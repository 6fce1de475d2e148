"""Labels of foreign files as class numbers: int64, and small enough to count classes with."""

import numpy as np
import torch
from torch import Tensor

from bench.errors import DatasetError

LARGEST = 2**31 - 1


def class_numbers(labels: np.ndarray, *, where: str) -> Tensor:
    """The labels as int64.

    Args:
        labels: (N,) whole numbers of any width.
        where: the file, for the message.

    Raises:
        DatasetError: naming the first row beyond 2**31; a conversion would make other numbers of
            the largest without a word.
    """
    outside = np.flatnonzero((labels > LARGEST) | (labels < -LARGEST))
    if len(outside):
        row = outside[0]
        raise DatasetError(
            f"{where}: the label of row {row} is {labels[row]}, expected a class number of at most "
            f"{LARGEST}; number the classes from 0."
        )
    return torch.from_numpy(labels.astype(np.int64))
