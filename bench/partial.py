"""Half-downloaded files: each belongs to one process, and the next one goes on with its leavings.

A partial file is a folder beside the final name, `.part-NAME.WRITER.HEX`, which holds `data` and
`source.json` (the address, and what tells the server's version of the file). One rename of the
folder hands both over, and of several processes that try it one succeeds; safe on NFS, no locks.

A leaving is taken up where its owner gave it back (WRITER is "free"), is a dead process of this
machine, or has written nothing for an hour by the file server's clock: a download that stalls for a
minute has ended long before. Should an owner live all the same, both write the same bytes to the
same places, and what is published is hashed from the disk.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.atomic import place
from bench.errors import StoreError
from bench.writer import is_gone, writer

PREFIX = ".part-"
FREE = "free"
FORGOTTEN_AFTER = 3600.0  # seconds


@dataclass
class Partial:
    """One process's share of a file.

    Attributes:
        path: the final name.
        folder: this process's own folder beside it.
    """

    path: Path
    folder: Path

    @classmethod
    def claim(cls, path: Path) -> "Partial":
        """An own folder, with the leavings of a process that is gone where there are any.

        Raises:
            StoreError: if the folder cannot be written.
        """
        own = path.parent / _name(path, writer())
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            own.mkdir()
        except OSError as error:
            raise StoreError(f"cannot write into {path.parent}: {error.strerror}") from error
        now = own.stat().st_mtime  # the file server's clock
        left = sorted(_left(path, own, now), key=_size, reverse=True)
        taken = next((one for one in left if _took(one, own)), None)
        for one in left:
            if one != taken:
                _remove(one)
        return cls(path, own)

    @property
    def data(self) -> Path:
        """The bytes so far."""
        return self.folder / "data"

    @property
    def size(self) -> int:
        """How many there are."""
        return _size(self.folder)

    def version(self, url: str) -> str | None:
        """What told the version of the file that `data` begins; None if it was from elsewhere."""
        try:
            source = json.loads((self.folder / "source.json").read_text())
        except (OSError, ValueError):
            return None
        known = isinstance(source, dict) and source.get("url") == url
        return source.get("version") if known else None

    def begin(self, url: str, version: str | None) -> None:
        """Start anew, and remember what is being fetched."""
        self.data.write_bytes(b"")
        source = {"url": url, "version": version}
        (self.folder / "source.json").write_text(json.dumps(source))

    def publish(self) -> bool:
        """Give the file its final name unless another process has; says whether this one did.

        Raises:
            StoreError: if the disk does not take it.
        """
        try:
            with self.data.open("rb") as file:
                os.fsync(file.fileno())
            made = place(self.data, self.path)
            with suppress(OSError):  # not every file system lets a folder be synced
                _sync_folder(self.path.parent)
            return made
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror}") from error
        finally:
            self.discard()

    def release(self) -> None:
        """Leave it for whoever comes next, this process included."""
        if not self.size:
            return self.discard()
        with suppress(OSError):
            self.folder.rename(self.folder.with_name(_name(self.path, FREE)))

    def discard(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _name(path: Path, owner: str) -> str:
    return f"{PREFIX}{path.name}.{owner}.{uuid.uuid4().hex[:8]}"


def _size(folder: Path) -> int:
    try:
        return (folder / "data").stat().st_size
    except OSError:
        return 0


def _left(path: Path, own: Path, now: float) -> Iterator[Path]:
    """The folders for this file whose owner is gone."""
    beginning = f"{PREFIX}{path.name}."
    for folder in path.parent.iterdir():
        if folder == own or not folder.name.startswith(beginning):
            continue
        owner = folder.name.removeprefix(beginning).rpartition(".")[0]
        if owner == FREE or is_gone(owner) or now - _last_written(folder, now) > FORGOTTEN_AFTER:
            yield folder


def _last_written(folder: Path, now: float) -> float:
    for path in (folder / "data", folder):
        with suppress(OSError):
            return path.stat().st_mtime
    return now


def _took(left: Path, own: Path) -> bool:
    """Rename it over our own empty folder; of several processes that try, one succeeds."""
    try:
        left.rename(own)
    except OSError:
        return False
    return True


def _remove(left: Path) -> None:
    """Under a name of our own first, so that nobody takes up what is being deleted."""
    doomed = left.with_name(f"{PREFIX}doomed-{uuid.uuid4().hex}")
    with suppress(OSError):
        left.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
