"""A config node as a record may show it: resolved, without secrets or paths of this machine."""

from pathlib import PurePath
from typing import Any

from omegaconf import DictConfig, OmegaConf


def public(node: DictConfig) -> dict[str, Any]:
    """Plain values; of a path only the last part is kept (its content is in the identities)."""
    container = OmegaConf.to_container(node, resolve=True)
    return _shown(container)


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, str) and "/" in value and "://" not in value and " " not in value:
        return PurePath(value).name
    return value
