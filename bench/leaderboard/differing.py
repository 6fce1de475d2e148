"""Spells out in which fields nested settings depart from each other."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

HASH = re.compile(r"[0-9a-f]{40,64}")
PROSE = ("description", "_target_")  # said elsewhere, or no parameter


def differences(variants: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each variant, its values of the fields that are not the same in all of them.

    Args:
        variants: nested settings, as plain JSON values.

    Returns:
        One text per variant, such as "k=3, resize=absent"; empty for a single variant.
    """
    return [in_words(one) for one in differing(variants)]


def differing(variants: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """As `differences`, as dotted field name -> value as text, "absent" where there is none."""
    fields = [dict(_flat(variant)) for variant in variants]
    names = sorted(set().union(*fields))
    open_names = [name for name in names if len({one.get(name) for one in fields}) > 1]
    return [{name: one.get(name, "absent") for name in open_names} for one in fields]


def in_words(fields: Mapping[str, str]) -> str:
    """The fields in one line, such as "k=3, resize=absent"."""
    return ", ".join(f"{name}={short(value)}" for name, value in fields.items())


def parameters(config: Mapping[str, Any]) -> str:
    """The settings in one line, such as "ddof=1, k=5"; prose left out."""
    fields = {name: value for name, value in config.items() if name not in PROSE}
    return ", ".join(f"{name}={short(value)}" for name, value in _flat(fields))


def flat(content: Mapping[str, Any]) -> dict[str, str]:
    """Dotted field name -> value as text, sorted by name."""
    return dict(_flat(content))


def short(text: str) -> str:
    """A content hash by its first eight digits; every other text as it is."""
    return text[:8] if HASH.fullmatch(text) else text


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name in sorted(content):
        value = content[name]
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value)
