"""Plain statistics of generated images: sharpness, colour, brightness, contrast, entropy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.intervals import mean_estimate
from metrics.metric import Better, Outcome

BATCH = 64  # images read at a time; cannot change the result


class Images(Protocol):
    """Images that are read in parts."""

    def __len__(self) -> int:
        """How many there are."""

    def read(self, indices: Sequence[int]) -> Tensor:
        """uint8 (n, 3, H, W), RGB 0..255, one image per index."""


def image_statistics(*, images: Tensor) -> dict[str, Tensor]:
    """Six numbers per image, without any reference.

    With luma Y = 0.299 R + 0.587 G + 0.114 B (Rec. 601, on 0..255, not rounded), and variances and
    deviations over the pixels of one image with divisor n:
    laplacian_variance = variance of Y convolved with [0 1 0; 1 -4 1; 0 1 0], at the pixels that
    have all four neighbours, in squared levels: low means blurred or flat;
    colourfulness = sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2), rg = R - G,
    yb = (R + G) / 2 - B, in levels: 0 for grey, above about 80 for very colourful;
    saturation = mean of (max - min) / max over R, G, B, 0 for black, in 0..1;
    brightness = mean(Y) / 255, in 0..1; contrast = deviation(Y) / 255, in 0..0.5;
    entropy = entropy of the histogram of Y rounded to 256 levels (halves up), in bits, 0..8.

    Args:
        images: uint8 (n, 3, H, W), RGB 0..255, H, W >= 3.

    Returns:
        Name -> (n,) float64. None has a better direction: compare with the real images' values.

    Raises:
        ValueError: if the images have another type or shape, or a side below 3 pixels.

    Source: J. Pech-Pacheco et al., "Diatom Autofocusing in Brightfield Microscopy", 2000
    (laplacian_variance); D. Hasler and S. Suesstrunk, "Measuring Colourfulness in Natural Images",
    2003, eq. 1-4.
    Differs: OpenCV's usual form of the first rounds luma and mirrors it at the border (reflect
    101); nothing is invented at the border here.
    """
    _check(images)
    cuts = blocks(len(images), width=images[0, 0].numel())
    parts = [_statistics(images[cut].int()) for cut in cuts]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _check(images: Tensor) -> None:
    shape = tuple(images.shape)
    if images.dtype != torch.uint8 or images.ndim != 4 or shape[1] != 3 or not len(images):
        raise ValueError(
            f"images: found {images.dtype} of shape {shape}, expected uint8 (n, 3, H, W), n >= 1, "
            "RGB 0..255."
        )
    if min(shape[2:]) < 3:
        raise ValueError(
            f"images: found {shape[2]} x {shape[3]} pixels, expected 3 x 3 or more: the Laplacian "
            "needs four neighbours."
        )


def _statistics(rgb: Tensor) -> dict[str, Tensor]:
    red, green, blue = rgb.unbind(dim=1)
    milli_luma = 299 * red + 587 * green + 114 * blue  # (n, H, W) integers: no rounding
    luma = milli_luma.double()
    return {
        "laplacian_variance": _variance(_laplacian(luma)) / 1000**2,
        "colourfulness": _colourfulness(red, green, blue),
        "saturation": _saturation(rgb),
        "brightness": luma.mean(dim=(1, 2)) / 255_000,
        "contrast": _variance(luma).sqrt() / 255_000,
        "entropy": _entropy((milli_luma + 500) // 1000),
    }


def _variance(plane: Tensor) -> Tensor:
    return plane.var(dim=(1, 2), correction=0)


def _laplacian(plane: Tensor) -> Tensor:
    """(n, H - 2, W - 2)."""
    across = plane[:, 1:-1, :-2] + plane[:, 1:-1, 2:]
    down = plane[:, :-2, 1:-1] + plane[:, 2:, 1:-1]
    return across + down - 4 * plane[:, 1:-1, 1:-1]


def _colourfulness(red: Tensor, green: Tensor, blue: Tensor) -> Tensor:
    rg = (red - green).double()
    yb = (red + green).double() / 2 - blue
    spread = (_variance(rg) + _variance(yb)).sqrt()
    offset = torch.hypot(rg.mean(dim=(1, 2)), yb.mean(dim=(1, 2)))
    return spread + 0.3 * offset


def _saturation(rgb: Tensor) -> Tensor:
    high = rgb.amax(dim=1)
    chroma = high - rgb.amin(dim=1)
    return (chroma.double() / high.clamp(min=1)).mean(dim=(1, 2))  # black has chroma 0


def _entropy(levels: Tensor) -> Tensor:
    """(n,) bits of the 256-bin histograms of (n, H, W) levels 0..255."""
    images = torch.arange(len(levels), device=levels.device)[:, None]
    bins = (256 * images + levels.flatten(1)).flatten()
    counts = torch.bincount(bins, minlength=256 * len(levels)).view(-1, 256)
    shares = counts.double() / levels[0].numel()
    return torch.special.entr(shares).sum(dim=1) / torch.log(shares.new_tensor(2.0))


@dataclass(frozen=True)
class ImageStatistics:
    """Protocol: the mean over all generated images, at their own resolution."""

    scores: ClassVar[dict[str, Better]] = {
        "laplacian_variance": Better.NEITHER,
        "colourfulness": Better.NEITHER,
        "saturation": Better.NEITHER,
        "brightness": Better.NEITHER,
        "contrast": Better.NEITHER,
        "entropy": Better.NEITHER,
    }

    def compute(self, *, fake_images: Images) -> Outcome:
        """Means with their standard errors over images, and every image's own values."""
        columns = _columns(fake_images)
        return Outcome(
            scores={
                name: mean_estimate(column, method="of the mean over images")
                for name, column in columns.items()
            },
            per_image={"fake": columns},
        )


def _columns(images: Images) -> dict[str, Tensor]:
    if not len(images):
        raise ValueError("fake: found 0 images, this metric needs at least 1.")
    parts = [
        image_statistics(images=images.read(range(len(images))[batch]))
        for batch in blocks(len(images), width=1, entries=BATCH)
    ]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
