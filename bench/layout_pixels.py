"""Whether a network sees here what the tool whose file is to be written shows it."""

import logging
from typing import Any

from omegaconf import DictConfig

from bench.composed import composed
from bench.errors import ConfigError
from bench.statistics_file import Layout

log = logging.getLogger(__name__)
PIXELS = ("resolution", "resize", "scaling")


def check_pixels(config: DictConfig, name: str, layout: Layout) -> None:
    """Refuse moments that the tool would hold against features of other pixels.

    A backbone that the tool does not have is not looked at: nothing there can be compared with it.
    Of random weights it is said that the tool's are others: salon alone can compare them.

    Args:
        config: the command's whole config.
        name: the backbone's.
        layout: whose file it is to be; the preset of its name says what that tool does.

    Raises:
        ConfigError: naming the protocol to type.
    """
    preset = composed("statistics", [f"protocol={layout.name}"]).protocol
    if name not in preset.backbones:
        return
    if config.backbone[name].get("weights") == "random":
        log.warning("%s has random weights, and %s's own is trained", name, layout.name)
    words = [f"protocol={layout.name}", f"backbone=[{name}]"]
    found, expected = _pixels(config, name), _pixels(composed("statistics", words), name)
    if found != expected:
        raise ConfigError(
            f"layout={layout.name} is for a tool that shows {name} {_told(expected)}, found "
            f"{_told(found)}; type protocol={layout.name}, and no other resolution, resize or "
            "scaling beside it."
        )


def _pixels(config: DictConfig, name: str) -> dict[str, Any]:
    return {key: config.backbone[name].get(key) for key in PIXELS}


def _told(pixels: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in pixels.items())
