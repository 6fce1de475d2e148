"""The plain values at the top of the config, typed and checked."""

from dataclasses import dataclass, field, fields
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.errors import ConfigError
from bench.similar import did_you_mean
from bench.typed import schema
from models.precision import Precision
from models.quantise import Quantise

NODES = (
    *("dataset", "generator", "sampler", "backbone", "metrics", "protocol", "tracking"),
    *(
        "cluster",
        "plan",
        "exclude",
        "shards",
        "hydra",
        "experiment",
    ),  # of a sweep, where a file serves both
)


@dataclass(frozen=True)
class Paths:
    """Folders; see conf/paths/default.yaml."""

    results: str = "results"
    leaderboards: str = "results/leaderboards"
    logs: str = "results/logs"
    home: str = ""
    cache: str = ""
    data: str = ""
    shipped: str = ""


@dataclass(frozen=True)
class Settings:
    """See conf/score.yaml."""

    seed: int = 0
    device: str = "auto"
    precision: Precision = Precision.fp32
    batch_size: int = 64
    workers: int = 4
    debug: bool = False
    paths: Paths = field(default_factory=Paths)


@dataclass(frozen=True)
class Protocol:
    """What fixes a number; nodes named after a metric are read by that metric's yaml.

    Attributes:
        name: what records call it.
        backbones: those that it defines; None for any.
        num_real, num_fake: rows of a side, exactly; fewer are refused. None for all there are.
        max_real, max_fake: where there is no exact count, rows drawn from a side with more.
        quantise: how a live generator's floats become uint8.
    """

    name: str = "???"
    backbones: list[str] | None = None
    num_real: int | None = None
    num_fake: int | None = None
    max_real: int | None = None
    max_fake: int | None = None
    quantise: Quantise = Quantise.stylegan

    def rows(self, side: str, available: int | None) -> int | None:
        """How many rows of a side ("real", "fake") are compared; None where nobody knows."""
        exact, most = getattr(self, f"num_{side}"), getattr(self, f"max_{side}")
        return exact or (available and min(available, most or available))


def read_settings(config: DictConfig) -> Settings:
    """Take the top-level values out of the whole config.

    Raises:
        ConfigError: for a wrong type or a value that cannot be.
    """
    known = {f.name for f in fields(Settings)} | set(NODES)
    for key in map(str, config):
        if key not in known:
            raise ConfigError(f"{key}: {did_you_mean(key, known)}")
    settings: Settings = _typed(config, Settings, "")
    for key in ("batch_size", "workers"):
        if getattr(settings, key) < 1:
            raise ConfigError(f"{key}: found {getattr(settings, key)}, expected 1 or more.")
    if settings.seed < 0:
        raise ConfigError(f"seed: found {settings.seed}, expected 0 or more.")
    return settings


def read_protocol(config: DictConfig) -> Protocol:
    """Take the protocol's own values, leaving the metrics' nodes to the metrics.

    Raises:
        ConfigError: for a wrong type or a count below 1.
    """
    known = {f.name for f in fields(Protocol)}
    for key in map(str, config.protocol):
        if key not in known and not isinstance(config.protocol[key], DictConfig):
            raise ConfigError(f"protocol.{key}: {did_you_mean(key, known)}")
    protocol: Protocol = _typed(config.protocol, Protocol, "protocol.")
    for key in ("num_real", "num_fake", "max_real", "max_fake"):
        count = getattr(protocol, key)
        if count is not None and count < 1:
            raise ConfigError(f"protocol.{key}: found {count}, expected 1 or more, or null.")
    return protocol


def full_float32() -> None:
    """Switch TF32 off: on CUDA it moves features by 1e-3, and cuDNN uses it unasked."""
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def resolve_device(name: str) -> str:
    """`auto` becomes the first of cuda, mps, cpu that is there.

    Raises:
        ConfigError: for a device that this machine does not have.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        first = str(error).strip().splitlines()[0]
        raise ConfigError(f"device={name}: not on this machine ({first}); try cpu.") from error
    return name


def _typed(node: DictConfig, target: type, prefix: str) -> Any:
    wanted = {f.name: node[f.name] for f in fields(target) if f.name in node}
    try:
        return OmegaConf.to_object(OmegaConf.merge(schema(target), wanted))
    except OmegaConfBaseException as error:
        first = str(error).strip().splitlines()[0]
        raise ConfigError(f"{prefix}{error.full_key or ''}: {first}") from error
