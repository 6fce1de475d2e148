"""Words that set one plain value, put into a config that Hydra has composed with another value.

Hydra applies such words last, each to its own key, so a config of `seed=0` becomes that of `seed=1`
by one assignment. Whatever is not this simple is left to Hydra.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from bench.overrides import groups

KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
SIMPLE = (bool, int, float, str, type(None))
RESOLVED = ("$", "???")  # marks of text that OmegaConf reads


def sets_a_value(word: str, others: Sequence[str]) -> bool:
    """Whether the word replaces one value, and none of the other words touches the same place."""
    key, equals, value = word.partition("=")
    if not equals or not KEY.fullmatch(key) or key in groups() or any(m in value for m in RESOLVED):
        return False
    theirs = [other.lstrip("+~").partition("=") for other in others]
    later = [one for one, _, chosen in theirs if one not in groups() or chosen.startswith("{")]
    return not any(_overlap(key, one) for one in later)


def with_values(plain: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any] | None:
    """A copy of the config under the words; None where a key or a value is not a plain one.

    Args:
        plain: the config; what the words do not touch is shared with the copy.
        words: each of which sets a value.
    """
    changed = dict(plain)
    try:
        parsed = OverridesParser.create().parse_overrides(list(words))
    except HydraException:
        return None
    for override in parsed:
        value = override.value()
        if not isinstance(value, SIMPLE) or not _put(changed, override.key_or_group, value):
            return None
    return changed


def _put(changed: dict[str, Any], key: str, value: Any) -> bool:
    *above, last = key.split(".")
    node = changed
    for part in above:
        if not isinstance(node.get(part), dict):
            return False
        node[part] = dict(node[part])
        node = node[part]
    if last not in node or not isinstance(node[last], SIMPLE):
        return False
    node[last] = value
    return True


def _overlap(one: str, other: str) -> bool:
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
