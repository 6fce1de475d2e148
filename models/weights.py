"""Weight files: where they live, what they hash to, and how they are read without running code."""

import hashlib
import os
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from models.file_kind import LOADABLE, FileKind, file_kind
from models.inert import inert_globals

State = dict[str, Tensor]

REAL = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
SIGNED = (torch.int64, torch.int32, torch.int16, torch.int8, torch.bool)
UNSIGNED = (torch.uint64, torch.uint32, torch.uint16, torch.uint8)
PLAIN = (*REAL, *SIGNED, *UNSIGNED)  # numbers that weights are; float8 needs a scale beside it


class WeightsError(Exception):
    """Weights that are absent, damaged, or not the named ones; one line that says what to type."""


def home() -> Path:
    """The folder of everything that is downloaded: $SALON_HOME, or ~/.cache/salon."""
    return Path(os.environ.get("SALON_HOME") or "~/.cache/salon").expanduser()


def weights_folder() -> Path:
    """Where weight files with a fixed name are looked for."""
    return home() / "weights"


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file's bytes; remembered within this process while size and time stand."""
    return _file_hash(path, "sha256")


def _file_hash(path: Path, kind: str) -> str:
    status = path.stat()
    return _hash(path, kind, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash(path: Path, kind: str, size: int, mtime_ns: int) -> str:
    with path.open("rb") as stream:
        made = hashlib.file_digest(stream, partial(hashlib.new, kind, usedforsecurity=False))
        return made.hexdigest()


def other_hash(path: Path, expected: str) -> str | None:
    """How a file's hash differs from the expected one, in words; None where it begins with it.

    Args:
        path: the file.
        expected: as `kind_and_digits` takes it.
    """
    kind, digits = kind_and_digits(expected)
    found = _file_hash(path, kind)
    return None if found.startswith(digits) else f"has {kind} {found}, expected {digits}"


def kind_and_digits(expected: str) -> tuple[str, str]:
    """The kind, sha256 or md5, and the digits in lower case.

    Args:
        expected: first digits of a sha256, or of an md5 behind "md5:", which old files state.

    Raises:
        WeightsError: if it is no hash.
    """
    kind, _, digits = expected.lower().rpartition(":")
    kind = kind or "sha256"
    if kind not in ("sha256", "md5") or not re.fullmatch("[0-9a-f]+", digits):
        raise WeightsError(f"the expected hash {expected!r} is none; type its hex digits")
    return kind, digits


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """Hex sha256 of tensors: over sorted names, each with its dtype, shape and bytes."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def check_file(path: Path, sha256: str | None = None, *, option: str = "weights") -> None:
    """Refuse a path that is not a readable weight file, or not the pinned one.

    Args:
        path: the file.
        sha256: expected hash or its first digits, as in `other_hash`; None accepts any file.
        option: the config key that names the file, for the message.

    Raises:
        WeightsError: says what the file is instead, or both hashes.
    """
    kind = file_kind(path)
    if kind is FileKind.ABSENT:
        raise WeightsError(
            f"weights file {path} does not exist; "
            f"type {option}=FILE with a file that does, or put it into {path.parent}"
        )
    if kind not in LOADABLE:
        raise WeightsError(f"weights file {path} is {kind.value}; type {option}=FILE for another")
    fault = None if sha256 is None else other_hash(path, sha256)
    if fault is not None:
        raise WeightsError(
            f"weights file {path} {fault}; it is damaged or another file: get it again, or accept "
            f"it by {_pin(option)}={file_sha256(path)[:12]}"
        )


def _pin(option: str) -> str:
    """The key of the expected hash beside that of the file."""
    if option.endswith(".path"):
        return option.removesuffix("path") + "sha256"
    return f"{option}_sha256"


def load_state(
    path: Path, sha256: str | None = None, *, option: str = "weights", entry: str | None = None
) -> State:
    """Read a dict of tensors from safetensors or torch.save, never running code.

    Args:
        path: the file; its kind is told from its bytes, not from its suffix.
        sha256: expected hash or its first digits; None accepts any file.
        option: the config key that names the file, for the message.
        entry: the key under which a published file keeps its tensors, beside an optimiser or an
            epoch; a file that is a flat dict of tensors is taken as it is. What lies beside the
            entry may hold options and numpy numbers (models/inert.py): they are not read.

    Returns:
        Names to CPU tensors, memory-mapped where the format allows.

    Raises:
        WeightsError: one line naming the file, what was found and what to type.
    """
    _refuse_weakened_torch()
    check_file(path, sha256, option=option)
    try:
        state = _read(path) if entry is None else _read_beside_inert(path)
    except Exception as error:  # the loaders raise half a dozen kinds, none naming the file
        raise WeightsError(f"weights file {path} cannot be read: {_reason(error)}") from error
    if entry is not None and isinstance(state, Mapping) and entry in state:
        state = state[entry]
    return _tensors(path, state)


def _refuse_weakened_torch() -> None:
    if os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"):
        raise WeightsError(
            "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD is set, which lets weight files run code; "
            "type `unset TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD`"
        )


def _read(path: Path) -> object:
    kind = file_kind(path)
    if kind is FileKind.SAFETENSORS:
        return safetensors.torch.load_file(path)
    mapped = kind is FileKind.TORCH_ZIP  # the old format cannot be memory-mapped
    return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)


def _read_beside_inert(path: Path) -> object:
    with torch.serialization.safe_globals(inert_globals()):
        return _read(path)


def _reason(error: Exception) -> str:
    """One line, without torch's advice to switch the safe loading off."""
    text = str(error)
    refused = re.search(r"GLOBAL ([\w.]+)", text)
    if refused:
        return (
            f"it holds the Python object {refused[1]}, which is not loaded; "
            "save only its state_dict, best as safetensors"
        )
    if "Unsupported operand" in text:
        return "it is a pickle that torch.save did not write; save its state_dict as safetensors"
    if isinstance(error, EOFError):
        return "it is truncated; download it again"
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return f"{first}; it is damaged: download it again"


def _tensors(path: Path, state: object) -> State:
    """The state as a plain dict, or an error that shows what the file holds instead."""
    if not isinstance(state, Mapping) or not state:
        raise WeightsError(
            f"weights file {path} holds a {type(state).__name__}, expected a dict of tensors; "
            "save a module's state_dict()"
        )
    unnamed = [repr(key) for key in state if not isinstance(key, str)]
    if unnamed:
        raise WeightsError(
            f"weights file {path} holds the keys {some_of(unnamed)}, expected names of tensors; "
            "save a module's state_dict()"
        )
    others = [str(key) for key, value in state.items() if not isinstance(value, Tensor)]
    if others:
        raise WeightsError(
            f"weights file {path} holds more than tensors under {some_of(others)}; "
            "expected a flat dict of tensors: save that one entry as a file of its own"
        )
    odd = [f"{name} is {kind}" for name, value in state.items() if (kind := odd_kind(value))]
    if odd:
        raise WeightsError(
            f"weights file {path} does not hold plain numbers ({some_of(odd)}); save dense tensors "
            "of real numbers in 16 bits or more, e.g. by .to_dense(), .dequantize() or .float()"
        )
    return dict(state)


def odd_kind(tensor: Tensor) -> str | None:
    """What a tensor is that has no bytes of plain numbers, which a copy would change or refuse."""
    if tensor.is_meta:
        return "meta, a shape without numbers"
    if tensor.is_quantized:
        return "quantised"
    if tensor.layout is not torch.strided:
        return "sparse"
    return "of " + str(tensor.dtype) if tensor.dtype not in PLAIN else None


def some_of(names: list[str]) -> str:
    """The first five names, for a message."""
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") if names else "none"
