"""Composing one of salon's configs outside Hydra's own main."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path, PurePath

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from bench.config_folder import config_folder, register_resolvers
from bench.errors import ConfigError
from bench.hydra_errors import config_errors
from bench.overrides import check_words, overrides_in, user_folders
from bench.quoted import quoted


def composed(name: str, words: Sequence[str], *, hydra_node: bool = False) -> DictConfig:
    """The config `name` under the words of a command line.

    Args:
        name: "score", "sweep", "leaderboard", "statistics" or "train".
        words: group=choice and key=value, and --config-dir with a folder of the user's.
        hydra_node: whether the node `hydra` is wanted too.

    Raises:
        ConfigError: in one line, for whatever is wrong with the words.
    """
    check_words(words)
    folders = user_folders(words)
    overrides = [*overrides_in(words), *([search_path(folders)] if folders else [])]
    with config_errors(), salon_configs():
        check_defaults(name, overrides)
        return compose(name, overrides, return_hydra_config=hydra_node)


def search_path(folders: Sequence[Path]) -> str:
    """The override that makes Hydra look into further folders."""
    return f"hydra.searchpath=[{','.join(quoted(f'file://{folder}') for folder in folders)}]"


@contextmanager
def salon_configs() -> Iterator[None]:
    """Hydra's compose looks into conf/ here, also within a job that Hydra itself has started."""
    register_resolvers()
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(config_folder()), version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = outer


def check_defaults(name: str, overrides: Sequence[str]) -> None:
    """A yaml's own defaults list may not climb out of the config folders either.

    Without an experiment or a folder of the user's there is no defaults list but salon's own. To be
    called within `salon_configs`.

    Raises:
        ConfigError: naming the yaml.
    """
    theirs = [w for w in overrides if w.startswith(("experiment=", "hydra.searchpath="))]
    if theirs:
        _check_defaults_of(name, *theirs)


@cache
def _check_defaults_of(name: str, *overrides: str) -> None:
    loader = GlobalHydra.instance().config_loader()
    for default in loader.compute_defaults_list(name, list(overrides), RunMode.RUN).defaults:
        path = PurePath(default.config_path or "")
        if path.is_absolute() or ".." in path.parts:
            raise ConfigError(f"{default.parent}: its defaults list names {path}, outside conf/.")
