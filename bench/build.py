"""From a yaml node with `_target_` to its object: allowed names only, types checked."""

import importlib
import math
import os
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from bench.errors import ConfigError
from bench.similar import did_you_mean
from bench.typed import schema

OWN = ("bench.", "models.", "metrics.")
TARGET = "_target_"
HOMES = {
    "dataset": ("bench.datasets.",),
    "generator": ("bench.generators.",),
    "generator.source": ("bench.datasets.",),
    "generator.model": ("models.generators.",),
    "backbone": ("models.backbones.",),
    "metrics": ("metrics.",),
    "sampler": ("models.samplers.",),
    "tracking": ("bench.tracking.",),
    "cluster": ("bench.pool.", "bench.slurm."),
    "model": ("models.generators.",),
    "recipe": ("bench.training.",),
}
"""Place in the config -> where salon's own classes for it lie; elsewhere, all that are OWN."""
LISTS = ("backbone", "metrics")  # nodes of named parts


def build(node: Any, where: str) -> Any:
    """Make the object that a node describes.

    A dataclass target is its own schema: the node is merged into it, which refuses misspelt keys
    and values of a wrong type. Nested nodes with a target are built first.

    Args:
        node: a DictConfig (or mapping) with `_target_`.
        where: the node's place in the config, for messages.

    Raises:
        ConfigError: naming the key, what was found and what was expected; also for a target that
            is neither one of salon's classes for this place nor below a prefix that the user
            allowed.
    """
    node = node if isinstance(node, DictConfig) else OmegaConf.create(node)
    if node.get(TARGET) is None:
        raise ConfigError(f"{where}: found no _target_, expected a node that names its class.")
    target = _allowed(str(node[TARGET]), where)
    try:
        return _checked(_make(target, node, where), where)
    except MissingMandatoryValue as error:
        key = _below_root(where, str(error.full_key or _first(error).rsplit(" ", 1)[-1]))
        raise ConfigError(f"{key} is mandatory here: type {key}=VALUE.") from error
    except InterpolationResolutionError as error:
        missing = re.search(r"Missing mandatory value: (\S+)", str(error))
        if missing:
            text = f"{missing[1]} is mandatory here: type {missing[1]}=VALUE."
            raise ConfigError(text) from error
        raise ConfigError(f"{where}: {_first(error)}") from error
    except ConfigKeyError as error:
        raise ConfigError(_unknown_key(target, node, where)) from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"{_below_root(where, str(error.full_key))}: {_first(error)}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error


def _checked(made: Any, where: str) -> Any:
    """No number that cannot be written into a record."""
    for one in fields(made) if is_dataclass(made) else ():
        value = getattr(made, one.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{where}.{one.name} is {value}, expected a finite number.")
    return made


def resolved(node: DictConfig, where: str) -> dict[str, Any]:
    """The node as plain values.

    Raises:
        ConfigError: if a value is missing or cannot be resolved.
    """
    try:
        container = OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{where}: {_first(error)}") from error
    return cast(dict[str, Any], container)


def names_foreign_code(node: Any) -> bool:
    """Whether any `_target_` below the node is not salon's own."""
    if isinstance(node, Mapping):
        foreign = TARGET in node and is_foreign(node[TARGET])
        return foreign or any(names_foreign_code(item) for item in node.values())
    return isinstance(node, list) and any(names_foreign_code(item) for item in node)


def is_foreign(target: object) -> bool:
    """Whether a target is not salon's own."""
    return not str(target).startswith(OWN)


def is_allowed(target: str) -> bool:
    """Whether a target, or another dotted name, is below a prefix in SALON_ALLOW_TARGETS."""
    mine = [p for p in os.environ.get("SALON_ALLOW_TARGETS", "").split(",") if p]
    return any(target == p or target.startswith(p.rstrip(".") + ".") for p in mine)


def _allowed(target: str, where: str) -> Any:
    """Import a part of salon's, or what is below a prefix that the user allowed, nothing else."""
    if not is_foreign(target):
        return _own(target, where)
    if not is_allowed(target):
        raise ConfigError(
            f"{where}._target_: {target} is not salon's own; to run your code, put its prefix into "
            f"the environment: SALON_ALLOW_TARGETS={target.split('.')[0]}"
        )
    return _imported(target, where)


def _own(target: str, where: str) -> Any:
    """A public dataclass of the module that is named: a part, and no function of salon's."""
    top = where.partition(".")[0]
    homes = HOMES[top] if top in LISTS else HOMES.get(where, OWN)
    public = all(part.isidentifier() and part[0] != "_" for part in target.split("."))
    found: Any = _imported(target, where) if public and target.startswith(homes) else None
    is_part = isinstance(found, type) and is_dataclass(found)
    if not is_part or f"{found.__module__}.{found.__qualname__}" != target:  # not one it imports
        raise ConfigError(
            f"{where}._target_: {target} is no part of salon's for this place; expected the name "
            f"of a dataclass below {' or '.join(home.rstrip('.') for home in homes)}."
        )
    return found


def _imported(target: str, where: str) -> Any:
    module, _, name = target.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"{where}._target_: {target} cannot be imported ({error}); is its folder in PYTHONPATH?"
        ) from error


def _make(target: Any, node: DictConfig, where: str) -> Any:
    keys = [str(key) for key in node if key != TARGET]
    children = {key: build(node[key], f"{where}.{key}") for key in keys if _is_target(node, key)}
    given = {key: _value(node, key) for key in keys if key not in children}
    if not (isinstance(target, type) and is_dataclass(target)):
        return target(**given, **children)
    merged = OmegaConf.merge(schema(target), given)
    own = [f.name for f in fields(target) if f.init and f.name not in children]
    return target(**{name: _to_python(merged, name) for name in own}, **children)


def _is_target(node: DictConfig, key: str) -> bool:
    if OmegaConf.is_missing(node, key):
        return False
    return isinstance(node[key], DictConfig) and TARGET in node[key]


def _value(node: DictConfig, key: Any) -> Any:
    value = node[key]
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _to_python(merged: Any, key: str) -> Any:
    value = merged[key]
    return OmegaConf.to_object(value) if OmegaConf.is_config(value) else value


def _unknown_key(target: Any, node: Mapping[str, Any], where: str) -> str:
    known = {f.name for f in fields(target)}
    unknown = next((str(key) for key in node if key != TARGET and key not in known), "?")
    return f"{where}.{unknown}: {did_you_mean(unknown, known)}"


def _below_root(where: str, key: str) -> str:
    """OmegaConf tells a key sometimes from the root and sometimes from the node."""
    return key if key.startswith(f"{where}.") else f"{where}.{key}"


def _first(error: Exception) -> str:
    """The first line of OmegaConf's message; the rest repeats the key."""
    return str(error).strip().splitlines()[0]
