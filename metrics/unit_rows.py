"""Rows scaled to length one, in float64."""

import torch
from torch import Tensor


def unit_rows(rows: Tensor) -> Tensor:
    """Divide each row by its Euclidean length.

    Lengths are taken of rows already divided by their largest entry, so that squares neither
    overflow nor vanish.

    Args:
        rows: (N, D) features.

    Returns:
        (N, D) float64.
    """
    wide = rows.double()
    wide = wide / wide.abs().amax(dim=1, keepdim=True)
    return wide.div_(torch.linalg.vector_norm(wide, dim=1, keepdim=True))


def check_directions(**sides: Tensor) -> None:
    """Refuse rows of zeros, which have no direction.

    Raises:
        ValueError: naming the side and its first such row.
    """
    for side, rows in sides.items():
        zero = (rows == 0).all(dim=1)
        if zero.any():
            raise ValueError(
                f"{side}: {int(zero.sum())} of {len(rows)} rows are all zeros, the first is row "
                f"{int(zero.nonzero()[0])}; a row of zeros has no direction. Leave such images out "
                "or use another backbone."
            )
