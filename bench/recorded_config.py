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
from bench.recorded_nodes import asked_code, asked_paths, recorded_nodes
from bench.records import Record
from bench.similar import did_you_mean

UNMEASURED = "resnet18_random"  # stands in where a metric needs no backbone; needs no file
FREE = ("device", "batch_size", "workers", "debug", "sampler")  # may be typed anew
# (the sampler too: older records do not hold it)


def recorded_config(record: Record, words: Sequence[str]) -> DictConfig:
    """The config that measures the record's metric on its backbone, and nothing else.

    Where a yaml of salon's gives, at the same place, a path that a record would show so, it is
    that path; every other path has to be typed, and so has every word by which the record would
    run code that is not salon's.

    Args:
        record: whose cell is wanted.
        words: "key=value" below dataset, generator, backbone, sampler or paths, and of FREE.

    Raises:
        ConfigError: if the record's config is none that salon writes, or naming the paths and
            permissions that are missing.
    """
    check_words(words)
    nodes = recorded_nodes(record)
    choices = [word for word in words if word.startswith("sampler=")]
    config = composed("score", ["tracking=none", *_known_choices(record), *choices])
    OmegaConf.set_struct(config, False)
    if choices:
        nodes.pop("sampler", None)
    paths, code = _take_over(nodes, config)
    config.seed = record.seed
    config.paths.cache = "???"
    typed = [word for word in words if word not in choices]
    for word in typed:
        _override(config, word, code)
    _check_asked(config, typed, paths, code)
    return config


def _take_over(nodes: Mapping[str, Any], config: DictConfig) -> tuple[list[str], list[str]]:
    """Put what is recorded into the config.

    Returns:
        Places of paths that have to be typed, and whole words for code that would run.
    """
    paths: list[str] = []
    code: list[str] = []
    for place, content in nodes.items():
        yaml_node = _plain(config, place)
        node = _restored(content, yaml_node)
        OmegaConf.update(config, place, node, merge=False, force_add=True)
        paths += asked_paths(node, yaml_node, place)
        code += asked_code(node, place)
    return paths, code


def _check_asked(
    config: DictConfig, typed: Sequence[str], paths: Sequence[str], code: Sequence[str]
) -> None:
    """What would use a file of this machine or run code has been typed, not only recorded."""
    keys = [word.partition("=")[0] for word in typed]
    missing = [key for key in paths if not _covers(keys, key)]
    unseen = [word for word in code if not _covers(keys, word.partition("=")[0])]
    told = []
    if missing:
        words = " ".join(f"{key}=PATH/TO/{_last_part(config, key)}" for key in missing)
        told.append(f"the record keeps only the last part of a path; type {words}")
    if unseen:
        words = " ".join(unseen)
        told.append(f"the record runs code that is not salon's; only if you trust it, type {words}")
    if told:
        raise ConfigError(", and ".join(told))


def _covers(keys: Sequence[str], wanted: str) -> bool:
    """Whether the value itself, or the whole node around it, is among what was typed."""
    return any(wanted == key or wanted.startswith(f"{key}.") for key in keys)


def _last_part(config: DictConfig, key: str) -> str:
    return Path(str(_leaf(config, key))).name


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


def _override(config: DictConfig, word: str, code: Sequence[str]) -> None:
    """One word of the user's; code that was asked for may be anywhere in the config."""
    key, equals, value = word.partition("=")
    top, _, below = key.partition(".")
    nodes = ("dataset", "generator", "backbone", "paths", "sampler")
    if word not in code and (not equals or (top not in FREE if not below else top not in nodes)):
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
