"""How images of a path meet the perceptual distance: levels, crop, size."""

from enum import Enum

import torch.nn.functional as F
from torch import Tensor


class Crop(Enum):
    """What part of the images is compared."""

    none = "none"
    face = "face"  # with c = H / 8, rows 3c to 7c and columns 2c to 6c: where FFHQ's faces are


class Shrink(Enum):
    """How large images meet the distance."""

    box_256 = "box_256"  # from 512 px, means of squares of H // 256 pixels; a crop stays smaller
    resize_64 = "resize_64"  # to 64 x 64: means of areas if both sides are larger, else bilinear


def prepare(images: Tensor, *, crop: Crop, shrink: Shrink, quantise: bool) -> Tensor:
    """Quantise, crop and shrink images, in this order, and give grey ones three channels.

    Args:
        images: float (n, 1 or 3, H, W) in [-1, 1].
        crop: what part of them is kept.
        shrink: how large ones are made smaller.
        quantise: whether they are rounded to 256 levels.

    Returns:
        Float (n, 3, h, w) in [-1, 1].

    Raises:
        ValueError: if these are no such images, a crop meets images that are not square, or squares
            of pixels do not cover the images.
    """
    _check(images)
    height = images.shape[2]
    if quantise:
        images = ((images + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1
    if crop is Crop.face:
        images = _face(images)
    images = _box(images, height // 256) if shrink is Shrink.box_256 else _resize(images)
    return images.expand(-1, 3, -1, -1)


def _check(images: Tensor) -> None:
    if not images.is_floating_point() or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"ppl: the generator gave {images.dtype} of shape {tuple(images.shape)}, expected "
            "float images (n, 1 or 3, H, W) in [-1, 1]."
        )


def _face(images: Tensor) -> Tensor:
    height, width = images.shape[2:]
    if height != width or height < 8:
        raise ValueError(
            f"ppl: found images of {height} x {width} pixels, the face crop needs squares of 8 or "
            "more; take crop none."
        )
    unit = height // 8
    return images[:, :, 3 * unit : 7 * unit, 2 * unit : 6 * unit]


def _box(images: Tensor, factor: int) -> Tensor:
    if factor <= 1:
        return images
    if images.shape[2] % factor or images.shape[3] % factor:
        raise ValueError(
            f"ppl: found {tuple(images.shape[2:])} pixels to shrink by {factor}, expected a "
            "multiple; take shrink resize_64."
        )
    return F.avg_pool2d(images, factor)


def _resize(images: Tensor) -> Tensor:
    if min(images.shape[2:]) > 64:
        return F.interpolate(images, (64, 64), mode="area")
    return F.interpolate(images, (64, 64), mode="bilinear", align_corners=False)
