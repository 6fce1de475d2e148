"""What a record says of its config, as far as another lab's word is taken: plain values alone.

A record is read by machines that its author has never seen. Its strings stand for themselves, its
names are plain, and what would use a file or run code is asked for (`asked`), never taken from it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bench.build import TARGET, is_foreign
from bench.errors import ConfigError
from bench.labels import check_name
from bench.prepare import PIXELS
from bench.public import PATH_KEYS, shown
from bench.records import Record

NOT_PATHS = {
    "weights": ("published", "random", "package", "hub"),
    "head": ("published", "none"),
}
"""Words that stand where a path may stand."""
PERMISSION = "trust_code"
NEVER_WRITTEN = re.compile(r"\$\{|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
NAMED = ("dataset", "generator", "backbone", "metric")  # whose names become folders and files


def recorded_nodes(record: Record) -> dict[str, dict[str, Any]]:
    """Place in the config -> what the record holds of it.

    Raises:
        ConfigError: if there is no config, a name is not plain, or a text is none that salon
            writes: an interpolation, which would be resolved here, or a path.
    """
    for role in NAMED:
        check_name(getattr(record, role)["name"], f"the record's {role}.name")
    backbone, metric = record.backbone["name"], record.metric["name"]
    nodes = {role: getattr(record, role)["config"] for role in ("dataset", "generator", "protocol")}
    nodes["metrics"] = {metric: record.metric["config"]}
    if backbone != PIXELS:
        nodes["backbone"] = {backbone: record.backbone["config"]}
    if "sampler" in record.generator:
        nodes["sampler"] = record.generator["sampler"]
    for place, content in nodes.items():
        if not isinstance(content, dict):
            raise ConfigError(f"the record's {place} has no config; it cannot be measured again.")
        _check(content, place)
    return nodes


def asked_paths(node: Any, yaml_node: Any, place: str) -> Iterator[str]:
    """Places whose value is a path, or the last part of one, that no yaml of ours gives.

    Args:
        node: what the record holds, with the yaml's paths put in.
        yaml_node: what salon's yaml holds at this place.
        place: where in the config.
    """
    if isinstance(node, dict):
        of = yaml_node if isinstance(yaml_node, Mapping) else {}
        for name, item in node.items():
            yield from asked_paths(item, of.get(name), f"{place}.{name}")
        return
    key = place.rpartition(".")[2]
    is_path = key in PATH_KEYS and isinstance(node, str | int | float)  # 7 becomes "7"
    if is_path and node not in NOT_PATHS.get(key, ()) and node != yaml_node:
        yield place


def asked_code(node: Any, place: str) -> Iterator[str]:
    """Words "key=value" by which the record would run code that is not salon's."""
    for name, item in node.items() if isinstance(node, dict) else ():
        if name == TARGET and is_foreign(item):
            yield f"{place}.{name}={item}"
        elif name == PERMISSION and item is not False:
            yield f"{place}.{name}=true"
        else:
            yield from asked_code(item, f"{place}.{name}")


def _check(node: Any, place: str) -> None:
    """No text but what stands for itself; paths where they are asked for anyway may be any."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for name, item in items:
        where = f"{place}.{name}"
        if any(isinstance(text, str) and NEVER_WRITTEN.search(text) for text in (name, item)):
            raise ConfigError(
                f"{where!r}: the record holds an interpolation or a control character; salon "
                "writes none into a record, and resolves none out of one."
            )
        if isinstance(item, dict | list):
            _check(item, where)
        elif isinstance(item, str) and name not in PATH_KEYS and _is_path(item):
            raise ConfigError(
                f"{where}: the record holds the path {item!r}; it would keep only the last part."
            )


def _is_path(text: str) -> bool:
    return text in ("..", "~") or shown(text) != text
