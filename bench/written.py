"""A new record, put together from a job, its config and what a metric measured."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from omegaconf import DictConfig

from bench.beside import Artifact
from bench.cell import Measurement
from bench.environment import environment, peak_memory_mb
from bench.image_sizes import other_size
from bench.outcome import score_entries
from bench.prepare import Job
from bench.public import public
from bench.records import Record
from metrics.metric import Outcome


def new_record(
    job: Job,
    config: DictConfig,
    measurement: Measurement,
    outcome: Outcome,
    *,
    flags: dict[str, int],
    deviations: list[str],
    artifacts: dict[str, Artifact],
    cost: Mapping[str, Any],
) -> Record:
    """See `bench.records.Record` for the fields."""
    m, given = measurement, job.moments if measurement.given_moments else None
    return Record(
        key=m.key,
        dataset={"name": m.dataset, "config": public(config.dataset)},
        generator=_generator(m, config),
        backbone={"name": m.backbone, "config": _backbone_config(config, m.backbone)},
        protocol={"name": job.protocol.name, "config": public(config.protocol)},
        metric={"name": m.metric, "config": public(config.metrics[m.metric])},
        scores=score_entries(outcome, type(m.metric_spec).scores),
        num_real=m.num_real,
        num_fake=m.num_fake,
        seed=m.seed,
        identities={
            "dataset": dict(m.dataset_content),
            "generator": dict(m.generator_content),
            "backbone": dict(m.backbone_identity),
            **({} if given is None else {"reference": given.provenance()}),
        },
        deviations=deviations,
        comparison_key=m.comparison_key,
        comparison=m.comparison,
        flags=_image_counts(job) | flags | outcome.flags | (given.flags if given else {}),
        artifacts=artifacts,
        environment=environment(
            job.device,
            str(m.backbone_identity.get("precision", "fp32")),
            job.settings.batch_size,
        ),
        cost={**cost, "peak_memory_mb": peak_memory_mb()},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _generator(measurement: Measurement, config: DictConfig) -> dict[str, Any]:
    """The sampler belongs to generators that draw latents; of stored images it says nothing."""
    drawn = "sampler" in measurement.generator_content
    sampler = {"sampler": public(config.sampler)} if drawn else {}
    return {"name": measurement.generator, "config": public(config.generator), **sampler}


def _backbone_config(config: DictConfig, backbone: str) -> dict[str, Any]:
    """Nothing for metrics of the images themselves."""
    return public(config.backbone[backbone]) if backbone in config.backbone else {}


def _image_counts(job: Job) -> dict[str, int]:
    """Conversions and skipped images of both sides; and whether the fakes have another size."""
    found = {
        f"{side}.{kind}": count
        for side, source in (("real", job.real), ("fake", job.fake))
        for kind, count in getattr(source, "counts", {}).items()
    }
    resized = other_size(job.real, job.fake) is not None
    return found | ({"fake.other_size": 1} if resized else {})
