"""Batch normalisation folded into the convolution before it: the same function, one step less.

With w, b of a convolution and g, h, m, v of the normalisation behind it,
    w' = w g / sqrt(v + eps),    b' = h + (b - m) g / sqrt(v + eps),
computed in float64 and rounded once. Pairs are found by watching one pass through the network, so
how a module is written plays no part: a pair is folded where both run exactly once and nothing but
the normalisation reads the convolution's output.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Pair = tuple[nn.Conv2d, nn.BatchNorm2d]


def fold(network: nn.Module, x: Tensor) -> nn.Module:
    """Fold in place every batch normalisation that directly follows a convolution.

    Its place is taken by what its class does behind the normalisation: nothing, or timm's
    activation. All other modules stay where they are, and so do their hooks.

    Args:
        network: in evaluation mode.
        x: an input of the network; its values are without effect.

    Returns:
        The network, whose outputs moved by float32 rounding alone.
    """
    if not any(isinstance(part, nn.BatchNorm2d) for part in network.modules()):
        return network
    behind = {}
    for convolution, norm in _pairs(network, x):
        _fold(convolution, norm)
        behind[norm] = _rest(norm)
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if child in behind:
                setattr(parent, name, behind[child])
    return network


@torch.no_grad()
def _pairs(network: nn.Module, x: Tensor) -> list[Pair]:
    watch = _Watch(network)
    with watch:
        network(x)
    return list(watch.pairs())


def _norms(modules: Iterable[nn.Module]) -> Iterator[nn.BatchNorm2d]:
    """Those of which is known what they do behind the normalisation."""
    from timm.layers import BatchNormAct2d  # seconds, which a reused cell does not need

    known = (nn.BatchNorm2d, BatchNormAct2d)
    for one in modules:
        if isinstance(one, nn.BatchNorm2d) and type(one) in known and one.running_mean is not None:
            yield one


def _rest(norm: nn.BatchNorm2d) -> nn.Module:
    from timm.layers import BatchNormAct2d

    if isinstance(norm, BatchNormAct2d):
        return nn.Sequential(norm.drop, norm.act)
    return nn.Identity()


@torch.no_grad()
def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    mean, variance = _double(norm.running_mean, 0), _double(norm.running_var, 1)
    slope = _double(norm.weight, 1) / torch.sqrt(variance + norm.eps)
    bias = _double(norm.bias, 0) + (_double(convolution.bias, 0) - mean) * slope
    weight = convolution.weight.double() * slope.view(-1, 1, 1, 1)
    kind = convolution.weight.dtype
    convolution.weight = nn.Parameter(weight.to(kind), requires_grad=False)
    convolution.bias = nn.Parameter(bias.to(kind), requires_grad=False)


def _double(tensor: Tensor | None, otherwise: float) -> Tensor:
    return torch.tensor(otherwise).double() if tensor is None else tensor.double()


class _Watch(TorchDispatchMode):
    """Sees every operation of one pass: who made a tensor, and how often it is read."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        modules = list(network.modules())
        self.convolutions = {id(one.weight): one for one in modules if isinstance(one, nn.Conv2d)}
        self.norms = {id(norm.running_mean): norm for norm in _norms(modules)}
        self.made: dict[int, int] = {}  # id of a convolution's output -> id of its weight
        self.normalised: list[tuple[int, int]] = []  # id of the input, id of the running mean
        self.reads: Counter[int] = Counter()
        self.alive: list[Tensor] = []  # outputs are kept, so that their ids stay theirs

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Note the operation, and do it."""
        read = [one for one in tree_leaves((args, kwargs or {})) if isinstance(one, Tensor)]
        found = func(*args, **(kwargs or {}))
        self.reads.update(map(id, read))
        for one in read:
            if id(one) in self.convolutions and isinstance(found, Tensor):
                self.made[id(found)] = id(one)
                self.reads[id(found)] = 0  # the id may have been that of a tensor now gone
                self.alive.append(found)
            if id(one) in self.norms and id(read[0]) in self.made:
                self.normalised.append((id(read[0]), id(one)))
        return found

    def pairs(self) -> Iterator[Pair]:
        """Where the only reader of a convolution's only output is a normalisation's only call."""
        for output, mean in self.normalised:
            weight = self.made[output]
            if self.reads[output] == self.reads[weight] == self.reads[mean] == 1:
                yield self.convolutions[weight], self.norms[mean]
