"""Command-line words, checked before Hydra sees them: plain names, no secrets, flags first."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from bench.config_folder import config_folder, yamls
from bench.errors import ConfigError
from bench.similar import did_you_mean

PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
SECRET = re.compile(r"(api_?key|token|password|secret)$", re.IGNORECASE)
FOLDER_FLAGS = ("--config-dir", "-cd")
FLAGS_WITH_VALUE = (*FOLDER_FLAGS, "--cfg", "-c", "--package", "-p")
SECRET_INSIDE = re.compile(r"(api_?key|token|password|secret)\s*:", re.IGNORECASE)
CODE = re.compile(r"hydra\.(callbacks|job_logging|hydra_logging)\b|hydra\..*_target_")
SUBDIR = "hydra.sweep.subdir"
APART = re.compile(r"\$\{hydra[.:]job\.(num|id|override_dirname)\}")
REFUSED_FLAGS = ("--config-path", "-cp", "--config-name", "-cn")


def check_words(words: Sequence[str]) -> None:
    """Refuse what Hydra would take without a word, or refuse without help.

    Raises:
        ConfigError: for a choice that is not a plain name (it could climb out of conf/) or does
            not exist, a list that names one choice twice, a secret on the command line (Hydra
            stores it in clear), one folder for several jobs, or another config in place of
            salon's own.
    """
    folders = user_folders(words)
    for word in overrides_in(words):
        key, _, value = word.partition("=")
        if SECRET.search(key) or SECRET_INSIDE.search(value):
            raise ConfigError(f"{key}: the command line is stored in clear; use the environment.")
        if CODE.match(key.lstrip("+~")):
            raise ConfigError(f"{key}: what Hydra itself runs is not set on the command line.")
        if key == SUBDIR and not APART.search(value):
            raise ConfigError(
                f"{SUBDIR}: jobs could share a folder, and their reports with it; "
                "end it with /${hydra.job.num}."
            )
        if key.startswith("paths.") and not value:
            raise ConfigError(f"{key}: found nothing, expected a folder.")
        group = key.lstrip("+~").split("@")[0]
        if group in groups() or "/" in group:
            _check_choices(group, value, folders)
    _refuse_repeated([word.partition("=")[0] for word in overrides_in(words)])
    for word in words:
        if word.split("=")[0] in REFUSED_FLAGS:
            raise ConfigError(f"{word}: salon has one config per command; use experiment=NAME.")


def flags_first(words: Sequence[str]) -> list[str]:
    """Hydra's parser fails where a flag follows an override: move flags to the front."""
    overrides = overrides_in(words)
    flags = list(words)
    for override in overrides:
        flags.remove(override)
    return flags + overrides


def overrides_in(words: Sequence[str]) -> list[str]:
    """The words that are neither flags nor values of flags."""
    before = ["", *words][: len(words)]
    return [
        word
        for word, previous in zip(words, before, strict=True)
        if not word.startswith("-") and previous not in FLAGS_WITH_VALUE
    ]


def user_folders(words: Sequence[str]) -> list[Path]:
    """The config folders of the user's own: `--config-dir DIR` or `--config-dir=DIR`."""
    found = []
    for position, word in enumerate(words):
        flag, equals, value = word.partition("=")
        if flag in FOLDER_FLAGS:
            found.append(value if equals else "".join(words[position + 1 : position + 2]))
    for folder in found:
        if not Path(folder).is_dir():
            raise ConfigError(f"--config-dir {folder}: no such folder.")
    return [Path(folder).absolute() for folder in found]


@cache
def groups() -> dict[str, list[str]]:
    """Config groups and their choices, from the yamls that are there."""
    root = config_folder()
    found: dict[str, list[str]] = {}
    for file in sorted(root.glob("*/*.yaml")):
        found.setdefault(file.parent.name, []).append(file.stem)
    return found


def choices_in(value: str) -> list[str]:
    """The choices in "a", "a,b", "[a,b]" or "[a],[b]"; none for null and sweeps by function."""
    if value.startswith(("glob(", "null", "{", "range(")) or value == "":
        return []
    text = re.sub(r"\b(choice|sort|shuffle)\(", "[", value).replace(")", "]")
    return [part.strip().strip("'\"") for part in re.split(r"[\[\],]", text) if part.strip()]


def _check_choices(group: str, value: str, folders: Sequence[Path]) -> None:
    if group in groups() and (not value or (value == "null" and group != "experiment")):
        raise ConfigError(f"{group}= names no choice. There are: {', '.join(groups()[group])}.")
    known = yamls(group, folders) if folders else groups().get(group, ())
    for name in choices_in(value):
        if not PLAIN.match(name):
            raise ConfigError(f"{group}={name}: a choice is a plain name, see `salon list`.")
        if group in groups() and name not in known:
            raise ConfigError(f"{group}={name}: {did_you_mean(name, known)}")
    for list_text in re.findall(r"\[([^\]]*)\]", value) or [value]:
        listed = choices_in(list_text)
        for name in listed:
            if listed.count(name) > 1:
                raise ConfigError(f"{group}: {name} stands twice in one list.")


def _refuse_repeated(keys: Sequence[str]) -> None:
    """Hydra would silently take the last; for a choice that is more likely a slip."""
    for key in keys:
        if keys.count(key) > 1 and key in groups():
            raise ConfigError(f"{key}= stands twice on the command line.")
