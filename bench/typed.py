"""Dataclasses as OmegaConf schemas that can be merged into."""

from typing import Any

from omegaconf import DictConfig, OmegaConf


def schema(target: type) -> DictConfig:
    """The dataclass as a config node; frozen ones, nested ones too, are made writable."""
    structured: DictConfig = OmegaConf.structured(target)
    _make_writable(structured)
    return structured


def _make_writable(node: Any) -> None:
    if isinstance(node, DictConfig) and not node._is_none() and not node._is_missing():
        OmegaConf.set_readonly(node, False)
        for key in node:
            _make_writable(node._get_node(key))
