"""Feature parts on disk: named by content, whole or absent, checked by hash, never pickled."""

import hashlib
import json
import logging
import struct
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

from bench.agreement import FLOAT32
from bench.atomic import create_file
from bench.errors import StoreError
from bench.records import digest

log = logging.getLogger(__name__)


class FeatureCache:
    """Tensors by identity and row range.

    Several jobs may race for one part: the first whole one wins; a later writer compares, adopts
    it, and fails where the two differ beyond a bound.

    Args:
        folder: where parts lie; safe to delete at any time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, identity: Mapping[str, object], rows: range) -> dict[str, Tensor] | None:
        """The part, or None where it is absent, or was damaged and has been set aside."""
        path = self._path(identity, rows)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("cache entry %s cannot be read (%s); computing it anew", path, error)
            return None
        try:
            return _decode(data, identity, rows)
        except ValueError as error:
            self._set_aside(path, str(error))
            return None

    def has(self, identity: Mapping[str, object], rows: range) -> bool:
        """Whether the part lies there, whole or not; nothing is read."""
        return self._path(identity, rows).exists()

    def write(
        self,
        identity: Mapping[str, object],
        rows: range,
        tensors: Mapping[str, Tensor],
        bound: float = FLOAT32,
    ) -> dict[str, Tensor]:
        """Store the part; returns the one that counts, which may be another job's.

        Args:
            identity: what the part depends on, as JSON values.
            rows: which rows it holds.
            tensors: name -> (rows, ...).
            bound: the largest difference that agrees, relative to the largest value.

        Raises:
            StoreError: if another job stored a part that differs beyond the bound; both are kept.
        """
        path = self._path(identity, rows)
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        data = _encode(contiguous, identity, rows)
        if _stored(path, data):
            return contiguous
        first = self.read(identity, rows)
        if first is None:  # damaged and now set aside, or not ours to read
            _stored(path, data)
            return contiguous
        if not _agree(first, contiguous, bound):
            create_file(path.with_suffix(f".conflict-{hashlib.sha256(data).hexdigest()[:8]}"), data)
            raise StoreError(
                f"{path} holds other features for the same images and network, beyond "
                f"{bound:g} relative; the new ones are beside it as .conflict."
            )
        return first

    def _path(self, identity: Mapping[str, object], rows: range) -> Path:
        key = digest(identity)
        return self.folder / key[:2] / key / f"{rows.start:09d}-{rows.stop:09d}.safetensors"

    def _set_aside(self, path: Path, reason: str) -> None:
        log.warning("cache entry %s %s; set aside and computed anew", path, reason)
        with suppress(OSError):  # another job was faster, or the folder is not ours to change
            path.replace(path.with_suffix(f".damaged-{uuid.uuid4().hex[:8]}"))


def _stored(path: Path, data: bytes) -> bool:
    """Whether there is nothing more to do: the part is ours, or the disk takes none."""
    try:
        return create_file(path, data)
    except StoreError as error:
        log.warning("%s Going on without the cache.", error)
        return True


def _encode(tensors: Mapping[str, Tensor], identity: Mapping[str, object], rows: range) -> bytes:
    metadata = {
        "identity": json.dumps(identity, sort_keys=True),
        "rows": f"{rows.start}-{rows.stop}",
        "sha256": _payload_sha256(tensors),
    }
    return save(dict(tensors), metadata)


def _decode(data: bytes, identity: Mapping[str, object], rows: range) -> dict[str, Tensor]:
    """Raises ValueError where the bytes are not the part that is asked for."""
    try:
        tensors = load(data)
        (length,) = struct.unpack("<Q", data[:8])
        metadata = dict(json.loads(data[8 : 8 + length])["__metadata__"])
        payload = _payload_sha256(tensors)  # fails on types that numpy has not: none is written
    except Exception as error:  # safetensors raises its own class, and others for odd bytes
        raise ValueError(f"is truncated or foreign ({error})") from error
    if metadata.get("identity") != json.dumps(identity, sort_keys=True):
        raise ValueError("belongs to another identity")
    if metadata.get("rows") != f"{rows.start}-{rows.stop}":
        raise ValueError("belongs to other rows")
    if metadata.get("sha256") != payload:
        raise ValueError("does not match its own hash")
    if any(tensor.shape[:1] != (len(rows),) for tensor in tensors.values()):
        raise ValueError("has another number of rows than its name says")
    return tensors


def _payload_sha256(tensors: Mapping[str, Tensor]) -> str:
    payload = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        payload.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        payload.update(tensor.contiguous().numpy().data)
    return payload.hexdigest()


def _agree(first: Mapping[str, Tensor], second: Mapping[str, Tensor], bound: float) -> bool:
    if first.keys() != second.keys():
        return False
    return all(_close(first[name], second[name], bound) for name in first)


def _close(first: Tensor, second: Tensor, bound: float) -> bool:
    """Equal shapes, and a largest difference within the bound times the largest value."""
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if not first.is_floating_point():
        return torch.equal(first, second)
    scale = first.abs().max().clamp(min=torch.finfo(first.dtype).tiny)
    return bool((first - second).abs().max() <= bound * scale)
