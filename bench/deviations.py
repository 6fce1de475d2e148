"""Where a run departs from the protocol whose name it carries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.composed import salon_configs
from bench.identity import NEUTRAL

NODES = ("protocol", "backbone", "metrics")
SEEDS = {"seed"}  # of random backbones: another draw from the same feature space
SILENT = (NEUTRAL.keys() - {"weights"}) | SEEDS


def deviations(
    config: DictConfig, *, protocol: str, search_folders: Sequence[Path] = ()
) -> list[str]:
    """Every value of protocol, backbones and metrics that the preset alone would set otherwise.

    Args:
        config: the run's whole config.
        protocol: the preset's yaml name.
        search_folders: further config folders of the user's.

    Returns:
        Lines such as "metrics.prdc.k: 3 (salon: 5)", sorted.
    """
    preset = _preset(config, protocol, search_folders)
    lines = []
    for node in NODES:
        found, expected = _flat(config, node), _flat(preset, node)
        for key in sorted(found.keys() | expected.keys()):
            if found.get(key) != expected.get(key) and key.split(".")[-1] not in SILENT:
                lines.append(f"{key}: {found.get(key)} ({protocol}: {expected.get(key)})")
    return lines


def _preset(config: DictConfig, protocol: str, search_folders: Sequence[Path]) -> DictConfig:
    words = [
        f"protocol={protocol}",
        f"backbone=[{','.join(config.backbone)}]",
        f"metrics=[{','.join(config.metrics)}]",
        f"hydra.searchpath=[{','.join(f'file://{folder}' for folder in search_folders)}]",
    ]
    with salon_configs():
        return compose("score", words)


def _flat(config: DictConfig, node: str) -> dict[str, Any]:
    """Dotted key -> resolved value below one node."""
    flat: dict[str, Any] = {}

    def walk(value: DictConfig, prefix: str) -> None:
        for key in map(str, value):
            name = f"{prefix}.{key}"
            try:
                item = value[key]
            except OmegaConfBaseException:
                item = "unresolved"
            if isinstance(item, DictConfig):
                walk(item, name)
            else:
                plain = OmegaConf.to_container(item) if OmegaConf.is_config(item) else item
                flat[name] = plain

    walk(config[node], node)
    return flat
