"""How deep JSON of others is nested: what walks it calls itself once a level."""

from typing import Any

MOST_DEEP = 64  # levels of a record; ours have six


def is_deeper(content: Any, most: int) -> bool:
    """Whether JSON has more levels of objects and lists than that."""
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(most):
        level = [item for one in level for item in _items(one) if isinstance(item, dict | list)]
    return bool(level)


def _items(one: Any) -> Any:
    return one.values() if isinstance(one, dict) else one
