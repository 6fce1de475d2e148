"""In which arithmetic a network runs; anything but float32 gives other features and scores."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn

_AUTOCAST = {"bf16": torch.bfloat16, "fp16": torch.float16}
_LOCK = threading.RLock()


class Precision(Enum):
    """Of the network's products; its input, its features and every score stay float32 or better."""

    fp32 = "fp32"  # full float32, also on GPUs that would round products to TF32 unasked
    tf32 = "tf32"  # float32 with products of 10-bit mantissas, CUDA only
    bf16 = "bf16"  # bfloat16 autocast
    fp16 = "fp16"  # float16 autocast; values above 65,504 overflow


def refuse_unsupported(precision: Precision, device: str) -> None:
    """Refuse arithmetic that the device does not have.

    Raises:
        ValueError: saying what to type instead.
    """
    kind = torch.device(device).type
    reason = _WHY_NOT[precision](kind)
    if reason is not None:
        raise ValueError(
            f"precision={precision.name} on {kind}: {reason}; "
            "type precision=fp32, or another device"
        )


def _no_tf32(kind: str) -> str | None:
    if kind != "cuda":
        return "only NVIDIA GPUs have TF32 products"
    major, minor = torch.cuda.get_device_capability()
    return None if major >= 8 else f"this GPU (sm_{major}{minor}) has no TF32 products"


def _no_autocast(kind: str) -> str | None:
    return None if torch.amp.is_autocast_available(kind) else "torch has no autocast there"


def _no_fp16(kind: str) -> str | None:
    if kind == "cpu" and not torch.ops.mkldnn._is_mkldnn_fp16_supported():
        return "this processor has no float16 products (bf16 may be what you want)"
    return _no_autocast(kind)


_WHY_NOT = {
    Precision.fp32: lambda kind: None,
    Precision.tf32: _no_tf32,
    Precision.bf16: _no_autocast,
    Precision.fp16: _no_fp16,
}


def slow_here(precision: Precision, device: str) -> str | None:
    """Why the precision would be slower than float32 on the device, though it gives its scores."""
    on_cpu = torch.device(device).type == "cpu"
    if precision is Precision.bf16 and on_cpu and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return "precision=bf16: this processor has no bfloat16 products; fp32 is quicker here"
    return None


def arithmetic(precision: Precision, device: str) -> str | None:
    """Which kind of processor rounds the products; None at fp32, where only last bits depend on it.

    Features of narrow products differ between kinds by as much as a rounding: bf16 by 5e-3.
    """
    if precision is Precision.fp32:
        return None
    kind = torch.device(device).type
    if kind == "cpu":
        return _instructions()
    return _gpu(device) if kind == "cuda" else kind


def _instructions() -> str:
    has = {
        "bf16": torch.ops.mkldnn._is_mkldnn_bf16_supported(),
        "fp16": torch.ops.mkldnn._is_mkldnn_fp16_supported(),
        "amx": torch.cpu._is_amx_tile_supported(),
    }
    return " ".join([torch.backends.cpu.get_cpu_capability(), *(name for name in has if has[name])])


def _gpu(device: str) -> str:
    """Its name; where there is none, as on a login node, nothing that any GPU is called."""
    try:
        return torch.cuda.get_device_name(device)
    except (RuntimeError, AssertionError):  # the latter of a torch without CUDA
        return "unknown"


def narrowed(precision: Precision, device: str) -> AbstractContextManager[object]:
    """Within it, in this thread, products on the device are of the precision's 16-bit type.

    For a precision of 32 bits no autocast is in force, also where the caller had set one.
    """
    return autocast(torch.device(device).type, _AUTOCAST.get(precision.name))


def narrow_convolutions(network: nn.Module, precision: Precision, x: Tensor) -> None:
    """Round weights of convolutions once, as autocast would on every call: the same bits.

    One pass shows which: those that autocast reaches whenever they run, so none of a head in
    float32; and no subclass, which may compute on its weights before they are rounded.

    Args:
        network: on the CPU, in evaluation mode.
        precision: nothing is done for those of 32 bits.
        x: an input of the network; its values are without effect.
    """
    half = _AUTOCAST.get(precision.name)
    for part in [] if half is None else _under_autocast(network, x):
        part.to(half)


@torch.no_grad()
def _under_autocast(network: nn.Module, x: Tensor) -> list[nn.Module]:
    seen: dict[nn.Module, bool] = {}

    def note(part: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[part] = torch.is_autocast_enabled("cpu") and seen.get(part, True)

    plain = [part for part in network.modules() if type(part) is nn.Conv2d]
    hooks = [part.register_forward_pre_hook(note) for part in plain]
    try:
        with autocast("cpu", torch.bfloat16):  # whatever the type, which this processor may lack
            network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return [part for part, always in seen.items() if always]


def autocast(kind: str, half: torch.dtype | None) -> AbstractContextManager[object]:
    """Autocast to the type, or none at all where it is None."""
    if half is None and not torch.amp.is_autocast_available(kind):  # the meta device
        return nullcontext()
    return torch.autocast(kind, dtype=half or torch.bfloat16, enabled=half is not None)


@contextmanager
def float32_products(precision: Precision = Precision.fp32) -> Iterator[None]:
    """Within it, float32 products are rounded to TF32 if the precision says so, else to nothing.

    torch knows these settings for the whole process only: they are put back afterwards, and of
    several threads each waits for its turn, so that none computes under another's.
    """
    gpu = "tf32" if precision is Precision.tf32 else "ieee"
    backends: Any = torch.backends
    wanted = (
        (backends.cuda.matmul, gpu),
        (backends.cudnn.conv, gpu),
        (backends.mkldnn.matmul, "ieee"),
        (backends.mkldnn.conv, "ieee"),
    )
    with _LOCK:
        before = [backend.fp32_precision for backend, _ in wanted]
        try:
            for backend, value in wanted:
                backend.fp32_precision = value
            yield
        finally:
            for (backend, _), value in zip(wanted, before, strict=True):
                backend.fp32_precision = value


@contextmanager
def head_in_float32(device: torch.device) -> Iterator[None]:
    """Within it no autocast: pooling and classifier cost little and decide a feature's digits."""
    with autocast(device.type, None):
        yield


def pool_in_float32(network: nn.Module) -> nn.Module:
    """Make every global average of the network average float32 maps, whatever made them."""
    for part in network.modules():
        if isinstance(part, nn.AdaptiveAvgPool2d):
            part.register_forward_pre_hook(to_float32)
    return network


def to_float32(pool: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The hook of it."""
    return tuple(tensor.float() for tensor in inputs)
