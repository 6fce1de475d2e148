"""What records and leaderboards call a dataset or generator."""

from typing import Any

from bench.datasets.naming import default_name
from bench.errors import ConfigError
from bench.overrides import PLAIN

LONGEST = 100


def dataset_label(dataset: Any, source: Any) -> str:
    """Its own name, else one made from its path and content."""
    if dataset.name is not None:
        return check_name(dataset.name, "dataset.name")
    return default_name(dataset.path, str(source.content()["fingerprint"]))


def generator_label(generator: Any, source: Any) -> str:
    """Its own name, else the dataset's that stands in for it, else one made from the content."""
    if generator.name is not None:
        return check_name(generator.name, "generator.name")
    stored = getattr(generator, "source", None)
    if stored is None:
        raise ConfigError("generator.name: found null, expected a name.")
    if stored.name is not None:
        return check_name(f"{stored.name}-{stored.split}", "generator.source.name")
    return default_name(stored.path, str(source.content()["fingerprint"]))


def check_name(name: Any, key: str) -> str:
    """The name, where it is one that may become a folder's or a file's.

    Args:
        name: of a dataset, generator, backbone or metric.
        key: where it stands, for the message.

    Raises:
        ConfigError: if it is not plain: it could climb out of the results folder.
    """
    if not isinstance(name, str) or not PLAIN.match(name) or len(name) > LONGEST:
        raise ConfigError(
            f"{key}={name!r}: a name is at most {LONGEST} letters, digits, dots, dashes and "
            "underscores, and starts with a letter or digit; it becomes a folder."
        )
    return name
