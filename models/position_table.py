"""Position tables of vision transformers, resampled to another grid of patches."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from models.weights import WeightsError

_OFFSET = 0.1  # patches that DINO and DINOv2 add, so that rounding cannot lose one


def resample(table: Tensor, side: int) -> Tensor:
    """Bring a position table to side x side patches by the rule of DINO and DINOv2.

    Output patch i reads at (i + 1/2) P / (side + 0.1) - 1/2 of the P x P patches, bicubic with
    a = -0.75, edges repeated, no antialias. A table of that grid passes unchanged.

    Args:
        table: (1, 1 + P * P, D), the class token's row first.
        side: patches along a side of the result.

    Returns:
        (1, 1 + side * side, D).

    Raises:
        WeightsError: if the table is no class token and a square of patches.

    Source: facebookresearch/dinov2, vision_transformer.py, interpolate_pos_encoding with
    interpolate_offset 0.1. timm's own rule has no offset and antialiases, which is another table.
    """
    trained = _grid(table)
    if trained == side:
        return table
    patches = table[:, 1:].reshape(1, trained, trained, -1).permute(0, 3, 1, 2)  # (1, D, P, P)
    scale = (side + _OFFSET) / trained
    resampled = F.interpolate(patches.float(), scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([table[:, :1], resampled.flatten(2).transpose(1, 2)], dim=1)


def _grid(table: Tensor) -> int:
    """P, the patches along a side."""
    patches = table.shape[1] - 1 if table.ndim == 3 else 0
    side = math.isqrt(patches)
    if patches < 1 or side * side != patches or table.shape[0] != 1:
        raise WeightsError(
            f"the position table is {tuple(table.shape)}, expected (1, 1 + P * P, D); "
            "name the file of this architecture"
        )
    return side
