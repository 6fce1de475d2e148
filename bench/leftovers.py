"""Removes what killed writers left: temporary files that no process will ever rename."""

import logging
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from bench.atomic import TEMPORARY
from bench.writer import is_gone, writer

log = logging.getLogger(__name__)
FORGOTTEN_AFTER = 24 * 3600.0  # seconds; no single file takes a day to write
WRITTEN = ("results", "logs", "cache")  # of `paths`: where jobs write


def sweep_leftovers_of(paths: Mapping[str, str]) -> int:
    """`sweep_leftovers` of the folders into which the jobs of a config write, each once.

    Args:
        paths: the config's `paths`.
    """
    folders = {Path(paths[name]).absolute() for name in WRITTEN}
    return sweep_leftovers(own for own in folders if not folders.intersection(own.parents))


def sweep_leftovers(folders: Iterable[Path]) -> int:
    """Remove temporary files whose writer is gone.

    That is known of processes of this machine. Those of others are removed once nothing has been
    written to them for a day by the file server's own clock.

    Args:
        folders: with all that is below them; a folder that is absent or not ours costs nothing.

    Returns:
        How many were removed.
    """
    removed = 0
    for folder in folders:
        now = _clock_of(folder)
        for path in _temporaries(folder):
            if now is not None and _is_left(path, now):
                with suppress(OSError):  # another sweep was faster
                    path.unlink()
                    removed += 1
    if removed:
        log.info("removed %d temporary files that killed jobs had left", removed)
    return removed


def _temporaries(folder: Path) -> Iterator[Path]:
    for where, _, names in os.walk(folder):
        yield from (Path(where) / name for name in names if name.startswith(TEMPORARY))


def _is_left(path: Path, now: float) -> bool:
    if is_gone(path.name.removeprefix(TEMPORARY).rpartition("-")[0]):
        return True
    with suppress(OSError):
        return now - path.stat().st_mtime > FORGOTTEN_AFTER
    return False


def _clock_of(folder: Path) -> float | None:
    """The time as the file server knows it; None where we may not write."""
    probe = folder / f"{TEMPORARY}{writer()}-{uuid.uuid4().hex[:8]}"
    try:
        probe.touch()
        now = probe.stat().st_mtime
        probe.unlink()
    except OSError:
        return None
    return now
