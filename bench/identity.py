"""What a config object is, as far as numbers go: every field, less those that cannot move one."""

from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

NEUTRAL: dict[str, str] = {
    "name": "a label; images are identified by content",
    "note": "text for the reader",
    "path": "where a file lies; its content is hashed",
    "weights": "a file with its origin; its content is hashed beside the fields",
    "sha256": "the hash that is expected; the one found is in the identity",
    "trained_on": "checked against the dataset, then without effect",
    "control": "where leaderboards show the row",
    "trust_code": "a permission; in the record",
}
"""Fields of a generator's yaml that cannot change a number, each with the reason."""

NEUTRAL_SETTINGS: dict[str, str] = {
    "batch_size": "moves features in the last float32 bits only, see the cache's 1e-5 rule",
    "workers": "threads that read images ahead; images stay bit-equal",
    "debug": "tracebacks on or off",
    "device": "its type is in cache keys and in the record, not in the comparison",
    "paths": "where things lie",
    "precision": "read by each backbone's yaml, and in its identity there",
}
"""Top-level values that cannot change a number, each with the reason."""


def last_bits(backbone: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields of a backbone's identity or config that move the last float32 bits only.

    Folding and memory order do so at fp32; in a narrower precision they change what is rounded, by
    as much as the precision itself.
    """
    return ("optimise",) if backbone.get("precision", "fp32") in ("fp32", None) else ()


def describe(spec: Any, neutral: Set[str] = frozenset()) -> dict[str, Any]:
    """A dataclass as plain JSON values: its class and every field that is not neutral.

    Args:
        spec: the dataclass; nested ones are described in full.
        neutral: names of its own fields to leave out.
    """
    kept = [f.name for f in fields(spec) if f.name not in neutral]
    kind = f"{type(spec).__module__}.{type(spec).__qualname__}"
    return {"kind": kind, **{name: plain(getattr(spec, name)) for name in kept}}


def plain(value: Any) -> Any:
    """Nested dataclasses, enums, mappings and sequences as plain JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        return describe(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
