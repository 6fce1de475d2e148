"""Which of a job's deviations from its protocol are about one backbone and one metric."""

from collections.abc import Iterable

from bench.overrides import groups

OF_BACKBONES = ("resize", "scaling", "logits_bias")  # of a protocol, by a backbone's name


def concerning(lines: Iterable[str], backbone: str, metric: str) -> list[str]:
    """Those that a measurement knows: not its neighbours' own. A line of another form is kept.

    Args:
        lines: as `bench.deviations.deviations` gives them, or as a record holds them.
        backbone: its name.
        metric: its name.
    """
    return [line for line in lines if _concerns(line.partition(":")[0], backbone, metric)]


def _concerns(key: str, backbone: str, metric: str) -> bool:
    """Keys are backbone.NAME..., metrics.NAME..., protocol.METRIC..., protocol.resize.BACKBONE."""
    node, name, *below = [*key.split("."), ""]
    if node == "protocol" and name in OF_BACKBONES:
        return below[0] in ("", backbone)
    if node == "protocol":
        return name == metric or name not in groups()["metrics"]
    return not name or name == {"backbone": backbone, "metrics": metric}.get(node, name)
