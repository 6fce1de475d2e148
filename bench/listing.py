"""`salon list`: what there is, what it needs, and whether its data or weights are here."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from bench.backbone_list import backbone_nodes
from bench.build import build
from bench.composed import composed
from bench.config_folder import config_folder, register_resolvers, yamls
from bench.errors import ConfigError, SalonError
from bench.overrides import FOLDER_FLAGS, overrides_in, user_folders
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
  salon list --config-dir my_conf      yours among them

Weights of backbones: present; fetchable (`salon fetch backbone=NAME`); in package (came with pip);
random only (untrained, from a seed); given (by you). Width counts features, MB is the download.
"""


def main(words: Sequence[str]) -> int:
    """Run `salon list WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    folders = user_folders(words)
    wanted = _wanted(words) or list(GROUPS)
    for word in wanted:
        rows = _backbone_rows(folders) if word == "backbones" else _rows(GROUPS[word], folders)
        print(f"{word}  (type {GROUPS[word]}=NAME)")
        print(align([("  " + name, *others) for name, *others in rows]), flush=True)
        if word != wanted[-1]:
            print()
    return 0


def _wanted(words: Sequence[str]) -> list[str]:
    """The groups that are named.

    Raises:
        ConfigError: for a word that is neither a group nor --config-dir.
    """
    flags = [word.partition("=")[0] for word in words if word.startswith("-")]
    groups = overrides_in(words)
    for word in (*flags, *groups):
        if word not in (*GROUPS, *FOLDER_FLAGS):
            raise ConfigError(did_you_mean(word, [*GROUPS, FOLDER_FLAGS[0]]))
    return groups


def _flags(folders: Sequence[Path]) -> list[str]:
    return [f"{FOLDER_FLAGS[0]}={folder}" for folder in folders]


def _rows(group: str, folders: Sequence[Path]) -> list[tuple[str, ...]]:
    state = STATES.get(group, lambda *_: "")
    files = yamls(group, folders).items()
    return [(name, state(file, _flags(folders)), about(file)) for name, file in files]


def _backbone_rows(folders: Sequence[Path]) -> list[tuple[str, ...]]:
    """Composed once for all: a composition takes as long as everything else here."""
    from bench.backbone_row import HEADS, backbone_row  # networks take seconds to import

    nodes = backbone_nodes(_flags(folders), every=True)
    abouts = {name: about(file) for name, file in yamls("backbone", folders).items()}
    return [HEADS, *(backbone_row(name, nodes[name], abouts[name]) for name in sorted(nodes))]


def about(file: Path) -> str:
    """The first sentence of a yaml's opening comment, which says what it is."""
    comment = itertools.takewhile(lambda line: line.startswith("#"), file.read_text().splitlines())
    text = " ".join(line.lstrip("# ") for line in comment if "@package" not in line)
    return text.split(". ")[0].strip().rstrip(".")


def _dataset_state(file: Path, flags: Sequence[str]) -> str:
    """present, needs a path, or absent; nothing is hashed."""
    if _content(file).get("path") == "???":
        return "needs dataset.path"
    spec = build(composed("score", [f"dataset={file.stem}", *flags]).dataset, "dataset")
    try:
        spec.locate()
    except SalonError:
        return "absent"
    return "present"


def _generator_state(file: Path, flags: Sequence[str]) -> str:
    content = _content(file)
    needed = [key for key, value in content.items() if value == "???"]
    if needed:
        return "needs " + ", ".join(f"generator.{key}" for key in needed)
    source = content.get("source")
    path = str(source.get("path", "")) if isinstance(source, dict) else ""
    if path.startswith("${paths.") or (path and "$" not in path):
        return _folder_state(path)
    if "weights" not in content:
        return "present"
    config = composed("score", [f"generator={file.stem}", *flags])
    path = OmegaConf.select(config, "generator.weights.path")
    return "absent" if path and not Path(path).exists() else "present"


def _folder_state(path: str) -> str:
    """Of samples on disk; dozens of yamls have some, so their place is found without Hydra."""
    register_resolvers()
    paths = OmegaConf.load(config_folder() / "paths" / "default.yaml")
    place = Path(OmegaConf.create({"paths": paths, "path": path}).path)
    return "present" if place.exists() else f"absent: {place}"


def _content(file: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(file.read_text())
    except ValueError as error:
        raise ConfigError(f"{file}: not text, {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: no yaml, {error}") from error
    return found if isinstance(found, dict) else {}


STATES: dict[str, Callable[[Path, Sequence[str]], str]] = {
    "dataset": _dataset_state,
    "generator": _generator_state,
}
