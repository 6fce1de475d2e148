"""Where a run departs from the protocol whose name it carries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.composed import salon_configs, search_path
from bench.config_folder import yamls
from bench.errors import ConfigError
from bench.hydra_errors import config_errors
from bench.identity import last_bits
from bench.public import shown

NODES = ("protocol", "backbone", "metrics")
SILENT = ("seed", "weights_sha256")
"""Of backbones: another draw from the same space; a check only."""


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

    Raises:
        ConfigError: if the run gave the protocol another name than its yaml does.
    """
    preset = _preset(config, protocol, search_folders)
    if config.protocol.name != preset.protocol.name:
        raise ConfigError(
            f"protocol.name={config.protocol.name}: the name belongs to the preset {protocol}; "
            "a protocol of your own is a yaml of its own."
        )
    lines = []
    for node in NODES:
        found, expected = _flat(config, node), _flat(preset, node)
        for key in sorted(found.keys() | expected.keys()):
            if found.get(key) != expected.get(key) and not _is_silent(key, found):
                lines.append(
                    f"{key}: {shown(found.get(key))} ({protocol}: {shown(expected.get(key))})"
                )
    return lines


def _is_silent(key: str, found: Mapping[str, Any]) -> bool:
    """Whether a value cannot move a number beyond its last bits."""
    owner, _, name = key.rpartition(".")
    precision = found.get(f"{owner}.precision", "fp32")
    return name in (*SILENT, *last_bits({"precision": precision}))


def _preset(config: DictConfig, protocol: str, search_folders: Sequence[Path]) -> DictConfig:
    """The same choices without any override; what is no choice is missing, so it deviates."""
    words = [f"protocol={protocol}", search_path(search_folders)]
    for group in ("backbone", "metrics"):
        known = yamls(group, search_folders)
        names = [str(name) for name in config[group] if name in known]
        words.append(f"{group}=[{','.join(names)}]")
    with config_errors(), salon_configs():
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
                flat[name] = OmegaConf.to_container(item) if OmegaConf.is_config(item) else item

    walk(config.get(node) or OmegaConf.create(), node)
    return flat
