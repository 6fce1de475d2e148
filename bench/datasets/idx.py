"""The idx format of MNIST and its relatives, plain or gzipped, checked to the last byte."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from bench.errors import DatasetError

IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049
LARGEST = 1 << 30  # bytes; MNIST's relatives have 47 million


def read_images(path: Path) -> np.ndarray:
    """uint8 (N, H, W).

    Raises:
        DatasetError: for a wrong magic number, or a length that the header does not give.
    """
    return _read(path, magic=IMAGES_MAGIC, dimensions=3)


def read_labels(path: Path) -> np.ndarray:
    """uint8 (N,).

    Raises:
        DatasetError: as `read_images`.
    """
    return _read(path, magic=LABELS_MAGIC, dimensions=1)


def _read(path: Path, *, magic: int, dimensions: int) -> np.ndarray:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _parse(file, path, magic, dimensions)  # type: ignore[arg-type]
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetError(f"{path} cannot be read: {error}; copy it again.") from error


def _parse(file: BinaryIO, path: Path, magic: int, dimensions: int) -> np.ndarray:
    layout = struct.Struct(f">{1 + dimensions}I")
    header = file.read(layout.size)
    if len(header) < layout.size:
        raise DatasetError(f"{path} ends within its header; copy it again.")
    found, *shape = layout.unpack(header)
    if found != magic:
        raise DatasetError(f"{path} begins with {found}, expected idx magic {magic}.")
    size = int(np.prod(shape, dtype=object))
    if not 0 < size <= LARGEST:
        raise DatasetError(f"{path}: the header says shape {tuple(shape)}; copy it again.")
    data = file.read(size + 1)  # one more byte shows whether there are too many
    if len(data) != size:
        more = "more" if len(data) > size else f"{len(data):,}"
        raise DatasetError(
            f"{path}: the header says {size:,} bytes {tuple(shape)}, there are {more}; "
            "copy it again."
        )
    return np.frombuffer(data, np.uint8).reshape(shape)
