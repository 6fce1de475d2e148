"""Runs one job: features of both sides, every metric, one record each; a failure loses no other."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench.artifacts import write_grid, write_per_image
from bench.cache import FeatureCache
from bench.cell import Measurement
from bench.datasets.features import FeatureFile
from bench.environment import environment, peak_memory_mb
from bench.errors import CheckpointError, SalonError, StoreError, UndefinedError
from bench.features import Cost, Extractor, FeatureSet
from bench.inputs import Inputs, sides_of
from bench.outcome import as_outcome, score_entries
from bench.prepare import Job, Source
from bench.public import public
from bench.records import Record, read_record, write_record
from bench.report import Line, Report
from models.weights import WeightsError

log = logging.getLogger(__name__)


def finished(measurement: Measurement, results: Path) -> Record | None:
    """The whole record of this very measurement, or None."""
    path = measurement.path(results)
    if not path.exists():
        return None
    try:
        record = read_record(path)
    except StoreError as error:
        log.warning("%s Measuring it anew.", error)
        path.replace(path.with_suffix(".damaged"))
        return None
    return record if record.key == measurement.key else None


def run(job: Job, config: DictConfig, deviations: list[str]) -> Report:
    """Measure what is missing.

    Args:
        job: what `prepare` made of the config.
        config: the whole config, for the records.
        deviations: where the run departs from its protocol's preset.

    Returns:
        One line per cell and metric, those of broken backbones included.
    """
    results = Path(job.settings.paths.results)
    report = Report()
    for backbone, error in job.broken.items():
        report.lines += [_failed(job, backbone, metric, error) for metric in job.metrics]
    missing = [m for m in job.measurements if finished(m, results) is None]
    work = _Work(job, config, deviations, missing)
    for measurement in job.measurements:
        report.lines.append(work.line(measurement, results))
    return report


@dataclass
class _Work:
    """The features that the missing measurements need, made for all backbones in one pass."""

    job: Job
    config: DictConfig
    deviations: list[str]
    missing: list[Measurement]

    def line(self, measurement: Measurement, results: Path) -> Line:
        """Reuse, measure, or say why not."""
        names = (
            measurement.dataset,
            measurement.generator,
            measurement.backbone,
            measurement.metric,
        )
        path = str(measurement.path(results))
        try:
            record = finished(measurement, results)
            state = "done" if record is None else "reused"
            record = record or self._measure(measurement, results)
        except SalonError as error:
            return Line(*names, "failed", reason=str(error), code=error.code)
        except WeightsError as error:
            return Line(*names, "failed", reason=str(error), code=CheckpointError.code)
        except Exception as error:  # one metric's bug must not lose the others' scores
            log.exception("%s on %s", measurement.metric, measurement.backbone)
            return Line(*names, "failed", reason=f"{type(error).__name__}: {error}", code=1)
        values = {name: entry["value"] for name, entry in record.scores.items()}
        return Line(*names, state, scores=values, record=path)

    def _measure(self, measurement: Measurement, results: Path) -> Record:
        inputs = self._inputs[measurement.backbone]
        metric = measurement.metric_spec
        started = time.monotonic()
        try:
            gathered = inputs.gather(measurement.metric, metric.compute)
            outcome = as_outcome(metric.compute(**gathered), type(metric).scores)
        except ValueError as error:
            raise UndefinedError(f"{measurement.metric}: {error}") from error
        seconds = time.monotonic() - started
        path = measurement.path(results)
        artifacts = write_per_image(path, outcome, self._names())
        if not isinstance(self.job.fake, FeatureFile):
            artifacts |= self._grid(path)
        record = self._record(measurement, score_entries(outcome, type(metric).scores))
        record.artifacts.update(artifacts)
        record.flags.update(outcome.flags)
        record.cost["metric_seconds"] = round(seconds, 2)
        return write_record(path, record)

    def _record(self, measurement: Measurement, scores: dict[str, Any]) -> Record:
        config, job = self.config, self.job
        metric, backbone = measurement.metric, measurement.backbone
        return Record(
            key=measurement.key,
            dataset={"name": job.dataset, "config": public(config.dataset)},
            generator={"name": job.generator, "config": public(config.generator)},
            backbone={"name": backbone, "config": public(config.backbone[backbone])},
            protocol={"name": job.protocol.name, "config": public(config.protocol)},
            metric={"name": metric, "config": public(config.metrics[metric])},
            scores=scores,
            num_real=job.num_real,
            num_fake=job.num_fake,
            seed=job.settings.seed,
            identities={
                "dataset": dict(measurement.dataset_content),
                "generator": dict(measurement.generator_content),
                "backbone": dict(measurement.backbone_identity),
            },
            deviations=self.deviations,
            comparison_key=measurement.comparison_key,
            comparison=measurement.comparison,
            flags=self._counts(),
            artifacts={},
            environment=environment(job.device),
            cost={
                **{side: cost.summary() for side, cost in self._costs.items()},
                "peak_memory_mb": peak_memory_mb(),
            },
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    @cached_property
    def _inputs(self) -> dict[str, Inputs]:
        """Backbone -> inputs, whose sides are extracted for all backbones when first asked for."""
        self._costs: dict[str, Cost] = {}
        wanted = {m.backbone for m in self.missing}
        self._features: dict[str, dict[str, FeatureSet]] = {}
        sides = ["real", "fake"] + (["holdout"] if self.job.holdout is not None else [])
        return {
            backbone: Inputs(
                {side: lambda s=side, b=backbone: self._side(s)[b] for side in sides},
                self.job.settings.seed,
            )
            for backbone in wanted
        }

    def _side(self, side: str) -> Mapping[str, FeatureSet]:
        if side not in self._features:
            self._features[side] = self._extract(side)
        return self._features[side]

    def _extract(self, side: str) -> dict[str, FeatureSet]:
        source: Source = getattr(self.job, side)
        wanted = {m.backbone for m in self.missing if side in sides_of(m.metric_spec.compute)}
        if isinstance(source, FeatureFile):
            given = FeatureSet(source.rows(), source.logits, source.labels)
            return {name: given for name in wanted}
        backbones = {name: self.job.backbones[name] for name in sorted(wanted)}
        count = {"real": self.job.num_real, "fake": self.job.num_fake}.get(side, len(source))
        found, self._costs[side] = self._extractor.extract(source, count, backbones, side)
        return found

    @cached_property
    def _extractor(self) -> Extractor:
        settings = self.job.settings
        cache = FeatureCache(Path(settings.paths.cache) / "features")
        return Extractor(cache, self.job.device, settings.batch_size, settings.workers)

    def _names(self) -> dict[str, Any]:
        """Side -> the name of an image by its index."""
        return {
            side: str if isinstance(source, FeatureFile) else source.image_name
            for side, source in (("real", self.job.real), ("fake", self.job.fake))
        }

    def _counts(self) -> dict[str, int]:
        """Conversions and skipped images of both sides, as flags."""
        return {
            f"{side}.{kind}": count
            for side, source in (("real", self.job.real), ("fake", self.job.fake))
            for kind, count in getattr(source, "counts", {}).items()
        }

    def _grid(self, path: Path) -> dict[str, str]:
        if not hasattr(self, "_first_images"):
            count = min(36, self.job.num_fake)
            self._first_images = self.job.fake.read(range(count))
        return write_grid(path, self._first_images)


def _failed(job: Job, backbone: str, metric: str, error: SalonError) -> Line:
    return Line(
        job.dataset, job.generator, backbone, metric, "failed", reason=str(error), code=error.code
    )
