"""Arrays of npy and npz files, mapped into memory where they lie uncompressed; never a pickle."""

import io
import os
import struct
import zipfile
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from bench.datasets.members import FAULTS, foreign_method, open_member, pieces, refuse_more
from bench.errors import DatasetError

LARGEST_INFLATED = 16 << 30  # bytes; a compressed array must fit into memory
LONGEST_HEADER = 10_000  # bytes; numpy refuses a longer one only after reading it whole
LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a zip member: signature, name and extra lengths


def read_npy(path: Path) -> np.ndarray:
    """The array of an npy file, mapped read-only.

    Raises:
        DatasetError: if it is absent, truncated, no npy file, or holds objects.
    """
    refuse_absent(path)
    return _mapped(path, offset=0, length=path.stat().st_size, what=str(path))


def npz_keys(path: Path) -> list[str]:
    """The names of an npz file's arrays, in order.

    Raises:
        DatasetError: if it is absent or no npz file.
    """
    with _open(path) as archive:
        names = [info.filename for info in archive.infolist()]
    return [name.removesuffix(".npy") for name in names if name.endswith(".npy")]


def read_npz(path: Path, key: str) -> np.ndarray:
    """One array of an npz file: mapped if it is stored, inflated into memory if compressed.

    Raises:
        DatasetError: if it is damaged, holds objects, or inflates beyond 16 GB.
    """
    what = f"{path}: array {key}"
    try:
        return _read_member(path, key, what)
    except OSError as error:  # a damaged table of contents points anywhere
        raise DatasetError(f"{what} cannot be read: {error}; copy the file again.") from error


def check_sums(path: Path, keys: Sequence[str] | None = None) -> None:
    """Read arrays of an npz file once, and compare with the checksums that it keeps.

    Args:
        path: the file.
        keys: which arrays; None takes all.

    Raises:
        DatasetError: naming the first array that differs.
    """
    with _open(path) as archive:
        for name in archive.namelist() if keys is None else [f"{key}.npy" for key in keys]:
            info = archive.getinfo(name)
            _refuse_method(info, f"{path}: {name}")
            try:
                _read_through(archive, info)
            except (OSError, *FAULTS) as error:
                raise DatasetError(
                    f"{path}: the checksum of {name} differs, or it is damaged ({error}); copy the "
                    "file again."
                ) from error


def _read_through(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    for _ in pieces(archive, info):  # the checksum is compared at the end
        pass


def _refuse_method(info: zipfile.ZipInfo, what: str) -> None:
    if method := foreign_method(info):
        raise DatasetError(
            f"{what} is packed by {method}, expected stored or deflated; save it with np.savez."
        )


def _read_member(path: Path, key: str, what: str) -> np.ndarray:
    with _open(path) as archive:
        info = archive.getinfo(f"{key}.npy")
        if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 0x1:
            return _mapped(path, offset=_data_offset(path, info), length=info.file_size, what=what)
        _refuse_method(info, what)
        if info.file_size > LARGEST_INFLATED:
            raise DatasetError(
                f"{what} inflates to {info.file_size:,} bytes; store it with np.savez, "
                "uncompressed, so that it can be read in parts."
            )
        return _inflated(archive, info, what)


def refuse_absent(path: Path) -> None:
    """Say what is there instead of a file.

    Raises:
        DatasetError: if it is no file.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise DatasetError(f"{path} {found}; set the path to an npy or npz file.")


def _open(path: Path) -> zipfile.ZipFile:
    refuse_absent(path)
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # a damaged table of contents can raise nearly anything
        raise DatasetError(f"{path} is not a readable npz file: {error}; copy it again.") from error


def _data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: behind its local header, whose extra field is its own."""
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise DatasetError(f"{path}: the entry of {info.filename} is damaged; copy it again.")
    _, name, extra = LOCAL_HEADER.unpack(header)
    return info.header_offset + LOCAL_HEADER.size + name + extra


def _mapped(path: Path, *, offset: int, length: int, what: str) -> np.ndarray:
    with path.open("rb") as file:
        file.seek(offset)
        shape, fortran, dtype = _header(file, what)
        start = file.tell()
    _check_length(shape, dtype, length - (start - offset), what)
    if start + prod(shape) * dtype.itemsize > os.path.getsize(path):
        raise DatasetError(f"{what} is truncated; copy the file again.")
    try:
        if prod(shape) == 0:  # nothing to map
            return np.empty(shape, dtype)
        order = "F" if fortran else "C"
        return np.memmap(path, dtype, "r", start, shape, order=order)  # type: ignore[call-overload]
    except ValueError as error:  # more dimensions or elements than numpy has numbers for
        raise DatasetError(f"{what} has shape {shape}: {error}; save it again.") from error


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo, what: str) -> np.ndarray:
    try:
        with open_member(archive, info) as member:
            shape, _, dtype = _header(member, what)
            _check_length(shape, dtype, info.file_size - member.tell(), what)
        with open_member(archive, info) as member:
            array = np.lib.format.read_array(member, allow_pickle=False)
            refuse_more(member)
            return array
    except (OSError, *FAULTS) as error:
        raise DatasetError(f"{what} is damaged: {error}; copy the file again.") from error


def _header(file: IO[bytes], what: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, Fortran order and dtype; numpy's parser evaluates literals only."""
    try:
        version = np.lib.format.read_magic(file)
        read, length = {
            (1, 0): (np.lib.format.read_array_header_1_0, struct.Struct("<H")),
            (2, 0): (np.lib.format.read_array_header_2_0, struct.Struct("<I")),
        }[version]
        shape, fortran, dtype = read(_header_bytes(file, length))
    except Exception as error:  # a damaged header can raise nearly anything
        raise DatasetError(f"{what} is not a numpy array: {error}; copy it again.") from error
    if dtype.hasobject:
        raise DatasetError(
            f"{what} holds Python objects, and loading those runs code; save plain numbers."
        )
    if dtype.itemsize == 0:  # any shape fits into no bytes
        raise DatasetError(f"{what} holds {dtype.str} of no width; save plain numbers.")
    return shape, fortran, dtype


def _header_bytes(file: IO[bytes], length: struct.Struct) -> BinaryIO:
    """The header alone with its length, which is looked at before anything is read."""
    start = file.read(length.size)
    (size,) = length.unpack(start)
    if size > LONGEST_HEADER:
        raise ValueError(f"its header has {size:,} bytes, the limit is {LONGEST_HEADER:,}")
    return io.BytesIO(start + file.read(size))


def _check_length(shape: tuple[int, ...], dtype: np.dtype, found: int, what: str) -> None:
    wanted = prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or wanted != found:
        raise DatasetError(
            f"{what} is truncated or damaged: shape {shape} of {dtype} takes {wanted:,} bytes, "
            f"there are {found:,}. Copy the file again."
        )
