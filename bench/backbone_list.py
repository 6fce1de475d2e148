"""Backbones of a config as descriptions, without their files: for listing and fetching."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from bench.build import build
from bench.composed import composed
from bench.config_folder import yamls
from bench.errors import ConfigError
from bench.overrides import user_folders

GROUP = "backbone"


def backbone_nodes(words: Sequence[str], *, every: bool = False) -> dict[str, DictConfig]:
    """Name -> config node, all from one composition.

    Args:
        words: of a command line; without a word for the group there is none but with `every`.
        every: all that there are.
    """
    chosen = any(word.startswith(f"{GROUP}=") for word in words)
    if not chosen and not every:
        return {}
    if every:
        words = [
            f"{GROUP}=[{','.join(yamls(GROUP, user_folders(words)))}]",
            *_without_choice(words),
        ]
    return {str(name): node for name, node in composed("score", words)[GROUP].items()}


def backbones(words: Sequence[str], *, every: bool = False) -> dict[str, Any]:
    """Name -> description; of `every`, those that lack a mandatory option are left out.

    Raises:
        ConfigError: for a wrong option, or a missing one where the backbone was asked for.
    """
    nodes = backbone_nodes(words, every=every)
    ready = {n: node for n, node in nodes.items() if not (every and missing_options(node))}
    return {name: build(node, f"{GROUP}.{name}") for name, node in ready.items()}


def missing_options(node: DictConfig) -> list[str]:
    """Keys that must be given."""
    return [str(key) for key in node if node._get_node(key)._is_missing()]  # type: ignore[union-attr]


def _without_choice(words: Sequence[str]) -> list[str]:
    if any(word.startswith(f"{GROUP}=") for word in words):
        raise ConfigError("all and backbone=... name the backbones twice; leave one out.")
    return list(words)
