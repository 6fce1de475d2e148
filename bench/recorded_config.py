"""From a record back to the config of a job; the paths that a record shortens are found again."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.composed import composed
from bench.errors import ConfigError
from bench.overrides import check_words, groups
from bench.prepare import PIXELS
from bench.public import PATH_KEYS
from bench.records import Record
from bench.similar import did_you_mean

UNMEASURED = "resnet18_random"  # stands in where a metric needs no backbone; needs no file
WORDS = ("published", "random", "package", "hub", "none")  # what `weights` and `head` may be
FREE = ("device", "batch_size", "workers", "debug", "sampler")  # may be typed anew
# (the sampler too: older records do not hold it)


def recorded_config(record: Record, words: Sequence[str]) -> DictConfig:
    """The config that measures the record's metric on its backbone, and nothing else.

    Where a yaml of salon's gives, at the same place, a path that a record would show so, it is
    that path; every other path has to be typed.

    Args:
        record: whose cell is wanted.
        words: "key=value" below dataset, generator, backbone, sampler or paths, and of FREE.

    Raises:
        ConfigError: if the record's config is no config, or naming the paths that are missing.
    """
    check_words(words)
    choices = [word for word in words if word.startswith("sampler=")]
    config = composed("score", ["tracking=none", *_known_choices(record), *choices])
    OmegaConf.set_struct(config, False)
    if "sampler" in record.generator and not choices:
        sampler = record.generator["sampler"]
        OmegaConf.update(config, "sampler", sampler, merge=False, force_add=True)
    needed = []
    for place, content in _nodes(record).items():
        yaml_node = _plain(config, place)
        node = _restored(content, yaml_node)
        OmegaConf.update(config, place, node, merge=False, force_add=True)
        needed += [f"{place}.{key}" for key in _shortened(node, yaml_node)]
    config.seed = record.seed
    config.paths.cache = "???"
    typed = [word for word in words if word not in choices]
    for word in typed:
        _override(config, word)
    missing = [key for key in needed if not any(word.startswith(f"{key}=") for word in typed)]
    if missing:
        raise ConfigError(
            "the record keeps only the last part of a path; type "
            + " ".join(f"{key}=PATH/TO/{Path(str(_leaf(config, key))).name}" for key in missing)
        )
    return config


def _nodes(record: Record) -> dict[str, dict[str, Any]]:
    """Place in the config -> what the record holds of it."""
    backbone, metric = record.backbone["name"], record.metric["name"]
    nodes = {role: getattr(record, role)["config"] for role in ("dataset", "generator", "protocol")}
    nodes["metrics"] = {metric: record.metric["config"]}
    if backbone != PIXELS:
        nodes["backbone"] = {backbone: record.backbone["config"]}
    for name, content in nodes.items():
        if not isinstance(content, dict):
            raise ConfigError(f"the record's {name} has no config; it cannot be measured again.")
    return nodes


def _known_choices(record: Record) -> list[str]:
    """The yamls whose paths may be those of the record."""
    known = groups()
    words = []
    for group in ("dataset", "generator", "protocol"):
        name = str(getattr(record, group)["config"].get("name"))
        if name in known[group]:
            words.append(f"{group}={name}")
    backbone, metric = record.backbone["name"], record.metric["name"]
    words.append(f"backbone=[{backbone if backbone in known['backbone'] else UNMEASURED}]")
    words.append(f"metrics=[{metric if metric in known['metrics'] else 'fid'}]")
    return words


def _plain(config: DictConfig, place: str) -> dict[str, Any]:
    """A node of salon's yamls, resolved where it can be."""
    node = config.get(place)
    return dict(_resolved(node)) if isinstance(node, DictConfig) else {}


def _resolved(node: DictConfig) -> Iterator[tuple[str, Any]]:
    for key in map(str, node):
        try:
            value = node[key]
        except OmegaConfBaseException:  # mandatory, or made of something that is
            continue
        if isinstance(value, DictConfig):
            yield key, dict(_resolved(value))
        else:
            yield key, OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def _restored(content: Any, yaml_value: Any) -> Any:
    """The recorded values, with the yaml's whole path wherever the record shows its last part."""
    if isinstance(content, dict):
        of = yaml_value if isinstance(yaml_value, Mapping) else {}
        return {key: _restored(item, of.get(key)) for key, item in content.items()}
    is_its_name = isinstance(yaml_value, str) and "/" in yaml_value and isinstance(content, str)
    return yaml_value if is_its_name and Path(yaml_value).name == content else content


def _shortened(node: Any, yaml_node: Any, key: str = "") -> Iterator[str]:
    """Keys whose value is the last part of a path that no yaml of ours gives."""
    if isinstance(node, dict):
        of = yaml_node if isinstance(yaml_node, Mapping) else {}
        for name, item in node.items():
            yield from _shortened(item, of.get(name), f"{key}.{name}" if key else str(name))
        return
    is_path = key.rpartition(".")[2] in PATH_KEYS and isinstance(node, str)
    if is_path and "/" not in node and node not in WORDS and node != yaml_node:
        yield key


def _override(config: DictConfig, word: str) -> None:
    key, equals, value = word.partition("=")
    top, _, below = key.partition(".")
    nodes = ("dataset", "generator", "backbone", "paths", "sampler")
    if not equals or (top not in FREE if not below else top not in nodes):
        allowed = [*FREE, *(f"{name}.KEY" for name in nodes)]
        raise ConfigError(
            f"{word}: {did_you_mean(key, allowed)} What else was measured is the record's."
        )
    if _leaf(config, key) is _ABSENT:
        raise ConfigError(f"{key}: the record's config has no such key.")
    OmegaConf.update(config, key, yaml.safe_load(value), merge=False)


_ABSENT = object()


def _leaf(config: DictConfig, key: str) -> Any:
    node: Any = OmegaConf.to_container(config, resolve=False)
    for part in key.split("."):
        if not isinstance(node, dict) or part not in node:
            return _ABSENT
        node = node[part]
    return node
