"""Resizers by name: the rule by which images meet a network's input size moves every score."""

from enum import Enum

import torch
import torch.nn.functional as F
from PIL.Image import Resampling
from torch import Tensor

from models.pillow_resize import resize_and_crop, resize_floats, resize_levels


class Resize(Enum):
    """Rules for uint8 (n, 3, H, W) -> float32 (n, 3, S, S), both in 0..255.

    Bicubic and Lanczos overshoot at edges: the rules called unclipped, and torch_bicubic_antialias,
    keep that, so some of their pixels lie below 0 or above 255.
    """

    tf1_bilinear = "tf1_bilinear"  # TensorFlow 1 resize_bilinear: origin-aligned, no antialias
    torch_bilinear = "torch_bilinear"  # half-pixel centres, no antialias
    torch_antialias = "torch_antialias"  # half-pixel centres, triangle filter widened to shrink
    torch_bicubic_antialias = "torch_bicubic_antialias"  # Pillow's bicubic, unclipped: EDM2
    pil_bilinear = "pil_bilinear"  # Pillow filters widen to shrink and round back to uint8
    pil_bicubic = "pil_bicubic"
    pil_lanczos = "pil_lanczos"
    pil_box = "pil_box"
    pil_bicubic_crop = "pil_bicubic_crop"  # shorter side to S, centre kept: CLIP
    pil_bicubic_crop_8_7 = "pil_bicubic_crop_8_7"  # shorter side to 8/7 S: 256 for 224
    pil_bicubic_float = "pil_bicubic_float"  # per channel in float32, clipped, never rounded
    pil_bilinear_float = "pil_bilinear_float"
    pil_bicubic_unclipped = "pil_bicubic_unclipped"  # StudioGAN's clean
    pil_lanczos_unclipped = "pil_lanczos_unclipped"  # StudioGAN's friendly, for one backbone

    @property
    def uses_pillow(self) -> bool:
        """Whether the rule runs in Pillow, hence on the CPU."""
        return self.name.startswith("pil_")

    @property
    def crops(self) -> bool:
        """Whether the borders are cut even of an image that has the size already."""
        return self is Resize.pil_bicubic_crop_8_7


_LEVELS = {
    Resize.pil_bilinear: Resampling.BILINEAR,
    Resize.pil_bicubic: Resampling.BICUBIC,
    Resize.pil_lanczos: Resampling.LANCZOS,
    Resize.pil_box: Resampling.BOX,
}
_FLOATS = {
    Resize.pil_bicubic_float: Resampling.BICUBIC,
    Resize.pil_bilinear_float: Resampling.BILINEAR,
    Resize.pil_bicubic_unclipped: Resampling.BICUBIC,
    Resize.pil_lanczos_unclipped: Resampling.LANCZOS,
}


def resize(images: Tensor, size: int, rule: Resize) -> Tensor:
    """Bring images to a square of the given side.

    The aspect ratio is kept only by the rules that crop.

    Args:
        images: uint8 (n, 3, H, W), 0..255.
        size: side of the result in pixels.
        rule: how; images that already are size x size pass unchanged, unless the rule `crops`.

    Returns:
        float32 (n, 3, size, size) in 0..255 (see `Resize` for what overshoots), on the device of
        `images`.
    """
    if images.shape[-2:] == (size, size) and not rule.crops:
        return images.float()
    if rule is Resize.tf1_bilinear:
        return _tf1_bilinear(images.float(), size)
    return _by_pillow(images, size, rule) if rule.uses_pillow else _by_torch(images, size, rule)


def _by_torch(images: Tensor, size: int, rule: Resize) -> Tensor:
    return F.interpolate(
        images.float(),
        (size, size),
        mode="bicubic" if rule is Resize.torch_bicubic_antialias else "bilinear",
        align_corners=False,
        antialias=rule is not Resize.torch_bilinear,
    )


def _by_pillow(images: Tensor, size: int, rule: Resize) -> Tensor:
    """The clipped float rule is of G. Parmar et al., "On Aliased Resizing", 2022."""
    if rule is Resize.pil_bicubic_crop:
        return resize_and_crop(images, size, size, Resampling.BICUBIC)
    if rule is Resize.pil_bicubic_crop_8_7:
        return resize_and_crop(images, size, size * 8 // 7, Resampling.BICUBIC)
    if rule in _LEVELS:
        return resize_levels(images, size, _LEVELS[rule])
    pixels = resize_floats(images, size, _FLOATS[rule])
    return pixels.clamp(0, 255) if rule is Resize.pil_bicubic_float else pixels


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
