"""The Inception network of the FID: TensorFlow's graph of 2015-12-05 as a PyTorch module.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2015, as
exported in classify_image_graph_def.pb. Tensor names are torchvision's. Against torchvision's
Inception: average pooling leaves the padding out of its count; the last block pools by maximum (a
quirk of that graph); 1008 outputs; no auxiliary head. 94 convolution blocks of 5 tensors and the 2
of fc make 472.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbone import Embedding
from models.precision import head_in_float32

FEATURES = 2048
CLASSES = 1008
SPATIAL_CHANNELS = 7
RESOLUTION = 299


class FeatureLayer(Enum):
    """Where the features are taken, each averaged over its map; the value is their width."""

    pool1 = 64  # the first max-pooling
    pool2 = 192  # the second max-pooling
    mixed_6e = 768
    pool3 = 2048  # the last map, Mixed_7c: the features of the FID


Pool = Callable[[Tensor], Tensor]

average_same: Pool = partial(
    F.avg_pool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False
)
maximum_same: Pool = partial(F.max_pool2d, kernel_size=3, stride=1, padding=1)
maximum_half: Pool = partial(F.max_pool2d, kernel_size=3, stride=2)


@dataclass(frozen=True)
class Layer:
    """One convolution block of a branch; stride 1 keeps the size, stride 2 pads nothing."""

    name: str
    width: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros on each side."""
        return (0, 0) if self.stride > 1 else (self.kernel[0] // 2, self.kernel[1] // 2)


Branch = tuple[Layer | tuple[Layer, Layer], ...]  # a pair at the end: two outputs side by side


class ConvBlock(nn.Module):
    """Convolution without bias, batch normalisation, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int],
        stride: int = 1,
        padding: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, outputs, h', w')."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Mixed(nn.Module):
    """Branches side by side, then a pooled branch, concatenated over channels.

    Args:
        inputs: width of the input.
        branches: chains of layers, in the order of the output.
        pool: how the last branch pools.
        pool_width: width of the 1x1 convolution after the pooling; None passes it through.
    """

    def __init__(
        self, inputs: int, branches: list[Branch], pool: Pool, pool_width: int | None = None
    ) -> None:
        super().__init__()
        self.branches, self.pool = branches, pool
        for branch in branches:
            self._add(branch, inputs)
        if pool_width is not None:
            self.branch_pool = ConvBlock(inputs, pool_width, (1, 1))

    def _add(self, branch: Branch, width: int) -> None:
        for step in branch:
            layers = step if isinstance(step, tuple) else (step,)
            for one in layers:
                block = ConvBlock(width, one.width, one.kernel, one.stride, one.padding)
                self.add_module(one.name, block)
            width = layers[-1].width

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, sum of branch widths, h', w')."""
        outputs = [output for branch in self.branches for output in self._run(branch, x)]
        pooled = self.pool(x)
        outputs.append(self.branch_pool(pooled) if hasattr(self, "branch_pool") else pooled)
        return torch.cat(outputs, 1)

    def _run(self, branch: Branch, x: Tensor) -> list[Tensor]:
        for step in branch:
            if isinstance(step, tuple):
                return [getattr(self, one.name)(x) for one in step]
            x = getattr(self, step.name)(x)
        return [x]


def _stack(name: str, *shapes: tuple[int, tuple[int, int]], stride: int = 1) -> Branch:
    """Layers name_1, name_2, ...; the last one has the stride."""
    strides = [1] * (len(shapes) - 1) + [stride]
    return tuple(
        Layer(f"{name}_{number}", width, kernel, step)
        for number, ((width, kernel), step) in enumerate(zip(shapes, strides, strict=True), start=1)
    )


def _pair(name: str, suffixes: str, width: int) -> tuple[Layer, Layer]:
    """A 1x3 and a 3x1 layer side by side."""
    first, second = suffixes.split()
    return Layer(f"{name}_{first}", width, (1, 3)), Layer(f"{name}_{second}", width, (3, 1))


def _mixed_5(inputs: int, pool_width: int) -> Mixed:
    """35 x 35 blocks 5b, 5c, 5d."""
    five = _stack("branch5x5", (48, (1, 1)), (64, (5, 5)))
    double = _stack("branch3x3dbl", (64, (1, 1)), (96, (3, 3)), (96, (3, 3)))
    return Mixed(inputs, [(Layer("branch1x1", 64),), five, double], average_same, pool_width)


def _mixed_6a() -> Mixed:
    """35 x 35 to 17 x 17."""
    single: Branch = (Layer("branch3x3", 384, (3, 3), stride=2),)
    double = _stack("branch3x3dbl", (64, (1, 1)), (96, (3, 3)), (96, (3, 3)), stride=2)
    return Mixed(288, [single, double], maximum_half)


def _mixed_6(width: int) -> Mixed:
    """17 x 17 blocks 6b to 6e, with 7x7 convolutions taken apart."""
    row, column, point = (1, 7), (7, 1), (1, 1)
    seven = _stack("branch7x7", (width, point), (width, row), (192, column))
    double = _stack(
        "branch7x7dbl",
        (width, point),
        (width, column),
        (width, row),
        (width, column),
        (192, row),
    )
    return Mixed(768, [(Layer("branch1x1", 192),), seven, double], average_same, 192)


def _mixed_7a() -> Mixed:
    """17 x 17 to 8 x 8."""
    three = _stack("branch3x3", (192, (1, 1)), (320, (3, 3)), stride=2)
    seven = _stack(
        "branch7x7x3", (192, (1, 1)), (192, (1, 7)), (192, (7, 1)), (192, (3, 3)), stride=2
    )
    return Mixed(768, [three, seven], maximum_half)


def _mixed_7(inputs: int, pool: Pool) -> Mixed:
    """8 x 8 blocks 7b and 7c, whose branches end in two layers side by side."""
    three: Branch = (Layer("branch3x3_1", 384), _pair("branch3x3", "2a 2b", 384))
    double: Branch = (
        Layer("branch3x3dbl_1", 448),
        Layer("branch3x3dbl_2", 384, (3, 3)),
        _pair("branch3x3dbl", "3a 3b", 384),
    )
    return Mixed(inputs, [(Layer("branch1x1", 320),), three, double], pool, 192)


class FidInception(nn.Module):
    """Scaled images float32 (n, 3, 299, 299) -> features (n, D) and logits (n, 1008).

    `Mixed_7c`, a module of its own, gives the last map (n, 2048, 8, 8) to a forward hook.

    Args:
        logits_bias: whether the logits include the bias of the last layer.
        layer: where the features are taken; the logits are always of pool3.
    """

    def __init__(self, logits_bias: bool = False, layer: FeatureLayer = FeatureLayer.pool3) -> None:
        super().__init__()
        self.logits_bias, self.layer = logits_bias, layer
        self.Conv2d_1a_3x3 = ConvBlock(3, 32, (3, 3), stride=2)
        self.Conv2d_2a_3x3 = ConvBlock(32, 32, (3, 3))
        self.Conv2d_2b_3x3 = ConvBlock(32, 64, (3, 3), padding=(1, 1))
        self.Conv2d_3b_1x1 = ConvBlock(64, 80, (1, 1))
        self.Conv2d_4a_3x3 = ConvBlock(80, 192, (3, 3))
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = (
            _mixed_5(inputs, pool_width) for inputs, pool_width in ((192, 32), (256, 64), (288, 64))
        )
        self.Mixed_6a = _mixed_6a()
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = (
            _mixed_6(width) for width in (128, 160, 160, 192)
        )
        self.Mixed_7a = _mixed_7a()
        self.Mixed_7b = _mixed_7(1280, average_same)
        self.Mixed_7c = _mixed_7(2048, maximum_same)
        self.fc = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: Tensor) -> Embedding:
        """Features of the layer, logits, and the spatial map of sFID."""
        maps = {}
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))  # (n, 64, 147, 147)
        x = maps[FeatureLayer.pool1] = maximum_half(x)
        x = maximum_half(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))  # (n, 192, 35, 35)
        maps[FeatureLayer.pool2] = x
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x))))
        spatial = _spatial(x)
        x = maps[FeatureLayer.mixed_6e] = self.Mixed_6e(x)
        maps[FeatureLayer.pool3] = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        pooled = _average(maps[FeatureLayer.pool3])
        bias = self.fc.bias if self.logits_bias else None
        with head_in_float32(x.device):
            logits = F.linear(pooled, self.fc.weight, bias)
        features = pooled if self.layer is FeatureLayer.pool3 else _average(maps[self.layer])
        return Embedding(features, logits, spatial)


def _average(x: Tensor) -> Tensor:
    """(n, C, h, w) -> (n, C), in float32 whatever the precision of the maps."""
    return F.adaptive_avg_pool2d(x.float(), 1).flatten(1)


def _spatial(x: Tensor) -> Tensor:
    """(n, 17 17 7), the first channels of Mixed_6d with channels last, as in C. Nash et al., 2021.

    They are those of its 1x1 branch, the tensor mixed_6/conv of TensorFlow's graph.
    """
    return x[:, :SPATIAL_CHANNELS].permute(0, 2, 3, 1).flatten(1)
