"""A network filled with a state: every tensor in its place, of its shape and kind, or none."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.weights import State, WeightsError, odd_kind, some_of

COUNTER = "num_batches_tracked"


def fill(module: nn.Module, state: Mapping[str, Tensor], source: str) -> nn.Module:
    """Copy a state into a module, every tensor or none.

    `num_batches_tracked` counters may be absent: evaluation does not read them.

    Args:
        module: the network, changed in place.
        state: names to tensors.
        source: where the state is from, for the message.

    Returns:
        The module.

    Raises:
        WeightsError: missing or unexpected names, other shapes, whole numbers for real ones or
            the reverse, or values that are not finite.
    """
    expected = module.state_dict()
    _check_names(expected, state, source)
    _check_shapes(expected, state, source)
    _check_numbers(expected, state, source)
    _check_finite(state, source)
    module.load_state_dict(dict(state), strict=False)  # strictness was checked above, by name
    return module


def _check_names(expected: State, state: Mapping[str, Tensor], source: str) -> None:
    needed = {name for name in expected if not name.endswith(COUNTER)}
    missing = sorted(needed - set(state))
    unexpected = sorted(set(state) - set(expected))
    if missing or unexpected:
        raise WeightsError(
            f"{source} does not fit the network: {len(missing)} tensors are missing "
            f"({some_of(missing)}), {len(unexpected)} are unexpected ({some_of(unexpected)}); "
            "name the file of this architecture"
        )


def _check_shapes(expected: State, state: Mapping[str, Tensor], source: str) -> None:
    wrong = [
        f"{name} is {tuple(tensor.shape)}, expected {tuple(expected[name].shape)}"
        for name, tensor in state.items()
        if tensor.shape != expected[name].shape
    ]
    if wrong:
        raise WeightsError(
            f"{source} does not fit the network: {len(wrong)} tensors have another shape "
            f"({some_of(wrong)}); name the file of this architecture"
        )


def _check_numbers(expected: State, state: Mapping[str, Tensor], source: str) -> None:
    """A copy would drop imaginary parts and fractions without a word."""
    wrong = [
        f"{name} is {odd_kind(tensor) or f'of {tensor.dtype}'}, expected {expected[name].dtype}"
        for name, tensor in state.items()
        if not name.endswith(COUNTER) and not _are_numbers_of(expected[name], tensor)
    ]
    if wrong:
        raise WeightsError(
            f"{source} does not fit the network: {len(wrong)} tensors hold other numbers "
            f"({some_of(wrong)}); name the file of this architecture"
        )


def _are_numbers_of(expected: Tensor, found: Tensor) -> bool:
    """Plain ones, and real for real, whole for whole; the width may differ."""
    return not odd_kind(found) and found.is_floating_point() == expected.is_floating_point()


def _check_finite(state: Mapping[str, Tensor], source: str) -> None:
    broken = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise WeightsError(
            f"{source} holds NaN or infinity in {len(broken)} tensors ({some_of(broken)}); "
            "the training diverged or the file is damaged: name another"
        )
