"""Composing one of salon's configs outside Hydra's own main."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from bench.config_folder import config_folder, register_resolvers
from bench.hydra_errors import config_errors
from bench.overrides import check_choices, check_words


def composed(name: str, words: Sequence[str], *, hydra_node: bool = False) -> DictConfig:
    """The config `name` under the words of a command line.

    Args:
        name: "score", "sweep", "leaderboard" or "train".
        words: group=choice and key=value.
        hydra_node: whether the node `hydra` is wanted too.

    Raises:
        ConfigError: in one line, for whatever is wrong with the words.
    """
    check_words(words)
    check_choices(words)
    with config_errors(), salon_configs():
        return compose(name, list(words), return_hydra_config=hydra_node)


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
