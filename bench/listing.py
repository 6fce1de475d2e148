"""`salon list`: what there is, what it needs, and whether its data or weights are here."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml
from omegaconf import OmegaConf

from bench.backbone_list import backbone_nodes
from bench.build import build
from bench.composed import composed
from bench.config_folder import config_folder, register_resolvers
from bench.errors import ConfigError, SalonError
from bench.report import align
from bench.similar import did_you_mean

GROUPS = {
    "datasets": "dataset",
    "generators": "generator",
    "backbones": "backbone",
    "metrics": "metrics",
    "protocols": "protocol",
    "samplers": "sampler",
    "experiments": "experiment",
}

HELP = """salon list - what there is, what it needs, and whether data and weights are here

  salon list                 everything
  salon list backbones       one of datasets, generators, backbones, metrics, protocols, samplers,
                             experiments

Weights of backbones: present; fetchable (`salon fetch backbone=NAME`); in package (came with pip);
random only (untrained, from a seed); given (by you). Width counts features, MB is the download.
"""


def main(words: Sequence[str]) -> int:
    """Run `salon list WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    for word in words:
        if word not in GROUPS:
            raise ConfigError(did_you_mean(word, GROUPS))
    for word in words or GROUPS:
        rows = _backbone_rows() if word == "backbones" else _rows(GROUPS[word])
        print(f"{word}  (type {GROUPS[word]}=NAME)")
        print(align([("  " + name, *others) for name, *others in rows]), flush=True)
        if word != list(words or GROUPS)[-1]:
            print()
    return 0


def _yamls(group: str) -> list[Path]:
    return sorted((config_folder() / group).glob("*.yaml"))


def _rows(group: str) -> list[tuple[str, ...]]:
    state = STATES.get(group, lambda _: "")
    return [(file.stem, state(file.stem), about(file)) for file in _yamls(group)]


def _backbone_rows() -> list[tuple[str, ...]]:
    """Composed once for all: a composition takes as long as everything else here."""
    from bench.backbone_row import HEADS, backbone_row  # networks take seconds to import

    nodes = backbone_nodes([], every=True)
    abouts = {file.stem: about(file) for file in _yamls("backbone")}
    return [HEADS, *(backbone_row(name, nodes[name], abouts[name]) for name in sorted(nodes))]


def about(file: Path) -> str:
    """The first sentence of a yaml's opening comment, which says what it is."""
    comment = itertools.takewhile(lambda line: line.startswith("#"), file.read_text().splitlines())
    text = " ".join(line.lstrip("# ") for line in comment if "@package" not in line)
    return text.split(". ")[0].strip().rstrip(".")


def _dataset_state(name: str) -> str:
    """present, needs a path, or absent; nothing is hashed."""
    file = config_folder() / "dataset" / f"{name}.yaml"
    if yaml.safe_load(file.read_text()).get("path") == "???":
        return "needs dataset.path"
    spec = build(composed("score", [f"dataset={name}"]).dataset, "dataset")
    try:
        spec.locate()
    except SalonError:
        return "absent"
    return "present"


def _generator_state(name: str) -> str:
    file = config_folder() / "generator" / f"{name}.yaml"
    content = yaml.safe_load(file.read_text())
    needed = [key for key, value in content.items() if value == "???"]
    if needed:
        return "needs " + ", ".join(f"generator.{key}" for key in needed)
    if content.get("source", {}).get("path", "").startswith("${paths."):
        return _folder_state(content["source"]["path"])
    if "weights" not in content:
        return "present"
    path = composed("score", [f"generator={name}"]).generator.weights.path
    return "present" if Path(path).exists() else "absent"


def _folder_state(path: str) -> str:
    """Of samples on disk; dozens of yamls have some, so their place is found without Hydra."""
    register_resolvers()
    paths = OmegaConf.load(config_folder() / "paths" / "default.yaml")
    place = Path(OmegaConf.create({"paths": paths, "path": path}).path)
    return "present" if place.exists() else f"absent: {place}"


STATES: dict[str, Callable[[str], str]] = {
    "dataset": _dataset_state,
    "generator": _generator_state,
}
