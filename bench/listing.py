"""`salon list`: what there is, what it needs, and whether its data or weights are here."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml
from omegaconf import DictConfig

from bench.build import build
from bench.composed import composed
from bench.config_folder import config_folder
from bench.errors import ConfigError, SalonError
from bench.report import align
from bench.similar import did_you_mean
from models.weights import WeightsError

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
        rows = [_row(GROUPS[word], file) for file in _yamls(GROUPS[word])]
        print(f"{word}  (type {GROUPS[word]}=NAME)")
        print(align([("  " + name, state, about) for name, state, about in rows]), flush=True)
        if word != list(words or GROUPS)[-1]:
            print()
    return 0


def _yamls(group: str) -> list[Path]:
    return sorted((config_folder() / group).glob("*.yaml"))


def _row(group: str, file: Path) -> tuple[str, str, str]:
    state = STATES.get(group)
    return file.stem, state(file.stem) if state else "", about(file)


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
    if "weights" not in content:
        return "present"
    path = composed("score", [f"generator={name}"]).generator.weights.path
    return "present" if Path(path).exists() else "absent"


def _backbone_state(name: str) -> str:
    config: DictConfig = composed("score", [f"backbone=[{name}]"]).backbone[name]
    missing = [str(key) for key in config if config._get_node(key)._is_missing()]  # type: ignore[union-attr]
    if missing:
        return "needs " + ", ".join(f"backbone.{name}.{key}" for key in missing)
    try:
        identity = build(config, f"backbone.{name}").identity()
    except WeightsError:
        return f"absent; backbone.{name}.weights=random works"
    return "random weights" if "initialisation" in identity else "present"


STATES: dict[str, Callable[[str], str]] = {
    "dataset": _dataset_state,
    "generator": _generator_state,
    "backbone": _backbone_state,
}
