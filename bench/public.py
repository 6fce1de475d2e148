"""A config node as a record may show it: resolved, without paths of this machine."""

import re
from pathlib import PurePath
from typing import Any

from omegaconf import DictConfig, OmegaConf

LOOKS_LIKE_A_PATH = re.compile(r"(\.{0,2}|~)/|[^\s:]+/")  # not "a sentence with and/or"


PATH_KEYS = ("path", "holdout", "weights", "head", "folder")


def public(node: DictConfig) -> dict[str, Any]:
    """Plain values; of a path only the last part is kept (its content is in the identities)."""
    container = OmegaConf.to_container(node, resolve=True)
    return _shown(container)


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _shown_at(str(key), item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return shown(value)


def _shown_at(key: str, value: Any) -> Any:
    named = key in PATH_KEYS and isinstance(value, str)
    return PurePath(value).name if named else _shown(value)


def shown(value: Any) -> Any:
    """A value as a record may show it: of a path only the last part."""
    if isinstance(value, str) and LOOKS_LIKE_A_PATH.match(value):
        return PurePath(value).name
    return value
