"""Reads what a job wrote beside a record."""

import csv
import io
from pathlib import Path

from bench.leaderboard.stored import Stored


def artifact(stored: Stored, role: str) -> bytes:
    """The file's bytes; empty where there is none, or where its name leads out of the folder."""
    name = stored.record.artifacts.get(role)
    if not isinstance(name, str) or Path(name).name != name or "\0" in name:
        return b""
    try:
        return (stored.folder / name).read_bytes()
    except (OSError, UnicodeError):
        return b""


def table(stored: Stored, role: str) -> dict[str, list[str]]:
    """Column -> its cells as text; empty where there is no such table or it is torn."""
    try:
        rows = list(csv.reader(io.StringIO(artifact(stored, role).decode())))
    except (UnicodeError, csv.Error):
        return {}
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return {}
    return dict(zip(rows[0], map(list, zip(*rows[1:], strict=True)), strict=True))
