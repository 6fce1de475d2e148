"""LPIPS trunks that a command line names, as descriptions without their files."""

from collections.abc import Sequence

from bench.errors import ConfigError
from bench.similar import did_you_mean
from models.perceptual.lpips import Lpips, Net

GROUP = "lpips="


def lpips_nets(words: Sequence[str], *, every: bool = False) -> dict[str, Lpips]:
    """The trunks of `lpips=alex` or `lpips=[alex,vgg]`, or every one: "lpips alex" -> description.

    Raises:
        ConfigError: for a trunk that there is not.
    """
    chosen = [word.removeprefix(GROUP).strip("[]") for word in words if word.startswith(GROUP)]
    names = [name.strip() for choice in chosen for name in choice.split(",")]
    for name in names:
        if name not in Net.__members__:
            raise ConfigError(f"lpips={name}: {did_you_mean(name, Net.__members__)}")
    nets = [net for net in Net if every or net.name in names]
    return {f"lpips {net.name}": Lpips(net=net) for net in nets}
