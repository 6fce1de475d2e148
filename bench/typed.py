"""Dataclasses as OmegaConf schemas that can be merged into."""

from typing import Any

from omegaconf import DictConfig, OmegaConf


def schema(target: type) -> DictConfig:
    """The dataclass as a config node; frozen ones, nested ones too, are made writable."""
    structured: DictConfig = OmegaConf.structured(target)
    nodes = [structured]
    while nodes:
        node = nodes.pop()
        OmegaConf.set_readonly(node, False)
        nodes += [node._get_node(key) for key in node if _is_open(node._get_node(key))]
    return structured


def _is_open(node: Any) -> bool:
    return isinstance(node, DictConfig) and not node._is_none() and not node._is_missing()
