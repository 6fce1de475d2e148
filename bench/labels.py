"""What records and leaderboards call a dataset or generator."""

from typing import Any

from bench.datasets.naming import default_name
from bench.errors import ConfigError
from bench.overrides import PLAIN

LONGEST = 100


def dataset_label(dataset: Any, source: Any) -> str:
    """Its own name, else one made from its path and content."""
    if dataset.name is not None:
        return _plain(dataset.name, "dataset.name")
    return default_name(dataset.path, str(source.content()["fingerprint"]))


def generator_label(generator: Any, source: Any) -> str:
    """Its own name, else the dataset's that stands in for it, else one made from the content."""
    if generator.name is not None:
        return _plain(generator.name, "generator.name")
    stored = getattr(generator, "source", None)
    if stored is None:
        raise ConfigError("generator.name: found null, expected a name.")
    if stored.name is not None:
        return _plain(f"{stored.name}-{stored.split}", "generator.source.name")
    return default_name(stored.path, str(source.content()["fingerprint"]))


def _plain(name: str, key: str) -> str:
    if not PLAIN.match(name) or len(name) > LONGEST:
        raise ConfigError(
            f"{key}={name!r}: a name is at most {LONGEST} letters, digits, dots, dashes and "
            "underscores, and starts with a letter or digit; it becomes a folder."
        )
    return name
