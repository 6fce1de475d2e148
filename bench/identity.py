"""What a config object is, as far as numbers go: every field, less those that cannot move one."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

NEUTRAL: dict[str, str] = {
    "name": "a label; images are identified by content",
    "note": "text for the reader",
    "url": "where a file was published; the file is identified by its hash",
    "licence": "text for the reader",
    "path": "where a file lies; its content is hashed",
    "weights": "a file, or the word for one; its content is hashed beside the fields",
    "sha256": "the hash that is expected; the one found is in the identity",
    "weights_sha256": "likewise",
    "trained_on": "checked against the dataset, then without effect",
    "control": "where leaderboards show the row",
    "trust_code": "a permission; in the record",
    "batch_size": "moves features in the last float32 bits only, see the cache's 1e-5 rule",
    "workers": "threads that decode; images stay bit-equal",
    "download": "how a file comes here; its content is hashed",
    "verify": "whether hashes are taken anew",
    "debug": "tracebacks on or off",
    "device": "in the record; bit-equality is promised per device type",
}
"""Config fields that cannot change a number, each with the reason."""


def describe(spec: Any) -> dict[str, Any]:
    """A dataclass as plain JSON values: its class and every field that is not neutral.

    A test changes every field of every yaml in turn: either this description (or the content hash
    beside it) changes, or the field is listed in `NEUTRAL`.
    """
    values = {f.name: getattr(spec, f.name) for f in fields(spec) if f.name not in NEUTRAL}
    kind = f"{type(spec).__module__}.{type(spec).__qualname__}"
    return {"kind": kind, **{name: plain(value) for name, value in values.items()}}


def plain(value: Any) -> Any:
    """Nested dataclasses, enums and mappings as plain JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return describe(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if key not in NEUTRAL}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
