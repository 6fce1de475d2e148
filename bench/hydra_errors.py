"""Hydra's and OmegaConf's exceptions as one-line config errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from bench.errors import ConfigError


@contextmanager
def config_errors() -> Iterator[None]:
    """Re-word what Hydra raises while it composes."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_one_line(error)) from error


def _one_line(error: Exception) -> str:
    """Hydra's first line; where it says only that an override failed, its cause's too."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    cause = error.__cause__
    if cause is not None and text.endswith("."):
        text = f"{text} {str(cause).strip().splitlines()[0]}"
    return re.sub(r"\s*To append to your config use \+.*", " See salon score --help.", text)
