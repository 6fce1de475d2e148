"""Random weights in the layouts of published files, and photographs to see with them."""

from math import prod

import torch
import torch.nn.functional as F
from torch import nn


def made_state(shapes, seed=0):
    """Names to tensors whose scale keeps activations usable: names to (shape or tensor)."""
    stream = torch.Generator().manual_seed(seed)
    return {
        name: _values(name, tuple(getattr(shape, "shape", shape)), stream)
        for name, shape in shapes.items()
    }


def _values(name, shape, stream):
    if name.endswith("num_batches_tracked"):
        return torch.tensor(7)
    if name.endswith(("running_var", "gamma")) or (len(shape) == 1 and name.endswith("weight")):
        return torch.rand(shape, generator=stream) * 0.4 + 0.8
    deviation = 0.1 if len(shape) == 1 else (2 / prod(shape[1:])) ** 0.5
    return torch.randn(shape, generator=stream) * deviation


def noisy(network):
    """Batch normalisations have statistics and slopes as after training: a wrong fold shows."""
    stream = torch.Generator().manual_seed(0)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.5, generator=stream)
            part.running_var.uniform_(0.5, 2, generator=stream)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 2, generator=stream)
                nn.init.normal_(part.bias, 0, 0.5, generator=stream)
    return network.eval()


def photographs(side, count=2):
    """uint8 (count, 3, side, side): smooth random colours with noise, as a photograph has."""
    stream = torch.Generator().manual_seed(side)
    coarse = torch.rand(count, 3, 5, 5, generator=stream) * 255
    smooth = F.interpolate(coarse, (side, side), mode="bicubic")
    noisy = smooth + 10 * torch.randn(smooth.shape, generator=stream)
    return noisy.clamp(0, 255).byte()


def relative_gap(ours, theirs):
    return ((ours - theirs).norm() / theirs.norm()).item()
