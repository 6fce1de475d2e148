"""Hydra's and OmegaConf's exceptions as one-line config errors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import yaml
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from bench.config_folder import config_folder
from bench.errors import ConfigError
from bench.overrides import groups
from bench.similar import did_you_mean, nearest


@contextmanager
def config_errors() -> Iterator[None]:
    """Re-word what Hydra raises while it composes."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_one_line(error)) from error


def _one_line(error: Exception) -> str:
    """Hydra's first line, re-worded where it helps nobody, with its cause's where it has one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    if re.search("LexerNoViableAlt|no viable alternative|mismatched input|extraneous", text):
        return (
            f"cannot read an override ({text}); close every bracket, and quote values with "
            "special characters, e.g. \"generator.path='~/samples'\""
        )
    cause = error.__cause__
    if cause is not None and text.endswith("."):
        text = f"{text} {str(cause).strip().splitlines()[0]}"
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown:
        return _no_such_key(unknown[1].split("@")[0])
    return re.sub(r"\s*To append to your config use \+.*", " See salon score --help.", text)


def _near(key: str) -> str:
    """E.g. "did you mean backbone.inception.weights? "; of the keys that the group's yamls have."""
    *owners, name = key.split(".")
    nodes = [
        yaml.safe_load(file.read_text()) for file in (config_folder() / owners[0]).glob("*.yaml")
    ]
    for owner in owners[1:]:
        nodes = [node[owner] for node in nodes if isinstance(node, dict) and owner in node]
    known = {str(known) for node in nodes if isinstance(node, dict) for known in node}
    meant = nearest(name, known)
    return "" if meant is None else f"did you mean {'.'.join([*owners, meant])}? "


def _no_such_key(key: str) -> str:
    if "." in key:
        return f"{key}: there is no such key; {_near(key)}salon score --help lists keys."
    top = yaml.safe_load((config_folder() / "score.yaml").read_text()).keys()
    return f"{key}: {did_you_mean(key, {*top, *groups()} - {'defaults', 'hydra'})}"
