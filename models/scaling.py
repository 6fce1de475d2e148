"""Input scaling: from pixel levels 0..255 to the numbers that a network was trained on."""

from collections.abc import Sequence
from enum import Enum

import torch
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class Scaling(Enum):
    """Named rules on x in 0..255."""

    tf = "tf"  # (x - 128) / 128: the 2015 Inception graph
    tf_lite = "tf_lite"  # (x - 127) / 128: TensorFlow's EfficientNet-Lite
    unit_symmetric = "unit_symmetric"  # 2 (x / 255) - 1: pytorch-fid and its descendants
    imagenet = "imagenet"  # (x / 255 - mean) / std of the ImageNet training images
    clip = "clip"  # the same with the mean and std of OpenAI's CLIP


def scale(images: Tensor, rule: Scaling) -> Tensor:
    """Scale float images by a named rule.

    Args:
        images: float32 (n, 3, S, S) in 0..255.
        rule: which of the named rules.

    Returns:
        float32 of the same shape.
    """
    if rule is Scaling.tf:
        return (images - 128) / 128
    if rule is Scaling.tf_lite:
        return (images - 127) / 128
    if rule is Scaling.unit_symmetric:
        return 2 * (images / 255) - 1
    if rule is Scaling.clip:
        return standardise(images, CLIP_MEAN, CLIP_STD)
    return standardise(images, IMAGENET_MEAN, IMAGENET_STD)


def standardise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(x / 255 - mean) / std per channel.

    Args:
        images: float32 (n, 3, S, S) in 0..255.
        mean: three channel means, in units of 0..1.
        std: three channel deviations, in units of 0..1.

    Returns:
        float32 of the same shape.
    """
    centre = torch.tensor(list(mean), device=images.device).view(3, 1, 1)
    spread = torch.tensor(list(std), device=images.device).view(3, 1, 1)
    return (images / 255 - centre) / spread
