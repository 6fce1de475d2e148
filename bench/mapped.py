"""Rows that are written once, piece by piece, and then read as tensors without filling memory."""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

from bench.errors import StoreError

log = logging.getLogger(__name__)


class MappedRows:
    """Named tensors of many rows, each in a file of its own that has no name.

    The files lie in the given folder and vanish with the tensors, also when the job is killed.
    They are written with plain writes, so that a full disk is an error and no crash, and mapped
    only when they are complete; changing a mapped tensor changes neither file nor cache.

    Args:
        folder: where there is room, such as the cache.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, IO[bytes]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.kinds: dict[str, np.dtype] = {}

    def append(self, rows: Mapping[str, Tensor]) -> None:
        """Add rows to each tensor; the first call fixes names, widths and types.

        Raises:
            StoreError: if the disk is full.
        """
        for name, tensor in rows.items():
            array = tensor.contiguous().numpy()
            if name not in self.files:
                self.files[name] = self._file()
                self.shapes[name], self.kinds[name] = (0, *array.shape[1:]), array.dtype
            self._write(self.files[name], array)
            count, *width = self.shapes[name]
            self.shapes[name] = (count + len(array), *width)

    def _write(self, file: IO[bytes], array: np.ndarray) -> None:
        try:
            file.write(array.data)
            file.flush()
        except OSError as error:
            raise StoreError(
                f"{self.folder} cannot take the features: {error.strerror}; free some space or "
                "choose another paths.cache."
            ) from error

    def tensors(self) -> dict[str, Tensor]:
        """All rows so far, (N, ...) each, mapped."""
        return {name: self._mapped(name) for name in self.files}

    def _mapped(self, name: str) -> Tensor:
        kind, shape = self.kinds[name], self.shapes[name]
        # "c" is copy on write: torch takes writable arrays only
        return torch.from_numpy(np.memmap(self.files[name], dtype=kind, mode="c", shape=shape))

    def _file(self) -> IO[bytes]:
        """In the folder, or in the system's place for such files where that cannot be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return open_nameless(self.folder)
        except OSError as error:
            elsewhere = Path(tempfile.gettempdir())
            reason = error.strerror
            log.warning("%s: %s; features go to %s meanwhile", self.folder, reason, elsewhere)
            return open_nameless(elsewhere)


def open_nameless(folder: Path) -> IO[bytes]:
    """A file that vanishes when nobody has it open or mapped any more."""
    return tempfile.TemporaryFile(dir=folder)
