"""What a file is by its bytes: a name and a suffix promise nothing about weights."""

import json
import zipfile
from enum import Enum
from pathlib import Path

_HEAD = 512
LONGEST_HEADER = 100_000_000  # bytes that safetensors reads
METADATA = "__metadata__"  # a key of safetensors' header that is no tensor


class FileKind(Enum):
    """Kinds told apart before any loader runs; the value completes "the file is ..."."""

    ABSENT = "absent"
    DIRECTORY = "a directory; name the file inside it"
    EMPTY = "empty (0 bytes); download it again"
    LFS_POINTER = "a git-LFS pointer, not the weights; run `git lfs pull` in its repository"
    HTML = "an HTML page, not weights (a log-in or error page was saved); download it again"
    JSON = "JSON text, not weights; name the weight file beside it"
    SAFETENSORS = "safetensors"
    TORCH_ZIP = "a torch.save file"
    TORCHSCRIPT = "a TorchScript program, not a dict of tensors; save its state_dict()"
    TRUNCATED = "truncated: its end is missing; download it again"
    DAMAGED = "damaged: its table of contents cannot be read; download it again"
    INFLATING = "a compressed archive, which torch.save does not write; save it again"
    TORCH_OLD = "a torch.save file of the old format"
    PICKLE = "a pickle that torch.save did not write; save its state_dict as safetensors"
    UNKNOWN = "neither safetensors nor a torch.save file"


LOADABLE = (FileKind.SAFETENSORS, FileKind.TORCH_ZIP, FileKind.TORCH_OLD)


def file_kind(path: Path) -> FileKind:
    """Name what a path holds, from its first bytes and its length."""
    if path.is_dir():
        return FileKind.DIRECTORY
    if not path.exists():
        return FileKind.ABSENT
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    return _text_kind(head) or _binary_kind(path, head)


def _text_kind(head: bytes) -> FileKind | None:
    """Kinds that are text, or None; a NUL byte rules text out."""
    text = head.lstrip()
    if not head:
        return FileKind.EMPTY
    if b"\0" in head:
        return None
    if text.startswith(b"version https://git-lfs"):
        return FileKind.LFS_POINTER
    if text.startswith(b"<"):
        return FileKind.HTML
    return FileKind.JSON if text.startswith((b"{", b"[")) else None


def _binary_kind(path: Path, head: bytes) -> FileKind:
    """Kinds that are not text."""
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    if head[8:9] == b"{":  # safetensors: header length (8 bytes), then a JSON header
        return _safetensors_kind(path, head)
    if head.startswith(b"\x80\x02"):  # torch.save writes pickle protocol 2
        return FileKind.TORCH_OLD
    return FileKind.PICKLE if head.startswith(b"\x80") else FileKind.UNKNOWN


def _zip_kind(path: Path) -> FileKind:
    """torch.save writes a zip whose records are stored, so they cannot exceed the file."""
    if not zipfile.is_zipfile(path):
        return FileKind.TRUNCATED
    try:
        with zipfile.ZipFile(path) as archive:
            records = archive.infolist()
    except Exception:  # a damaged table of contents can raise nearly anything
        return FileKind.DAMAGED
    if any("/code/" in record.filename for record in records):
        return FileKind.TORCHSCRIPT
    if sum(record.file_size for record in records) > path.stat().st_size:
        return FileKind.INFLATING
    return FileKind.TORCH_ZIP


def _safetensors_kind(path: Path, head: bytes) -> FileKind:
    """The header says where the last tensor ends."""
    length, size = int.from_bytes(head[:8], "little"), path.stat().st_size
    if length + 8 > size:
        return FileKind.TRUNCATED
    if length > LONGEST_HEADER:
        return FileKind.SAFETENSORS  # its loader refuses it unread
    try:
        with path.open("rb") as stream:
            stream.seek(8)
            entries = json.loads(stream.read(length))
        ends = [entry["data_offsets"][1] for name, entry in entries.items() if name != METADATA]
        is_cut = 8 + length + max(ends, default=0) > size
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return FileKind.SAFETENSORS  # its loader says what is wrong with the header
    return FileKind.TRUNCATED if is_cut else FileKind.SAFETENSORS
