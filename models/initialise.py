"""Seeded random weights that depend on nothing but the seed and each tensor's name.

Every tensor has a stream of its own, drawn by numpy's RandomState, whose numbers are frozen for
all versions (NEP 19): the global random state, the order of the layers and the library's own
initialisation play no part. Source of the scale: K. He et al., "Delving Deep into Rectifiers",
2015, eq. 10, with the fan-in.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

INITIALISATION = "he_normal_v1"

_TOKEN_DEVIATION = 0.02  # positional and class tokens, as vision transformers do
_PROJECTIONS = (nn.modules.conv._ConvNd, nn.Linear)
_BATCH_NORMS = nn.modules.batchnorm._BatchNorm


def initialise(module: nn.Module, seed: int) -> nn.Module:
    """Fill a module with the weights of a seed, in place.

    Convolution and linear weights are N(0, 2 / fan_in); biases 0; normalisation layers scale by 1
    and shift by 0, with running mean 0 and variance 1; free tensors of two or more axes (tokens,
    positions) are N(0, 0.02^2), free vectors 1, or 0 if they are biases. Other buffers stay.

    Args:
        module: any network; its parameters and BatchNorm statistics are overwritten.
        seed: which weights; every integer >= 0 is another network.

    Returns:
        The module.

    Raises:
        ValueError: if the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"seed={seed} names no random weights; type an integer >= 0")
    with torch.no_grad():
        for owner, name, parameter in _owned_parameters(module):
            parameter.copy_(_values(owner, name, parameter, seed))
        for part in module.modules():
            if isinstance(part, _BATCH_NORMS):
                part.reset_running_stats()  # mean 0, variance 1
    return module


def _owned_parameters(module: nn.Module) -> Iterator[tuple[nn.Module, str, Tensor]]:
    """Every parameter once, with the layer that owns it and its full name."""
    for prefix, owner in module.named_modules():
        for name, parameter in owner.named_parameters(prefix, recurse=False):
            yield owner, name, parameter


def _values(owner: nn.Module, name: str, parameter: Tensor, seed: int) -> Tensor:
    """Values of one tensor by the rule of its layer."""
    if name.endswith("bias"):
        return torch.zeros_like(parameter)
    if isinstance(owner, _PROJECTIONS) and parameter.ndim >= 2:
        return _normal(name, parameter, seed, math.sqrt(2 / parameter[0].numel()))
    if parameter.ndim >= 2:
        return _normal(name, parameter, seed, _TOKEN_DEVIATION)
    return torch.ones_like(parameter)


def _normal(name: str, parameter: Tensor, seed: int, deviation: float) -> Tensor:
    """N(0, deviation^2) from the stream of (seed, name), filled in C order."""
    entropy = np.random.SeedSequence([seed, *name.encode()])
    stream = np.random.RandomState(np.random.MT19937(entropy))
    values = stream.standard_normal(tuple(parameter.shape)) * deviation
    return torch.from_numpy(values.astype(np.float32))
