"""Which jobs of a sweep its `exclude` list leaves out."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from bench.errors import ConfigError

Entry = Mapping[str, list[str]]


def kept(
    jobs: Sequence[Sequence[str]], config: DictConfig, typed: Sequence[str]
) -> list[list[str]]:
    """The jobs that no entry of the list matches.

    An entry matches a job that has one of its values for every one of its keys. Keys that are not
    swept have the sweep's own value.

    Args:
        jobs: words of each job.
        config: the sweep's, with the node `hydra`.
        typed: all words of the command line; a key that it narrows excuses an experiment's entry.

    Raises:
        ConfigError: for a list of another form, or an entry that matches no job.
    """
    entries = _entries(_plain(config.exclude))
    named = {word.lstrip("+").partition("=")[0] for word in typed}
    for entry in entries:
        excused = "exclude" not in named and bool(entry.keys() & named)
        if not excused and not any(_matches(entry, job, config) for job in jobs):
            shown = ", ".join(f"{key}: {'|'.join(values)}" for key, values in entry.items())
            raise ConfigError(f"exclude: {{{shown}}} matches no job of the sweep; see plan=true.")
    return [list(job) for job in jobs if not any(_matches(entry, job, config) for entry in entries)]


def _plain(found: Any) -> Any:
    return OmegaConf.to_container(found) if OmegaConf.is_config(found) else found or []


def _entries(found: Any) -> list[Entry]:
    if not isinstance(found, list) or not all(isinstance(one, dict) and one for one in found):
        raise ConfigError(
            f"exclude: found {found}, expected a list of mappings, such as "
            "[{generator: blur, seed: [1, 2]}]."
        )
    return [{str(key): _values(value) for key, value in one.items()} for one in found]


def _values(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value])]


def _matches(entry: Entry, job: Sequence[str], config: DictConfig) -> bool:
    own = dict(word.lstrip("+").split("=", 1) for word in job)
    return all(
        (own[key] if key in own else _common(key, config)) in values
        for key, values in entry.items()
    )


def _common(key: str, config: DictConfig) -> str:
    """The value that all jobs share: a choice of a group, or a plain value."""
    choices = config.hydra.runtime.choices
    return str(choices[key] if key in choices else OmegaConf.select(config, key))
