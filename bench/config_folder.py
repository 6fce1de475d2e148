"""Where conf/ lies, and the resolvers that its yamls use."""

import os
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

import models


def config_folder() -> Path:
    """The absolute folder: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def yamls(group: str, folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Choice -> file of a config group, sorted.

    Args:
        group: a folder's name, such as "dataset".
        folders: further config folders, of the user's; of two yamls of one name Hydra reads the
            first, which is salon's own.
    """
    found: dict[str, Path] = {}
    for folder in (config_folder(), *folders):
        found = {file.stem: file for file in (folder / group).glob("*.yaml")} | found
    return dict(sorted(found.items()))


def shipped_folder() -> str:
    """Where the checkpoints that come with salon lie."""
    return str(Path(models.__file__ or "").resolve().parent / "checkpoints")


def home_folder() -> str:
    """$SALON_HOME, or ~/.cache/salon: where weights, data and the cache lie."""
    return str(Path(os.environ.get("SALON_HOME") or "~/.cache/salon").expanduser())


def register_resolvers() -> None:
    """Make `${salon.shipped:}` and `${salon.home:}` known; calling it twice does no harm."""
    OmegaConf.register_new_resolver("salon.shipped", shipped_folder, replace=True)
    OmegaConf.register_new_resolver("salon.home", home_folder, replace=True)
