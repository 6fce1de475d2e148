"""Files that are whole or absent: unique temporary name, fsync, then one rename or link.

Safe on NFS, where several jobs share a folder: one writer per name, no locks, no appends.
"""

import errno
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from bench.errors import StoreError
from bench.writer import writer

TEMPORARY = ".tmp-"  # leftovers of killed writers start with this; readers skip them

NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


def replace_file(path: Path, data: bytes) -> None:
    """Write the file, over an older one if there is one.

    Raises:
        StoreError: if the disk is full or the folder cannot be written; no stump is left.
    """
    replace_by(path, lambda file: file.write(data))


def replace_by(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """`replace_file` of what `write` puts into the open file, part by part."""
    temporary = _write_temporary(path, write)
    try:
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def create_file(path: Path, data: bytes) -> bool:
    """Write the file unless it is already there; says whether this call made it.

    Raises:
        StoreError: if the disk is full or the folder cannot be written; no stump is left.
    """
    temporary = _write_temporary(path, lambda file: file.write(data))
    try:
        return place(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def place(whole: Path, path: Path) -> bool:
    """Give a whole file its final name, unless that is taken; says whether this call did.

    Args:
        whole: fsynced, in the same file system; the caller removes this name afterwards.
        path: the final name.

    Raises:
        StoreError: if the folder cannot be written.
    """
    try:
        os.link(whole, path)  # atomic and exclusive, on NFS too
        return True
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise StoreError(f"cannot create {path}: {error.strerror}") from error
        return _create_without_links(whole, path)


def _create_without_links(temporary: Path, path: Path) -> bool:
    """For file systems without hard links: a later equal writer may replace an earlier one."""
    if path.exists():
        return False
    os.replace(temporary, path)
    return True


def _write_temporary(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    name = f"{TEMPORARY}{writer()}-{uuid.uuid4().hex[:8]}"
    temporary = path.parent / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        _forget(temporary)
        raise StoreError(
            f"cannot write {path}: {error.strerror}; free some space or choose another folder."
        ) from error
    except BaseException:  # interrupted, or what was to be written could not be made
        _forget(temporary)
        raise
    return temporary


def _forget(temporary: Path) -> None:
    with suppress(OSError):
        temporary.unlink()
