"""From a config to a job that knows what it will measure, before anything expensive happens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig

from bench.build import resolved
from bench.cell import Measurement
from bench.datasets.features import FeatureFile
from bench.datasets.given_moments import GivenMoments
from bench.errors import ConfigError, IncompatibleError, SalonError
from bench.generator import Surroundings
from bench.inputs import sides_of
from bench.labels import generator_label
from bench.settings import Protocol, Settings
from bench.shared import Shared
from bench.yardstick import Source, Yardstick, chosen_rows, wants_holdout, yardstick
from models.backbones.precomputed import Precomputed

PIXELS = "pixels"  # stands where a backbone would, for metrics that need none


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


def prepare(config: DictConfig, shared: Shared | None = None) -> Job:
    """Build every part of the config and open both sides; no network runs.

    Args:
        config: of `salon score`.
        shared: what was made for earlier jobs and serves this one as well.

    Raises:
        SalonError: naming what is wrong with the config, the dataset or the generator.
    """
    shared = shared or Shared()
    held, generator = yardstick(config, shared), shared.built(config.generator, "generator")
    if held.dataset.name is not None:  # told before anything is opened
        _check_trained_on(generator, held.dataset.name)
    _check_trained_on(generator, held.name)
    fake = generator.open(_surroundings(held, config))
    _check_kinds(held.images, fake, held.backbones)
    reference = held.num_real if held.moments is None else held.moments.count or held.num_real
    num_fake = held.protocol.rows("fake", reference if fake.live else len(fake))
    if num_fake is None:
        raise ConfigError(
            "a live generator makes as many images as there are real ones, and the statistics do "
            "not say how many; type protocol.num_fake=N."
        )
    job = Job(
        settings=held.settings,
        protocol=held.protocol,
        device=held.device,
        dataset=held.name,
        generator=generator_label(generator, fake),
        real=held.real,
        fake=chosen_rows(fake, num_fake, held.settings.seed, "fake"),
        holdout=held.holdout,
        num_real=held.num_real,
        num_fake=num_fake,
        backbones=held.backbones,
        metrics=held.metrics,
        moments=held.moments,
    )
    _plan(job, held)
    return job


def _surroundings(held: Yardstick, config: DictConfig) -> Surroundings:
    return Surroundings(
        dataset=held.dataset,
        reference=held.real,
        sampler=held.sampler,
        quantise=held.protocol.quantise,
        config=resolved(config.generator, "generator"),
        seed=held.settings.seed,
        device=held.device,
        manifests=held.manifests,
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


def _plan(job: Job, held: Yardstick) -> None:
    dataset_content, generator_content = held.content, job.fake.content()
    for name, found in held.identities.items():
        if isinstance(found, SalonError):
            job.broken[name] = found
        else:
            job.identities[name] = found
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


def _holdout_content(job: Job, metric: Any) -> Mapping[str, Any] | None:
    if job.holdout is None or not wants_holdout([metric]):
        return None
    return job.holdout.content()
