"""Reads files that others may have put there: no device, pipe or socket, and no more than asked."""

import errno
import os
import stat
from pathlib import Path


class OddFileError(OSError):
    """What cannot be read to its end: a device, a pipe or a socket, or a file that is too large."""


def read_regular(path: Path, *, most: int) -> bytes:
    """The file's bytes; a link is followed.

    Args:
        path: the file.
        most: bytes that are read.

    Raises:
        OddFileError: if it is something else than a file, or larger.
        OSError: if it cannot be read.
    """
    # a pipe without a writer would wait for one on opening
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        size = _size(os.fstat(descriptor))
        if size > most:
            raise OddFileError(errno.EFBIG, f"it has {size} bytes, at most {most} are expected")
        return _read(descriptor, size)
    finally:
        os.close(descriptor)


def regular_size(path: Path) -> int:
    """The file's bytes, counted only; raises as `read_regular`."""
    return _size(path.stat())


def _size(status: os.stat_result) -> int:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OddFileError(errno.EINVAL, "it is no file but a device, a pipe or a socket")
    return status.st_size


def _read(descriptor: int, size: int) -> bytes:
    """All bytes: one read gives 2 GB at most. Files of /proc say that they have none."""
    parts = []
    while size > 0 and (part := os.read(descriptor, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
