"""Members of a zip file, read no further than the zip says they are long.

zipfile alone inflates a member without a limit, by methods that make gigabytes of a kilobyte, and
cuts off what is longer than declared without a word.
"""

import copy
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

PIECE = 1 << 20  # bytes that are inflated at once
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile limits only these two's output
FOREIGN = {zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma", 9: "deflate64", 93: "zstd"}
FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)
"""What damaged members raise: RuntimeError for encryption, ValueError for names."""


def foreign_method(info: zipfile.ZipInfo) -> str | None:
    """The name of the member's compression, or None where it is one that is read."""
    if info.compress_type in METHODS:
        return None
    return FOREIGN.get(info.compress_type, f"method {info.compress_type}")


def open_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes]:
    """A member to read from, in which one byte more than it declares can be found.

    Raises:
        zipfile.BadZipFile: if it is neither stored nor deflated; others of `FAULTS` if damaged.
    """
    if method := foreign_method(info):
        raise zipfile.BadZipFile(f"it is packed by {method}, expected stored or deflated")
    longer = copy.copy(info)
    longer.file_size += 1  # zipfile stops at this number, and compares the checksum at the end
    return archive.open(longer)


def refuse_more(member: IO[bytes]) -> None:
    """At the end that a member declares: compare its checksum, and see that nothing follows.

    Raises:
        zipfile.BadZipFile: if anything does, or the checksum differs.
    """
    if member.read(1):
        raise zipfile.BadZipFile("it is longer than the zip says")


def pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's bytes, at most `PIECE` at a time.

    Raises:
        zipfile.BadZipFile: if there are more or fewer than it declares, or its checksum differs;
            others of `FAULTS` if it is damaged.
    """
    left = info.file_size
    with open_member(archive, info) as member:
        while left > 0:
            piece = member.read(min(left, PIECE))
            if not piece:
                raise zipfile.BadZipFile(f"it lacks {left:,} of the bytes that the zip says")
            left -= len(piece)
            yield piece
        refuse_more(member)


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A whole member.

    Raises:
        zipfile.BadZipFile: as `pieces`.
    """
    return b"".join(pieces(archive, info))
