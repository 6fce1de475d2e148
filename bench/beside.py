"""What a record says of the files beside it, and whether they are still that."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.regular_file import read_regular, regular_size

Artifact = dict[str, Any]
MOST_BYTES = 4 * 1024**3  # of a file that is read; a table of a million images has a tenth


class UnfitError(ValueError):
    """A file beside a record that cannot be used; the message says why."""


def described(name: str, data: bytes) -> Artifact:
    """{"file", "sha256", "size"} of a file with this content."""
    return {"file": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def read_artifact(folder: Path, artifacts: Mapping[str, Any], role: str) -> bytes:
    """The file's bytes; empty where the record names none.

    Args:
        folder: the record's.
        artifacts: the record's; nothing in a foreign record is taken on trust.
        role: such as "images".

    Raises:
        UnfitError: if it is absent, elsewhere, or not what the job wrote.
    """
    if role not in artifacts:
        return b""
    known = artifacts[role]
    data = _read(folder / file_name(known), known["size"])
    if hashlib.sha256(data).hexdigest() != known["sha256"]:
        raise UnfitError("was changed after it was written: its sha256 differs")
    return data


def file_name(known: Any) -> str:
    """Of an artifact.

    Raises:
        UnfitError: if it leads out of the folder, or the record does not say how to know the file.
    """
    name = known.get("file") if isinstance(known, dict) else None
    if not isinstance(name, str) or Path(name).name != name or "\0" in name:
        raise UnfitError("is not a plain file name")
    if not isinstance(known.get("sha256"), str) or type(known.get("size")) is not int:
        raise UnfitError("has no sha256 and size in its record")
    return name


def _read(path: Path, size: int) -> bytes:
    """The bytes of a file of this size; none of another is read."""
    try:
        found = regular_size(path)
        if found != size:
            raise UnfitError(f"has {found} bytes, its record says {size}")
        return read_regular(path, most=MOST_BYTES)
    except FileNotFoundError:
        raise UnfitError("is absent") from None
    except UnicodeError:  # no file can have that name
        raise UnfitError("is not a plain file name") from None
    except OSError as error:
        raise UnfitError(f"cannot be read: {error.strerror}") from error
