"""Command-line words, checked before Hydra sees them: plain names, no secrets, flags first."""

import re
from collections.abc import Sequence
from pathlib import Path

from bench.config_folder import config_folder
from bench.errors import ConfigError
from bench.similar import did_you_mean

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
SECRET = re.compile(r"(api_?key|token|password|secret)$", re.IGNORECASE)
FLAGS_WITH_VALUE = ("--config-dir", "-cd", "--config-name", "-cn", "--package", "-p")
REFUSED_FLAGS = ("--config-path", "-cp", "--config-name", "-cn")


def check_words(words: Sequence[str]) -> None:
    """Refuse what Hydra would take without a word.

    Raises:
        ConfigError: for a choice that is not a plain name (it could climb out of conf/), a list
            that names one choice twice, a secret on the command line (Hydra stores it in clear),
            or another config in place of salon's own.
    """
    for word in words:
        if word.split("=")[0] in REFUSED_FLAGS:
            raise ConfigError(f"{word}: salon has one config per command; use experiment=NAME.")
        if "=" in word and not word.startswith("-"):
            _check_override(*word.split("=", 1))


def flags_first(words: Sequence[str]) -> list[str]:
    """Hydra's parser fails where a flag follows an override: move flags to the front."""
    flags: list[str] = []
    overrides: list[str] = []
    waiting = False
    for word in words:
        is_flag = waiting or (word.startswith("-") and "=" not in word.split("--")[0])
        (flags if is_flag else overrides).append(word)
        waiting = word in FLAGS_WITH_VALUE
    return flags + overrides


def groups() -> dict[str, list[str]]:
    """Config groups and their choices, from the yamls that are there."""
    root = config_folder()
    found: dict[str, list[str]] = {}
    for file in sorted(root.glob("*/*.yaml")):
        found.setdefault(file.parent.name, []).append(file.stem)
    return found


def choices_in(value: str) -> list[str]:
    """The choices in "a", "a,b", "[a,b]" or "[a],[b]"; none for null and sweeps by function."""
    if value.startswith(("glob(", "choice(", "null")) or value == "":
        return []
    return [part.strip().strip("'\"") for part in re.split(r"[\[\],]", value) if part.strip()]


def _check_override(key: str, value: str) -> None:
    key = key.lstrip("+~")
    if SECRET.search(key):
        raise ConfigError(
            f"{key}: a secret on the command line is stored in clear; use the environment."
        )
    group = key.split("@")[0]
    if group not in groups():
        return
    names = choices_in(value)
    for name in names:
        if not PLAIN.match(name):
            raise ConfigError(f"{group}={name}: a choice is a plain name, see `salon list`.")
    for list_text in re.findall(r"\[([^\]]*)\]", value):
        listed = choices_in(list_text)
        for name in listed:
            if listed.count(name) > 1:
                raise ConfigError(f"{group}: {name} stands twice in one list.")


def check_choices(words: Sequence[str], search_folders: Sequence[Path] = ()) -> None:
    """Name a choice that does not exist, with the ones that do.

    Args:
        words: the command line.
        search_folders: further config folders of the user's (`--config-dir`).

    Raises:
        ConfigError: naming the choice and its neighbours; Hydra's own message for a wrong name in
            a list does not say what there is.
    """
    known = groups()
    for word in words:
        key, _, value = word.partition("=")
        group = key.lstrip("+").split("@")[0]
        if word.startswith("-") or group not in known:
            continue
        names = set(known[group])
        for folder in search_folders:
            names |= {file.stem for file in (folder / group).glob("*.yaml")}
        for name in choices_in(value):
            if name not in names:
                raise ConfigError(f"{group}={name}: {did_you_mean(name, names)}")
