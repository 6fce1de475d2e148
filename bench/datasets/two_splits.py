"""Datasets that come in two splits: each is the other's holdout."""

from bench.errors import ConfigError


def other_split(split: str, splits: tuple[str, str]) -> str | None:
    """The one that `split` is not; None for a name that is neither."""
    if split not in splits:
        return None
    return splits[1 - splits.index(split)]


def check_split(split: str, splits: tuple[str, str], dataset: str) -> None:
    """Refuse a split that is neither.

    Raises:
        ConfigError: with the two names.
    """
    if split not in splits:
        raise ConfigError(f"{dataset} has no split {split!r}; it has {splits[0]} and {splits[1]}.")
