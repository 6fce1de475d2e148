"""Reads what a job wrote beside a record: only what is there, and as it was written."""

import io
from collections.abc import Iterable, Iterator

import pandas

from bench.beside import UnfitError, file_name, read_artifact
from bench.leaderboard.stored import LeftOut, Stored
from bench.spreadsheet import as_it_was

TEXT = ("image", "side", "nearest_real")  # columns of names, also where a name is a number


def artifact(stored: Stored, role: str) -> bytes:
    """The file's bytes; empty where the record names none.

    Raises:
        UnfitError: if it is absent, elsewhere, or not what the job wrote.
    """
    return read_artifact(stored.folder, stored.record.artifacts, role)


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
        name = file_name(stored.record.artifacts[role])
    except UnfitError:
        name = role
    return f"{stored.path.rpartition('/')[0]}/{name}"


def table(data: bytes) -> pandas.DataFrame:
    """Numbers as float64, names as text; columns that hold anything else as text too.

    Raises:
        ValueError: if the bytes are no table.
    """
    found = pandas.read_csv(
        io.BytesIO(data),
        dtype=dict.fromkeys(TEXT, object),
        keep_default_na=False,  # an image may be called NA
        na_values=[""],
    )
    if b"'" in data:  # few tables have such a name
        for name in found.columns.intersection(TEXT):
            found[name] = found[name].map(as_it_was)
    return found
