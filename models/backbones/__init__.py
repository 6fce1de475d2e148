"""Backbones by name: one module each, one frozen dataclass in it, whose fields are the options."""

import importlib
import pkgutil
from dataclasses import fields
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from models.backbone import Backbone, Network


def load(name: str, *, device: str = "cpu", **options: Any) -> Network:
    """Load a backbone without a config.

    Example: `load("inception", weights="inception.pth", resize="tf1_bilinear")(images).features`.

    Args:
        name: module in this folder, such as "inception".
        device: where the network runs.
        options: fields of the backbone; those with named choices are given by name,
            or by value, such as layer=192.

    Returns:
        uint8 (n, 3, H, W) images -> Embedding.

    Raises:
        ValueError: if the name, an option or a choice is unknown.
        models.weights.WeightsError: if the weights are absent, damaged or not the named ones.
    """
    return describe(name, **options).load(device)


def describe(name: str, **options: Any) -> Backbone:
    """The backbone's description; touches no file."""
    cls = backbone_class(name)
    known = [field.name for field in fields(cls)]
    for option in options:
        if option not in known:
            raise ValueError(
                f"backbone {name} has no option {option!r}; it has: {', '.join(known)}"
            )
    hints = get_type_hints(cls)
    made: Backbone = cls(**{key: _chosen(key, hints[key], options[key]) for key in options})
    return made


def names() -> list[str]:
    """Every backbone in this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def backbone_class(name: str) -> Any:
    """The dataclass of a name: efficientnet_lite0 -> EfficientnetLite0."""
    if name not in names():
        raise ValueError(f"no backbone is called {name!r}; there are: {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    return getattr(module, "".join(part.capitalize() for part in name.split("_")))


def _chosen(option: str, hint: Any, value: Any) -> Any:
    """The Enum member of a name or a value, where the option is an Enum; else what was given."""
    alternatives = _alternatives(hint)
    choices = next((hint for hint in alternatives if _is_enum(hint)), None)
    if choices is None or (value is None and NoneType in alternatives):
        return value
    try:
        return choices[value] if isinstance(value, str) else choices(value)
    except (KeyError, ValueError):
        raise ValueError(
            f"{option}={value!r} is not known; choose one of: {', '.join(choices.__members__)}"
        ) from None


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)
