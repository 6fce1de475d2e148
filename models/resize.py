"""Resizers by name: the rule by which images meet a network's input size moves every score."""

from enum import Enum

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


class Resize(Enum):
    """Rules for uint8 (n, 3, H, W) -> float32 (n, 3, S, S), both in 0..255."""

    tf1_bilinear = "tf1_bilinear"  # TensorFlow 1 resize_bilinear: origin-aligned, no antialias
    torch_bilinear = "torch_bilinear"  # half-pixel centres, no antialias
    torch_antialias = "torch_antialias"  # half-pixel centres, triangle filter widened to shrink
    pil_bilinear = "pil_bilinear"  # Pillow filters widen to shrink and round back to uint8
    pil_bicubic = "pil_bicubic"
    pil_lanczos = "pil_lanczos"
    pil_box = "pil_box"
    pil_bicubic_float = "pil_bicubic_float"  # per channel in float32, clipped, never rounded

    @property
    def uses_pillow(self) -> bool:
        """Whether the rule runs in Pillow, hence on the CPU."""
        return self.name.startswith("pil_")


_PILLOW_FILTER = {
    Resize.pil_bilinear: Image.Resampling.BILINEAR,
    Resize.pil_bicubic: Image.Resampling.BICUBIC,
    Resize.pil_lanczos: Image.Resampling.LANCZOS,
    Resize.pil_box: Image.Resampling.BOX,
}


def resize(images: Tensor, size: int, rule: Resize) -> Tensor:
    """Bring images to a square of the given side; the aspect ratio is not kept.

    Args:
        images: uint8 (n, 3, H, W), 0..255.
        size: side of the result in pixels.
        rule: how; images that already are size x size pass unchanged under every rule.

    Returns:
        float32 (n, 3, size, size) in 0..255, on the device of `images`.
    """
    if images.shape[-2:] == (size, size):
        return images.float()
    if rule is Resize.tf1_bilinear:
        return _tf1_bilinear(images.float(), size)
    if rule is Resize.pil_bicubic_float:
        return _pillow_float(images, size)
    if rule in _PILLOW_FILTER:
        return _pillow(images, size, _PILLOW_FILTER[rule])
    return F.interpolate(
        images.float(),
        (size, size),
        mode="bilinear",
        align_corners=False,
        antialias=rule is Resize.torch_antialias,
    )


def _tf1_bilinear(images: Tensor, size: int) -> Tensor:
    """TensorFlow 1's graph op, separably: output pixel i reads at i * in / out of the input.

    Source: tensorflow/core/kernels/resize_bilinear_op.cc without half_pixel_centers. Columns are
    mixed before rows, in float32, which is that kernel's order of operations.
    """
    columns = _lerp(images, 3, size)
    return _lerp(columns, 2, size)


def _lerp(images: Tensor, dim: int, size: int) -> Tensor:
    """Linear mix of the two neighbours of each origin-aligned position along one axis."""
    length = images.shape[dim]
    scale = torch.tensor(length / size, dtype=torch.float32, device=images.device)
    position = torch.arange(size, dtype=torch.float32, device=images.device) * scale  # (size,)
    low = position.long()
    high = (low + 1).clamp_max(length - 1)
    weight = (position - low).unsqueeze(-1) if dim == 2 else position - low
    start, end = images.index_select(dim, low), images.index_select(dim, high)
    return start + (end - start) * weight


def _pillow(images: Tensor, size: int, filter_: Image.Resampling) -> Tensor:
    """Pillow on 8-bit RGB; its result is rounded to 0..255 levels."""
    arrays = images.permute(0, 2, 3, 1).contiguous().cpu().numpy()  # (n, H, W, 3)
    resized = [np.asarray(Image.fromarray(a).resize((size, size), filter_)) for a in arrays]
    batch = torch.from_numpy(np.stack(resized)).permute(0, 3, 1, 2)
    return batch.to(images.device).float().contiguous()


def _pillow_float(images: Tensor, size: int) -> Tensor:
    """Pillow's bicubic on each channel as float32, clipped to 0..255.

    Source: G. Parmar et al., "On Aliased Resizing and Surprising Subtleties in GAN Evaluation",
    2022: antialiased, and without the rounding to levels between resize and network.
    """
    bicubic = Image.Resampling.BICUBIC
    planes = images.reshape(-1, *images.shape[-2:]).cpu().numpy().astype(np.float32)  # (3n, H, W)
    resized = [np.asarray(Image.fromarray(p).resize((size, size), bicubic)) for p in planes]
    batch = torch.from_numpy(np.stack(resized).clip(0, 255))
    return batch.reshape(-1, 3, size, size).to(images.device)
