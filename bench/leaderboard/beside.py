"""Reads what a job wrote beside a record: only what is there, and as it was written."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas

from bench.leaderboard.stored import LeftOut, Stored

TEXT = ("image", "side", "nearest_real")  # columns of names, also where a name is a number


class UnfitError(ValueError):
    """A file beside a record that cannot be used; the message says why."""


def artifact(stored: Stored, role: str) -> bytes:
    """The file's bytes; empty where the record names none.

    Raises:
        UnfitError: if it is absent, elsewhere, or not what the job wrote.
    """
    if role not in stored.record.artifacts:
        return b""
    known = stored.record.artifacts[role]
    path = stored.folder / _name(known)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UnfitError("is absent") from None
    except UnicodeError:  # no file can have that name
        raise UnfitError("is not a plain file name") from None
    except OSError as error:
        raise UnfitError(f"cannot be read: {error.strerror}") from error
    if len(data) != known["size"]:
        raise UnfitError(f"has {len(data)} bytes, its record says {known['size']}")
    if hashlib.sha256(data).hexdigest() != known["sha256"]:
        raise UnfitError("was changed after it was written: its sha256 differs")
    return data


def usable(stored: Stored, role: str) -> bytes:
    """The same, empty where it cannot be used: `unfit` names it."""
    try:
        return artifact(stored, role)
    except UnfitError:
        return b""


def unfit(records: Iterable[Stored]) -> Iterator[LeftOut]:
    """The files beside the records that cannot be used, and why."""
    for stored in records:
        for role in stored.record.artifacts:
            try:
                artifact(stored, role)
            except UnfitError as error:
                yield LeftOut(path_beside(stored, role), str(error))


def path_beside(stored: Stored, role: str) -> str:
    """The file's path below the results folder; the role where it has no name."""
    try:
        name = _name(stored.record.artifacts[role])
    except UnfitError:
        name = role
    return f"{stored.path.rpartition('/')[0]}/{name}"


def table(data: bytes) -> pandas.DataFrame:
    """Numbers as float64, names as text; columns that hold anything else as text too.

    Raises:
        ValueError: if the bytes are no table.
    """
    return pandas.read_csv(
        io.BytesIO(data),
        dtype=dict.fromkeys(TEXT, object),
        keep_default_na=False,  # an image may be called NA
        na_values=[""],
    )


def _name(known: Any) -> str:
    name = known.get("file") if isinstance(known, dict) else None
    if not isinstance(name, str) or Path(name).name != name or "\0" in name:
        raise UnfitError("is not a plain file name")
    if not isinstance(known.get("sha256"), str) or type(known.get("size")) is not int:
        raise UnfitError("has no sha256 and size in its record")
    return name
