"""From a config to a job that knows what it will measure, before anything expensive happens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench.build import build
from bench.cell import Measurement
from bench.datasets.features import FeatureFile
from bench.datasets.naming import default_name
from bench.errors import CheckpointError, ConfigError, DatasetError, IncompatibleError, SalonError
from bench.generator import Surroundings
from bench.images import ImageSource
from bench.inputs import check_input_names, input_names
from bench.overrides import PLAIN
from bench.rows import RowsOf, drawn_rows
from bench.settings import Protocol, Settings, read_protocol, read_settings, resolve_device
from models.backbones.precomputed import Precomputed
from models.weights import WeightsError

Source = ImageSource | FeatureFile
REFERENCE_SEED = 0  # which reference rows a protocol draws must not change with the run's seed


@dataclass
class Job:
    """One generator on one dataset, under a list of backbones and metrics.

    Attributes:
        settings, protocol, device: the plain values of the config.
        real, fake: the rows that are compared.
        holdout: held-out real images, for metrics that ask for them; None where there are none.
        backbones, metrics: name -> spec.
        measurements: what will be measured.
        broken: backbone name -> why it cannot be used; the other backbones are still measured.
    """

    settings: Settings
    protocol: Protocol
    device: str
    dataset: str
    generator: str
    real: Source
    fake: Source
    holdout: Source | None
    num_real: int
    num_fake: int
    backbones: dict[str, Any]
    metrics: dict[str, Any]
    measurements: list[Measurement] = field(default_factory=list)
    broken: dict[str, SalonError] = field(default_factory=dict)


def prepare(config: DictConfig) -> Job:
    """Build every part of the config and open both sides; no network runs.

    Raises:
        SalonError: naming what is wrong with the config, the dataset or the generator.
    """
    settings, protocol = read_settings(config), read_protocol(config)
    device = resolve_device(settings.device)
    metrics = _metrics(config)
    backbones = {name: build(node, f"backbone.{name}") for name, node in config.backbone.items()}
    _check_protocol(protocol, backbones)
    dataset, generator = build(config.dataset, "dataset"), build(config.generator, "generator")
    manifests = Path(settings.paths.cache) / "manifests"
    sampler = build(config.sampler, "sampler")
    surroundings = Surroundings(dataset, sampler, settings.seed, device, manifests)
    real = dataset.open(dataset.split, manifests=manifests)
    dataset_name = _dataset_name(dataset, real)
    _check_trained_on(generator, dataset_name)
    fake = generator.open(surroundings)
    _check_kinds(real, fake, backbones)
    num_real, num_fake = _counts(protocol, real, fake)
    job = Job(
        settings=settings,
        protocol=protocol,
        device=device,
        dataset=dataset_name,
        generator=_generator_name(generator, fake),
        real=_rows(real, num_real, REFERENCE_SEED, "real"),
        fake=_rows(fake, num_fake, settings.seed, "fake"),
        holdout=_holdout(dataset, metrics, manifests),
        num_real=num_real,
        num_fake=num_fake,
        backbones=backbones,
        metrics=metrics,
    )
    _plan(job, real.content())
    return job


def _metrics(config: DictConfig) -> dict[str, Any]:
    metrics = {name: build(node, f"metrics.{name}") for name, node in config.metrics.items()}
    if not metrics or not config.backbone:
        raise ConfigError("nothing to measure: name at least one metric and one backbone.")
    for name, metric in metrics.items():
        check_input_names(name, metric.compute)
    return metrics


def _check_protocol(protocol: Protocol, backbones: Mapping[str, Any]) -> None:
    allowed = protocol.backbones
    for name in backbones:
        if allowed is not None and name not in allowed:
            raise ConfigError(
                f"protocol {protocol.name} is defined for {', '.join(allowed)}, not for {name}; "
                "leave it out, or choose protocol=salon."
            )


def _check_trained_on(generator: Any, dataset: str) -> None:
    trained_on = getattr(generator, "trained_on", None)
    if trained_on is not None and trained_on != dataset:
        raise IncompatibleError(
            f"generator {generator.name} was trained on {trained_on}, the dataset is {dataset}; "
            f"choose dataset={trained_on}, or generator.trained_on=null to score it all the same."
        )


def _check_kinds(real: Source, fake: Source, backbones: Mapping[str, Any]) -> None:
    """Feature files go with each other and with backbone=precomputed, images with networks."""
    kinds = {isinstance(real, FeatureFile), isinstance(fake, FeatureFile)}
    if len(kinds) > 1:
        raise ConfigError("one side is features and the other images; both must be of one kind.")
    for name, backbone in backbones.items():
        if isinstance(backbone, Precomputed) is not isinstance(real, FeatureFile):
            raise ConfigError(
                f"backbone {name}: features go with backbone=precomputed, images with a network."
            )


def _counts(protocol: Protocol, real: Source, fake: Source) -> tuple[int, int]:
    num_real = len(real) if protocol.num_real is None else protocol.num_real
    live = getattr(fake, "live", False)
    num_fake = protocol.num_fake or (num_real if live else len(fake))
    return num_real, num_fake


def _rows(source: Source, count: int, seed: int, side: str) -> Source:
    rows = drawn_rows(len(source), count, seed, side)
    if len(rows) == len(source) or getattr(source, "live", False):
        return source
    if isinstance(source, FeatureFile):
        raise DatasetError(
            f"protocol.num_{side}={count}, but the feature file has {len(source)} rows; "
            "cut the file, or leave the count out."
        )
    return RowsOf(source, rows, {"rows": count, "of": len(source), "seed": seed})


def _holdout(dataset: Any, metrics: Mapping[str, Any], manifests: Path) -> Source | None:
    wanted = any(
        name.startswith("holdout") for m in metrics.values() for name in input_names(m.compute)
    )
    if not wanted or dataset.holdout_split is None:
        return None
    return dataset.open(dataset.holdout_split, manifests=manifests)


def _dataset_name(dataset: Any, source: Source) -> str:
    if dataset.name is not None:
        return _plain(dataset.name, "dataset.name")
    return default_name(dataset.path, str(source.content()["fingerprint"]))


def _generator_name(generator: Any, source: Source) -> str:
    """Its own name, else the dataset's that stands in for it, else one made from the content."""
    if generator.name is not None:
        return _plain(generator.name, "generator.name")
    stored = getattr(generator, "source", generator)
    if getattr(stored, "name", None) is not None:
        return _plain(f"{stored.name}-{stored.split}", "generator.source.name")
    return default_name(stored.path, str(source.content()["fingerprint"]))


def _plain(name: str, key: str) -> str:
    if not PLAIN.match(name) or len(name) > 100:
        raise ConfigError(
            f"{key}={name!r}: a name is at most 100 letters, digits, dots, dashes and "
            "underscores, and starts with a letter or digit; it becomes a folder."
        )
    return name


def _plan(job: Job, dataset_content: Mapping[str, Any]) -> None:
    generator_content = job.fake.content()
    for backbone_name, backbone in job.backbones.items():
        try:
            identity = backbone.identity()
        except WeightsError as error:
            job.broken[backbone_name] = CheckpointError(f"backbone {backbone_name}: {error}")
            continue
        for metric_name, metric in job.metrics.items():
            job.measurements.append(
                Measurement(
                    dataset=job.dataset,
                    generator=job.generator,
                    backbone=backbone_name,
                    metric=metric_name,
                    dataset_content=dataset_content,
                    generator_content=generator_content,
                    backbone_identity=identity,
                    metric_spec=metric,
                    protocol=job.protocol,
                    num_real=job.num_real,
                    num_fake=job.num_fake,
                    seed=job.settings.seed,
                )
            )
