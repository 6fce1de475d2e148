"""The LPIPS distance: weighted squared differences of unit-norm maps of a classifier's trunk.

Source: R. Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric",
2018, eq. 1, as version 0.1 of the authors' package computes it.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

_SHIFT = (-0.030, -0.088, -0.188)  # ImageNet's mean and deviation, on -1..1
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10  # added to a norm, not under its root


class LpipsDistance(nn.Module):
    """The loaded distance; `.double()` gives it the digits that tiny differences need.

    Args:
        trunk: torchvision's `features`.
        heads: per compared layer, (C,) weights of its channels, >= 0.
        layers: indices of the trunk's layers whose outputs are compared.
        smallest: side below which the trunk's poolings leave nothing, in pixels.
    """

    shift: Tensor
    scale: Tensor

    def __init__(
        self, trunk: nn.Sequential, heads: Sequence[Tensor], layers: Sequence[int], smallest: int
    ) -> None:
        super().__init__()
        self.trunk = trunk[: layers[-1] + 1]
        self.layers = tuple(layers)
        self.smallest = smallest
        self.heads = nn.ParameterList(heads)
        self.register_buffer("shift", torch.tensor(_SHIFT).view(3, 1, 1))
        self.register_buffer("scale", torch.tensor(_SCALE).view(3, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Distance of each pair.

        d = sum over layers of the mean over positions of sum_c w_c (f_c - g_c)^2, with the
        channels f, g of both images scaled to norm 1 at every position. 0 for equal images,
        symmetric, not a metric in the mathematical sense; larger is more different.

        Args:
            first: float (n, 3, H, W), RGB in [-1, 1].
            second: of the same shape.

        Returns:
            (n,) in the network's dtype, on its device.

        Raises:
            ValueError: if the images have another type or shape, or are too small.
        """
        if first.shape != second.shape:
            raise ValueError(
                f"lpips: found images of shapes {tuple(first.shape)} and {tuple(second.shape)}, "
                "expected equal shapes."
            )
        return between(self.features(first), self.features(second))

    def features(self, images: Tensor) -> list[Tensor]:
        """What images are compared by; worth keeping where one image meets several others.

        Args:
            images: float (n, 3, H, W), RGB in [-1, 1].

        Returns:
            Per compared layer (n, C, h, w): unit-norm channels times the roots of their weights,
            so that `between` only sums squares.

        Raises:
            ValueError: if the images have another type or shape, or are too small.
        """
        self._check(images)
        x = (images.to(self.shift) - self.shift) / self.scale
        weights = [head.sqrt().view(-1, 1, 1) for head in self.heads]
        maps = self._maps(x)
        return [_unit(map_) * weight for map_, weight in zip(maps, weights, strict=True)]

    def _maps(self, x: Tensor) -> Iterator[Tensor]:
        for index, layer in enumerate(self.trunk):
            x = layer(x)
            if index in self.layers:
                yield x

    def _check(self, images: Tensor) -> None:
        shape, smallest = tuple(images.shape), self.smallest
        if not images.is_floating_point() or images.ndim != 4 or shape[1] != 3 or not len(images):
            raise ValueError(
                f"lpips: found images of {images.dtype} {shape}, expected floats (n, 3, H, W) in "
                "[-1, 1], n >= 1; from uint8 take images / 127.5 - 1."
            )
        if min(shape[2:]) < smallest:
            raise ValueError(
                f"lpips: found {shape[2]} x {shape[3]} pixels, this trunk needs {smallest} x "
                f"{smallest} or more; enlarge the images or take another net."
            )


def between(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """(n,) distances from what `LpipsDistance.features` gives of both images."""
    layers = zip(first, second, strict=True)
    return torch.stack([(a - b).square().sum(1).mean((1, 2)) for a, b in layers]).sum(0)


def _unit(maps: Tensor) -> Tensor:
    return maps / (maps.square().sum(dim=1, keepdim=True).sqrt() + _EPSILON)
