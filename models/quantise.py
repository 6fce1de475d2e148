"""From a generator's float output in [-1, 1] to uint8; the rule is part of the protocol."""

from enum import Enum

import torch
from torch import Tensor


class Quantise(Enum):
    """Named after who uses the rule; they differ by half a level."""

    stylegan = "stylegan"  # x * 127.5 + 128, truncated: StyleGAN, EDM, StudioGAN, save_image
    adm = "adm"  # (x + 1) * 127.5, truncated: guided-diffusion, torchmetrics' normalize=True


def to_uint8(images: Tensor, rule: Quantise) -> Tensor:
    """Quantise images.

    Args:
        images: (n, C, H, W) float in [-1, 1]; values outside are clamped.
        rule: see `Quantise`.

    Returns:
        uint8 of the same shape.

    Raises:
        ValueError: if a value is NaN.
    """
    if torch.isnan(images).any():
        raise ValueError("the generator's output holds NaN; its weights or its input are broken.")
    offset = 128.0 if rule is Quantise.stylegan else 127.5
    return (images.float() * 127.5 + offset).clamp(0, 255).to(torch.uint8)
