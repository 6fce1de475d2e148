"""Pillow's resizing of a batch: on 8-bit RGB, or on each channel as float32."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def resize_levels(images: Tensor, size: int, filter_: Image.Resampling) -> Tensor:
    """Resize 8-bit RGB images to a square; the result is rounded to 0..255 levels.

    Args:
        images: uint8 (n, 3, H, W).
        size: side of the result in pixels.
        filter_: widened to shrink, as Pillow does.

    Returns:
        float32 (n, 3, size, size), whole numbers in 0..255, on the device of `images`.
    """
    return _stacked([p.resize((size, size), filter_) for p in _pictures(images)], images.device)


def resize_and_crop(images: Tensor, size: int, shorter: int, filter_: Image.Resampling) -> Tensor:
    """Bring the shorter side to `shorter`, and keep the centre; the aspect ratio is kept.

    As torchvision's Resize and CenterCrop do: the longer side is rounded down, half a pixel of the
    margin is rounded to even.

    Args:
        images: uint8 (n, 3, H, W).
        size: side of the result in pixels.
        shorter: pixels of the shorter side before the crop, >= size.
        filter_: widened to shrink, as Pillow does.

    Returns:
        float32 (n, 3, size, size), whole numbers in 0..255, on the device of `images`.
    """
    height, width = images.shape[-2:]
    least = min(height, width)
    tall, wide = int(shorter * height / least), int(shorter * width / least)
    left, top = round((wide - size) / 2), round((tall - size) / 2)
    box = (left, top, left + size, top + size)
    resized = (p.resize((wide, tall), filter_) for p in _pictures(images))
    return _stacked([p.crop(box) for p in resized], images.device)


def resize_floats(images: Tensor, size: int, filter_: Image.Resampling) -> Tensor:
    """Resize every channel by itself in float32; nothing is rounded, overshoot is kept.

    Args:
        images: uint8 (n, 3, H, W).
        size: side of the result in pixels.
        filter_: widened to shrink, as Pillow does.

    Returns:
        float32 (n, 3, size, size), on the device of `images`.
    """
    planes = images.reshape(-1, *images.shape[-2:]).cpu().numpy().astype(np.float32)  # (3n, H, W)
    resized = [np.asarray(Image.fromarray(p).resize((size, size), filter_)) for p in planes]
    batch = torch.from_numpy(np.stack(resized))
    return batch.reshape(-1, 3, size, size).to(images.device)


def _pictures(images: Tensor) -> list[Image.Image]:
    arrays = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()  # (n, H, W, 3)
    return [Image.fromarray(array) for array in arrays]


def _stacked(pictures: list[Image.Image], device: torch.device) -> Tensor:
    batch = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
    return batch.permute(0, 3, 1, 2).to(device).float().contiguous()
