"""Pickles that may hold numpy arrays and plain values, and cannot run anything."""

import io
import pickle
from typing import Any

from bench.errors import DatasetError

ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),  # protocol 5, the default from Python 3.14 on
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),  # how protocol 2 spells bytes
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module.replace("numpy.core.", "numpy._core."), name)


def load_arrays(data: bytes, *, where: str) -> Any:
    """Unpickle, with byte strings as bytes.

    Raises:
        DatasetError: for a pickle that names anything but numpy's array parts, or a damaged one.
    """
    try:
        return _ArrayUnpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DatasetError(
            f"{where} is not a pickle of plain arrays: {error}. Nothing was run; copy it again."
        ) from error
