"""Writes npz files array by array: the same arrays give the same bytes on one machine."""

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

THE_BEGINNING = (1980, 1, 1, 0, 0, 0)  # no time of writing in the file


@dataclass(frozen=True)
class Parts:
    """An array that is never whole in memory.

    Attributes:
        shape: of the whole.
        dtype: of every part.
        parts: in order, cut along the first dimension.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    parts: Iterable[np.ndarray]


def write_npz(
    file: BinaryIO, arrays: Mapping[str, np.ndarray | Parts], *, compressed: bool
) -> None:
    """What np.savez or np.savez_compressed would write.

    Args:
        file: open for writing.
        arrays: name -> array, in the order in which they are to lie.
        compressed: deflated, or stored so that readers can map them into memory.
    """
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", THE_BEGINNING)
            member.compress_type = kind
            whole = array if isinstance(array, Parts) else _in_one_part(array)
            with archive.open(member, "w", force_zip64=True) as opened:
                _write_array(opened, whole)  # type: ignore[arg-type]


def _in_one_part(array: np.ndarray) -> Parts:
    return Parts(array.shape, array.dtype, [array])


def _write_array(file: BinaryIO, array: Parts) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
    for part in array.parts:
        file.write(np.ascontiguousarray(part, array.dtype).data)
