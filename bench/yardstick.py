"""What generators are held against: the dataset, the backbones, the metrics, the protocol."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench.datasets.features import FeatureFile
from bench.datasets.given_moments import GivenMoments
from bench.errors import CheckpointError, ConfigError, DatasetError, SalonError
from bench.images import ImageSource
from bench.inputs import check_input_names, method_of, sides_of
from bench.labels import dataset_label
from bench.progress import Progress
from bench.rows import DRAW_VERSION, RowsOf, drawn_rows
from bench.settings import Protocol, Settings, read_protocol, read_settings
from bench.shared import OpenedOnce, Shared
from models.precision import Precision
from models.weights import WeightsError

Source = ImageSource | FeatureFile | GivenMoments
REFERENCE_SEED = 0  # which reference rows a protocol draws must not change with the run's seed
GENERATOR = "generator"


@dataclass
class Yardstick:
    """Everything of a job but its generator; files are opened when they are first asked for.

    Attributes:
        settings, protocol, device: the plain values of the config.
        dataset: its description.
        sampler: where a live generator's latents come from.
        backbones, metrics: name -> spec.
        shared: what jobs have in common.
    """

    settings: Settings
    protocol: Protocol
    device: str
    dataset: Any
    sampler: Any
    backbones: dict[str, Any]
    metrics: dict[str, Any]
    shared: Shared = field(default_factory=Shared)

    @property
    def manifests(self) -> Path:
        """Folder in which fingerprints of files on disk are remembered."""
        return Path(self.settings.paths.cache) / "manifests"

    @cached_property
    def opened(self) -> Source:
        """The reference split."""
        hashing = Progress("hashing real", 0).reach
        return self.dataset.open(self.dataset.split, manifests=self.manifests, progress=hashing)

    @cached_property
    def name(self) -> str:
        """What records call the dataset."""
        return dataset_label(self.dataset, self.opened)

    @property
    def moments(self) -> GivenMoments | None:
        """Of the reference, where the dataset gives them."""
        return self.opened if isinstance(self.opened, GivenMoments) else None

    @property
    def images(self) -> Source:
        """The reference split's images, also where moments came with them."""
        return self.moments.images if self.moments and self.moments.images else self.opened

    @cached_property
    def real(self) -> Source:
        """The rows that are compared."""
        return reference_rows(self.images, self.protocol)

    @property
    def content(self) -> dict[str, object]:
        """What the images are, for comparisons; with the version of the draw where one is made."""
        drawn = {"draw": DRAW_VERSION} if isinstance(self.real, RowsOf) else {}
        return {**self.images.content(), **drawn}

    @property
    def num_real(self) -> int | None:
        """How many; None of moments of nobody knows how many."""
        return self.real.count if isinstance(self.real, GivenMoments) else len(self.real)

    @cached_property
    def holdout(self) -> Source | None:
        """Held-out real images, where a metric asks for them and the dataset has some."""
        if not wants_holdout(self.metrics.values()) or self.dataset.holdout_split is None:
            return None
        return self.dataset.open(self.dataset.holdout_split, manifests=self.manifests)

    @cached_property
    def identities(self) -> dict[str, dict[str, Any] | SalonError]:
        """Backbone name -> what it is, or why it cannot be used."""
        return {name: self._identity(name, spec) for name, spec in self.backbones.items()}

    def _identity(self, name: str, backbone: Any) -> dict[str, Any] | SalonError:
        try:
            identity = self.shared.once(
                (type(backbone).__module__, name, backbone), backbone.identity
            )
            if self.moments is not None:
                self.moments.check_backbone(name, identity)
            return identity
        except DatasetError as error:
            return error
        except WeightsError as error:
            return CheckpointError(_with_name(name, error))
        except ValueError as error:
            return ConfigError(_with_name(name, error))


