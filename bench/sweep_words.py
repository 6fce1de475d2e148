"""Which words of a sweep's command line are fixed, and which are swept over."""

from collections.abc import Sequence

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from bench.composed import salon_configs
from bench.errors import ConfigError
from bench.hydra_errors import config_errors
from bench.overrides import FOLDER_FLAGS, overrides_in, user_folders

OWN_KEYS = ("cluster", "plan", "retry_failed", "exclude", "shards")  # of the sweep, not of its jobs


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Fixed words, and words with a comma list (or glob, range, choice).

    Raises:
        ConfigError: for a flag other than --config-dir; flags belong to `salon score`.
    """
    for word in words:
        if word.startswith("-") and word.split("=")[0] not in FOLDER_FLAGS:
            raise ConfigError(f"salon sweep takes no flag {word}; see salon sweep --help.")
    fixed, swept = split_overrides(words)
    return [*(f"--config-dir={folder}" for folder in user_folders(words)), *fixed], swept


def split_overrides(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The overrides among the words: fixed ones, and swept ones."""
    overrides = overrides_in(words)
    with config_errors():
        parsed = OverridesParser.create().parse_overrides(overrides)
    swept = [w for w, o in zip(overrides, parsed, strict=True) if o.is_sweep_override()]
    return [w for w in overrides if w not in swept], swept


def combinations(config: DictConfig, fixed: Sequence[str], swept: Sequence[str]) -> list[list[str]]:
    """The words of each job beside the fixed ones, in a fixed order.

    The experiment's own `hydra.sweeper.params` count where the command line does not name the same
    key; the grid is the product of all.
    """
    named = {word.split("=")[0] for word in (*fixed, *swept)}
    params = config.hydra.sweeper.params or {}
    own = [f"{key}={value}" for key, value in params.items() if str(key) not in named]
    with config_errors(), salon_configs():
        loader = GlobalHydra.instance().config_loader()
        parsed = OverridesParser.create(loader).parse_overrides([*own, *swept])
        return [list(words) for words in BasicSweeper.split_arguments(parsed, None)[0]]


def job_words(fixed: Sequence[str]) -> list[str]:
    """The fixed words that a job's own command takes."""
    return [word for word in fixed if word.lstrip("+").split("=")[0].split(".")[0] not in OWN_KEYS]
