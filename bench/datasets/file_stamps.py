"""What files were when they were first looked at, before anything of them was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import DatasetError
from bench.fingerprint import stamp_files

ABSENT = (-1, -1)


@dataclass(frozen=True)
class FileStamps:
    """Sizes and times of a few files.

    A fingerprint that is remembered under an older stamp than what was read would be found too old
    at the next look; under a newer one it would pass for that of the files as they are.

    Attributes:
        paths: the files.
        seen: size in bytes and mtime in ns of each.
    """

    paths: tuple[Path, ...] = ()
    seen: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, paths: Sequence[Path]) -> "FileStamps":
        """As they are now; reading them will say what is wrong with them."""
        return cls(tuple(paths), tuple(map(file_status, paths)))

    def stamp(self) -> str:
        """See `bench.fingerprint.stamp_files`."""
        return stamp_files(
            (str(path), *status) for path, status in zip(self.paths, self.seen, strict=True)
        )

    def changed(self) -> Path | None:
        """The first that is another by now."""
        pairs = zip(self.paths, self.seen, strict=True)
        return next((path for path, seen in pairs if file_status(path) != seen), None)


def file_status(path: Path) -> tuple[int, int]:
    """Size and mtime in ns; (-1, -1) of no file at all.

    Raises:
        DatasetError: if it cannot be looked at, as when a file server fails.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}.") from error
    return status.st_size, status.st_mtime_ns