def yardstick(config: DictConfig, shared: Shared) -> Yardstick:
    """Of a job's config; jobs that differ in the generator alone get the same one.

    Raises:
        ConfigError: naming what is wrong with the config.
    """
    plain = shared.plain(config)
    others = {key: value for key, value in plain.items() if key != GENERATOR}
    told = repr(others)
    tied = any(GENERATOR in text for text in told.split("${")[1:])  # may name the generator
    return shared.once(plain if tied else others, lambda: _read(config, shared))


def _read(config: DictConfig, shared: Shared) -> Yardstick:
    settings, protocol = read_settings(config), read_protocol(config)
    device = shared.place.device(settings.device)
    metrics = _metrics(config, shared)
    backbones = read_backbones(config, protocol, device, shared)
    shared.built(config.tracking, "tracking")  # used last; what is wrong with it is told first
    return Yardstick(
        settings=settings,
        protocol=protocol,
        device=device,
        dataset=OpenedOnce(shared.built(config.dataset, "dataset"), shared),
        sampler=shared.built(config.sampler, "sampler"),
        backbones=backbones,
        metrics=metrics,
        shared=shared,
    )


def _metrics(config: DictConfig, shared: Shared) -> dict[str, Any]:
    nodes = config.get("metrics") or {}
    metrics = {str(name): shared.built(node, f"metrics.{name}") for name, node in nodes.items()}
    if not metrics or not config.get("backbone"):
        raise ConfigError("nothing to measure: name at least one metric and one backbone.")
    for name, metric in metrics.items():
        for given_moments in (False, True):
            check_input_names(name, method_of(metric, given_moments=given_moments))
    return metrics


def read_backbones(
    config: DictConfig, protocol: Protocol, device: str, shared: Shared
) -> dict[str, Any]:
    """Every backbone's description, by name.

    Raises:
        ConfigError: for one that the protocol does not define, a wrong option, or arithmetic that
            the device does not have.
    """
    allowed = protocol.backbones
    for name in map(str, config.backbone):
        if allowed is not None and name not in allowed:
            raise ConfigError(
                f"protocol {protocol.name} is defined for {', '.join(allowed)}, not for {name}; "
                "leave it out, or choose protocol=salon."
            )
    nodes = {str(name): node for name, node in config.backbone.items()}
    found = {name: shared.built(node, f"backbone.{name}") for name, node in nodes.items()}
    for name, backbone in found.items():
        try:
            shared.place.refuse_unsupported(getattr(backbone, "precision", Precision.fp32), device)
        except ValueError as error:
            raise ConfigError(f"backbone {name}: {error}.") from error
    return found


def reference_rows(source: Source, protocol: Protocol) -> Source:
    """The real rows of a protocol; of moments alone there is nothing to draw."""
    if isinstance(source, GivenMoments):
        return chosen_rows(source, protocol.num_real, REFERENCE_SEED, "real")
    return chosen_rows(source, protocol.rows("real", len(source)), REFERENCE_SEED, "real")


def chosen_rows(source: Source, count: int | None, seed: int, side: str) -> Source:
    """The rows that a protocol draws; all where it names no count."""
    if isinstance(source, GivenMoments):
        source.check_count(count)
        return source
    if source.live:
        return source
    rows = drawn_rows(len(source), count, seed, side)
    if len(rows) == len(source):
        return source
    if isinstance(source, FeatureFile):
        raise DatasetError(
            f"protocol.num_{side}={count}, but the feature file has {len(source)} rows; "
            "cut the file, or leave the count out."
        )
    return RowsOf(source, rows, {"rows": count, "of": len(source), "seed": seed})


def wants_holdout(metrics: Iterable[Any]) -> bool:
    """Whether a metric asks for held-out real images."""
    return any("holdout" in sides_of(metric.compute) for metric in metrics)


def _with_name(name: str, error: Exception) -> str:
    return str(error) if str(error).startswith(f"backbone {name}") else f"backbone {name}: {error}"
