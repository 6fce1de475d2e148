"""From a config to a job that knows what it will measure, before anything expensive happens."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench.build import build, resolved
from bench.cell import Measurement
from bench.datasets.features import FeatureFile
from bench.datasets.given_moments import GivenMoments
from bench.errors import CheckpointError, ConfigError, DatasetError, IncompatibleError, SalonError
from bench.generator import Surroundings
from bench.images import ImageSource
from bench.inputs import check_input_names, method_of, sides_of
from bench.labels import dataset_label, generator_label
from bench.progress import Progress
from bench.rows import RowsOf, drawn_rows
from bench.settings import Protocol, Settings, read_protocol, read_settings, resolve_device
from models.backbones.precomputed import Precomputed
from models.precision import Precision, refuse_unsupported
from models.weights import WeightsError

Source = ImageSource | FeatureFile | GivenMoments
PIXELS = "pixels"  # stands where a backbone would, for metrics that need none
REFERENCE_SEED = 0  # which reference rows a protocol draws must not change with the run's seed


@dataclass
class Job:
    """One generator on one dataset, under a list of backbones and metrics.

    Attributes:
        settings, protocol, device: the plain values of the config.
        real, fake: the rows that are compared.
        holdout: held-out real images, for metrics that ask for them; None where there are none.
        backbones, metrics: name -> spec.
        identities: backbone name -> what it is, taken once.
        measurements: what will be measured.
        broken: backbone name -> why it cannot be used; the other backbones are still measured.
        moments: of the reference, where the dataset gives them; `real` is then the same, or
            reference images that came with them.
    """

    settings: Settings
    protocol: Protocol
    device: str
    dataset: str
    generator: str
    real: Source
    fake: Source
    holdout: Source | None
    num_real: int | None
    num_fake: int
    backbones: dict[str, Any]
    metrics: dict[str, Any]
    identities: dict[str, dict[str, Any]] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    broken: dict[str, SalonError] = field(default_factory=dict)
    moments: GivenMoments | None = None


def prepare(config: DictConfig) -> Job:
    """Build every part of the config and open both sides; no network runs.

    Raises:
        SalonError: naming what is wrong with the config, the dataset or the generator.
    """
    settings, protocol = read_settings(config), read_protocol(config)
    device = resolve_device(settings.device)
    metrics, backbones = _metrics(config), read_backbones(config, protocol, device)
    build(config.tracking, "tracking")  # used last; what is wrong with it is told first
    dataset, generator = build(config.dataset, "dataset"), build(config.generator, "generator")
    manifests = Path(settings.paths.cache) / "manifests"
    real = dataset.open(
        dataset.split, manifests=manifests, progress=Progress("hashing real", 0).reach
    )
    name = dataset_label(dataset, real)
    _check_trained_on(generator, name)
    moments = real if isinstance(real, GivenMoments) else None
    real = moments.images if moments and moments.images else real
    reference = reference_rows(real, protocol)
    num_real = reference.count if isinstance(reference, GivenMoments) else len(reference)
    surroundings = _surroundings(config, dataset, reference, device)
    fake = generator.open(surroundings)
    _check_kinds(real, fake, backbones)
    num_fake = protocol.rows("fake", num_real if fake.live else len(fake))
    if num_fake is None:
        raise ConfigError(
            "a live generator makes as many images as there are real ones, and the statistics do "
            "not say how many; type protocol.num_fake=N."
        )
    job = Job(
        settings=settings,
        protocol=protocol,
        device=device,
        dataset=name,
        generator=generator_label(generator, fake),
        real=reference,
        fake=chosen_rows(fake, num_fake, settings.seed, "fake"),
        holdout=_holdout(dataset, manifests) if _wants_holdout(metrics.values()) else None,
        num_real=num_real,
        num_fake=num_fake,
        backbones=backbones,
        metrics=metrics,
        moments=moments,
    )
    _plan(job, real.content())
    return job


def _surroundings(config: DictConfig, dataset: Any, reference: Source, device: str) -> Surroundings:
    settings = read_settings(config)
    return Surroundings(
        dataset=dataset,
        reference=reference,
        sampler=build(config.sampler, "sampler"),
        quantise=read_protocol(config).quantise,
        config=resolved(config.generator, "generator"),
        seed=settings.seed,
        device=device,
        manifests=Path(settings.paths.cache) / "manifests",
    )


def _metrics(config: DictConfig) -> dict[str, Any]:
    nodes = config.get("metrics") or {}
    metrics = {str(name): build(node, f"metrics.{name}") for name, node in nodes.items()}
    if not metrics or not config.get("backbone"):
        raise ConfigError("nothing to measure: name at least one metric and one backbone.")
    for name, metric in metrics.items():
        for given_moments in (False, True):
            check_input_names(name, method_of(metric, given_moments=given_moments))
    return metrics


def read_backbones(config: DictConfig, protocol: Protocol, device: str) -> dict[str, Any]:
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
    found = {str(name): build(node, f"backbone.{name}") for name, node in config.backbone.items()}
    for name, backbone in found.items():
        try:
            refuse_unsupported(getattr(backbone, "precision", Precision.fp32), device)
        except ValueError as error:
            raise ConfigError(f"backbone {name}: {error}.") from error
    return found


def _check_trained_on(generator: Any, dataset: str) -> None:
    trained_on = getattr(generator, "trained_on", None)
    if trained_on is not None and trained_on != dataset:
        raise IncompatibleError(
            f"generator {generator.name} was trained on {trained_on}, the dataset is {dataset}; "
            f"choose dataset={trained_on}, or generator.trained_on=null to score it all the same."
        )


def _check_kinds(real: Source, fake: Source, backbones: Mapping[str, Any]) -> None:
    """Feature files go with each other and with backbone=precomputed, images with networks."""
    if isinstance(fake, GivenMoments):
        raise ConfigError("the fake side is moments alone; it must be images or features.")
    kinds = {isinstance(s, FeatureFile) for s in (real, fake) if not isinstance(s, GivenMoments)}
    if len(kinds) > 1:
        raise ConfigError("one side is features and the other images; both must be of one kind.")
    for name, backbone in backbones.items():
        if isinstance(backbone, Precomputed) is not isinstance(fake, FeatureFile):
            raise ConfigError(
                f"backbone {name}: features go with backbone=precomputed, images with a network."
            )


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


def _wants_holdout(metrics: Iterable[Any]) -> bool:
    return any("holdout" in sides_of(metric.compute) for metric in metrics)


def _holdout(dataset: Any, manifests: Path) -> Source | None:
    if dataset.holdout_split is None:
        return None
    return dataset.open(dataset.holdout_split, manifests=manifests)


def _plan(job: Job, dataset_content: Mapping[str, Any]) -> None:
    generator_content = job.fake.content()
    for name, backbone in job.backbones.items():
        try:
            identity = backbone.identity()
            if job.moments is not None:
                job.moments.check_backbone(name, identity)
            job.identities[name] = identity
        except DatasetError as error:
            job.broken[name] = error
        except WeightsError as error:
            job.broken[name] = CheckpointError(_with_name(name, error))
        except ValueError as error:
            job.broken[name] = ConfigError(_with_name(name, error))
    for backbone_name, identity, metric_name in _cells(job):
        metric = job.metrics[metric_name]
        given = job.moments if hasattr(metric, "compute_given_moments") else None
        job.measurements.append(
            Measurement(
                dataset=job.dataset,
                generator=job.generator,
                backbone=backbone_name,
                metric=metric_name,
                dataset_content=given.content() if given else dataset_content,
                generator_content=generator_content,
                backbone_identity=identity,
                holdout_content=_holdout_content(job, metric),
                metric_spec=metric,
                protocol=job.protocol,
                num_real=given.count if given else job.num_real,
                num_fake=job.num_fake,
                given_moments=given is not None,
                seed=job.settings.seed,
            )
        )


def _cells(job: Job) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """(backbone, its identity, metric); a metric of the images themselves is measured once."""
    of_features = [name for name, metric in job.metrics.items() if sides_of(metric.compute)]
    for backbone, identity in job.identities.items():
        yield from ((backbone, identity, metric) for metric in of_features)
    of_pixels = [name for name in job.metrics if name not in of_features]
    yield from ((PIXELS, {"architecture": "none"}, metric) for metric in of_pixels)


def _with_name(name: str, error: Exception) -> str:
    return str(error) if str(error).startswith(f"backbone {name}") else f"backbone {name}: {error}"


def _holdout_content(job: Job, metric: Any) -> Mapping[str, Any] | None:
    if job.holdout is None or not _wants_holdout([metric]):
        return None
    return job.holdout.content()
