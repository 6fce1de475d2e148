"""Cropping and resizing at dataset preparation, each rule by the name its users know it by."""

from enum import StrEnum

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bench.errors import ConfigError


class Crop(StrEnum):
    """How an image becomes a square.

    `none` keeps the whole image (a resolution then squeezes it into the square),
    `center_long_edge` takes the centre square of side min(H, W) and resizes it, `adm` is ADM's
    own preparation of ImageNet.
    """

    none = "none"
    center_long_edge = "center_long_edge"
    adm = "adm"


class Filter(StrEnum):
    """Pillow's resampling filters; all of them are antialiased."""

    box = "box"
    bilinear = "bilinear"
    bicubic = "bicubic"
    lanczos = "lanczos"


_PILLOW_FILTERS = {
    Filter.box: Image.Resampling.BOX,
    Filter.bilinear: Image.Resampling.BILINEAR,
    Filter.bicubic: Image.Resampling.BICUBIC,
    Filter.lanczos: Image.Resampling.LANCZOS,
}


def prepare(image: Tensor, *, crop: Crop, resolution: int | None, filter: Filter | None) -> Tensor:
    """Crop and resize one image.

    Args:
        image: uint8 (3, H, W).
        crop: how it becomes a square.
        resolution: side of the result; None leaves the size that the crop gave.
        filter: for `none` and `center_long_edge`; `adm` has its own (box, then bicubic).

    Returns:
        uint8 (3, resolution, resolution), or the crop where resolution is None.
    """
    check_crop(crop=crop, resolution=resolution, filter=filter)
    if crop == Crop.none and resolution is None:
        return image
    picture = Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))
    if crop == Crop.adm and resolution is not None:
        picture = adm_crop(picture, resolution)
    else:
        picture = center_square(picture) if crop == Crop.center_long_edge else picture
        picture = _resize(picture, resolution, filter)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def check_crop(*, crop: Crop, resolution: int | None, filter: Filter | None) -> None:
    """Refuse combinations that would hide a choice.

    Raises:
        ConfigError: if `adm` has no resolution, or a resize has no filter.
    """
    if resolution is not None and resolution < 1:
        raise ConfigError(f"resolution={resolution} is not a size; use 1 or more, or null.")
    if crop == Crop.adm and resolution is None:
        raise ConfigError("crop=adm needs a resolution; set e.g. dataset.resolution=256.")
    if crop != Crop.adm and resolution is not None and filter is None:
        raise ConfigError(
            f"resolution={resolution} needs a filter; set dataset.filter to one of "
            f"{', '.join(Filter)}."
        )


def center_square(picture: Image.Image) -> Image.Image:
    """Centre square of side min(H, W).

    The offset is round((H - side) / 2) with ties to even, as torchvision's center_crop has it,
    which StudioGAN's and BigGAN's CenterCropLongEdge calls.
    """
    side = min(picture.size)
    left = round((picture.width - side) / 2)
    top = round((picture.height - side) / 2)
    return picture.crop((left, top, left + side, top + side))


def adm_crop(picture: Image.Image, resolution: int) -> Image.Image:
    """Halve by box while the short side is >= 2 x resolution, resize by bicubic, crop the centre.

    Source: openai/guided-diffusion, image_datasets.py, center_crop_arr (MIT).
    """
    while min(picture.size) >= 2 * resolution:
        half = (picture.width // 2, picture.height // 2)
        picture = picture.resize(half, resample=Image.Resampling.BOX)
    scale = resolution / min(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    picture = picture.resize(size, resample=Image.Resampling.BICUBIC)
    left = (picture.width - resolution) // 2
    top = (picture.height - resolution) // 2
    return picture.crop((left, top, left + resolution, top + resolution))


def _resize(picture: Image.Image, resolution: int | None, filter: Filter | None) -> Image.Image:
    if resolution is None or filter is None:
        return picture
    return picture.resize((resolution, resolution), resample=_PILLOW_FILTERS[Filter(filter)])
