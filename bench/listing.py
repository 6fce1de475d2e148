"""`salon list`: what there is, what it needs, and whether its data or weights are here."""

import itertools
import re
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
from bench.hydra_errors import config_errors
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

State = Callable[[Path, Sequence[str]], str]
BELOW_PATHS = re.compile(r"(\$\{paths\.(results|leaderboards|logs|home|cache|data)\})?[^$]*")

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
    return [(name, _told(state, file, _flags(folders)), about(file)) for name, file in files]


def _told(state: State, file: Path, flags: Sequence[str]) -> str:
    """One wrong yaml of a user's must not hide the others."""
    try:
        return state(file, flags)
    except ConfigError as error:
        return f"error: {error}"


def _backbone_rows(folders: Sequence[Path]) -> list[tuple[str, ...]]:
    """Composed once for all: a composition takes as long as everything else here."""
    from bench.backbone_row import HEADS, backbone_row  # networks take seconds to import

    nodes = backbone_nodes(_flags(folders), every=True)
    abouts = {name: about(file) for name, file in yamls("backbone", folders).items()}
    rows = (backbone_row(name, nodes[name], abouts.get(name, "")) for name in sorted(nodes))
    return [HEADS, *rows]


def about(file: Path) -> str:
    """The first sentence of a yaml's opening comment, which says what it is."""
    lines = file.read_text(errors="replace").splitlines()
    comment = itertools.takewhile(lambda line: line.startswith("#"), lines)
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
    samples = source.get("path") if isinstance(source, dict) else None
    if isinstance(samples, str):
        place = _below_paths(samples) or _path_of(file, "source", flags)
        return "present" if place.exists() else f"absent: {place}"
    if "weights" not in content:
        return "present"
    return "present" if _path_of(file, "weights", flags).exists() else "absent"


def _below_paths(path: str) -> Path | None:
    """The place of samples below salon's own folders, as dozens of yamls have it, without Hydra."""
    if not BELOW_PATHS.fullmatch(path):
        return None
    register_resolvers()
    paths = OmegaConf.load(config_folder() / "paths" / "default.yaml")
    with config_errors():
        return Path(OmegaConf.create({"paths": paths, "path": path}).path).expanduser()


def _path_of(file: Path, node: str, flags: Sequence[str]) -> Path:
    """Below a node of a generator; the folder where one stands if it names none."""
    config = composed("score", [f"generator={file.stem}", *flags])
    with config_errors():
        return Path(OmegaConf.select(config, f"generator.{node}.path") or ".").expanduser()


def _content(file: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(file.read_text())
    except ValueError as error:
        raise ConfigError(f"{file}: not text, {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: no yaml, {error}") from error
    return found if isinstance(found, dict) else {}


STATES: dict[str, State] = {
    "dataset": _dataset_state,
    "generator": _generator_state,
}
