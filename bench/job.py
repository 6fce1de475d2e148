"""Runs one job: every metric on every backbone, one record each; a failure loses no other."""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from omegaconf import DictConfig
from torch import Tensor

from bench.artifacts import are_there, write_curves, write_grid, write_per_image
from bench.beside import Artifact
from bench.cell import Measurement
from bench.concerning import concerning
from bench.errors import DamagedRecordError, SalonError, StoreError, UndefinedError
from bench.failure_record import forget_failure, write_failure
from bench.failures import failed_line
from bench.image_sizes import other_size
from bench.images import ImageSource
from bench.inputs import Inputs, sides_of
from bench.outcome import as_outcome
from bench.prepare import Job
from bench.records import Record, write_record
from bench.report import Line, Report
from bench.settings import full_float32
from bench.sides import Sides
from bench.termination import Terminated
from bench.thumbnails import write_extremes, write_nearest
from bench.whole_record import read_whole_record
from bench.written import new_record
from metrics.metric import Outcome

log = logging.getLogger(__name__)
GRID_IMAGES = 36
PIXELS = "fake_images"  # the input of metrics that look at images themselves


def finished(measurement: Measurement, results: Path) -> Record | None:
    """The whole record of this very measurement, or None where it is absent or damaged.

    Raises:
        StoreError: if it cannot be read just now.
    """
    path = measurement.path(results)
    if not path.exists():
        return None
    try:
        record = read_whole_record(path)
    except DamagedRecordError as error:
        log.warning("%s", error)
        return None
    return record if record.key == measurement.key else None


def seen(measurement: Measurement, results: Path) -> Record | None:
    """Likewise, ahead of the work: one that cannot be read just now is told when its turn comes."""
    try:
        return finished(measurement, results)
    except StoreError:
        return None


def measured_line(names: tuple[str, str, str, str], state: str, record: Record, path: Path) -> Line:
    """A record as a line of the report."""
    intervals = {n: entry["interval"] for n, entry in record.scores.items() if entry["interval"]}
    biases = {name: entry["bias"] for name, entry in record.scores.items() if "bias" in entry}
    return Line(*names, state, values_of(record), intervals, biases, record=str(path))


def values_of(record: Record) -> dict[str, float | None]:
    """Score name -> value."""
    return {name: entry["value"] for name, entry in record.scores.items()}


def _set_damaged_aside(path: Path) -> None:
    if not path.exists():
        return
    try:
        read_whole_record(path)
    except DamagedRecordError:
        with suppress(FileNotFoundError):  # another job was faster
            path.replace(path.with_suffix(".damaged"))


def run(job: Job, config: DictConfig, deviations: list[str]) -> Report:
    """Measure what is missing.

    Args:
        job: what `prepare` made of the config.
        config: the whole config, for the records.
        deviations: where the run departs from its protocol's preset; a record has its own of them.

    Returns:
        One line per cell and metric, those of broken backbones included.
    """
    full_float32()
    results = Path(job.settings.paths.results)
    missing = [m for m in job.measurements if seen(m, results) is None]
    sizes = other_size(job.real, job.fake)
    if missing and sizes is not None:
        log.warning("%s (height x width); scores then measure the resizing too", sizes)
    work = _Work(job, config, deviations, results, Sides(job, missing))
    of_features = [name for name, metric in job.metrics.items() if sides_of(metric.compute)]
    broken = [work.broken(backbone, metric) for backbone in job.broken for metric in of_features]
    return Report([*broken, *(work.line(measurement) for measurement in job.measurements)])


@dataclass
class _Work:
    """One job under way."""

    job: Job
    config: DictConfig
    deviations: list[str]
    results: Path
    sides: Sides
    inputs: dict[str, Inputs] = field(default_factory=dict)

    def broken(self, backbone: str, metric: str) -> Line:
        """A metric on a backbone that cannot be used."""
        names = (self.job.dataset, self.job.generator, backbone, metric)
        return failed_line(names, self.job.broken[backbone])

    def line(self, measurement: Measurement) -> Line:
        """Reuse, measure, or say why not."""
        m = measurement
        names = (m.dataset, m.generator, m.backbone, m.metric)
        try:
            record = finished(m, self.results)
            state = "done" if record is None else "reused"
            record = record or self._measure(m)
        except Exception as error:  # one metric's bug must not lose the others' scores
            return self._failed(m, failed_line(names, error), error)
        except Terminated as ending:
            self._failed(m, Line(*names, "failed", reason=str(ending), code=ending.code), ending)
            raise
        forget_failure(self.results, m.key)
        return measured_line(names, state, record, m.path(self.results))

    def _failed(self, measurement: Measurement, line: Line, error: BaseException) -> Line:
        """Kept for the sweep to see; a full disk must not hide the reason."""
        try:
            write_failure(self.results, measurement, line, error)
        except StoreError as trouble:
            log.warning("the failure is not kept: %s", trouble)
        return line

    @cached_property
    def _trouble(self) -> SalonError | None:
        """Why the generator makes no images; found out once, before the expensive work."""
        try:
            if isinstance(self.job.fake, ImageSource):
                self.job.fake.ready()
        except SalonError as error:
            return error
        return None

    def _measure(self, measurement: Measurement) -> Record:
        if self._trouble is not None:
            raise self._trouble
        _set_damaged_aside(measurement.path(self.results))
        started = time.monotonic()
        outcome = self._compute(measurement)
        seconds = time.monotonic() - started
        path = measurement.path(self.results)
        artifacts = self._beside(path, measurement, outcome)
        costs = {side: cost.summary() for side, cost in self.sides.costs.items()}
        record = new_record(
            self.job,
            self.config,
            measurement,
            outcome,
            flags=self.sides.duplicates(measurement.backbone),
            deviations=concerning(self.deviations, measurement.backbone, measurement.metric),
            artifacts=artifacts,
            cost={**costs, "metric_seconds": round(seconds, 2)},
        )
        try:
            stored = write_record(path, record)
        except StoreError as error:  # the value is told, so that it is not lost
            told = ", ".join(f"{name} = {value}" for name, value in values_of(record).items())
            raise StoreError(f"{error} Measured: {told}.") from error
        with suppress(StoreError):  # the score is stored
            if stored is record and not are_there(path, artifacts):
                self._beside(path, measurement, outcome)  # another job replaced one in between
        return stored

    def _beside(
        self, path: Path, measurement: Measurement, outcome: Outcome
    ) -> dict[str, Artifact]:
        """Write what lies beside the record."""
        artifacts = write_per_image(path, outcome, self._image_names)
        return artifacts | write_curves(path, outcome) | self._pictures(path, measurement, outcome)

    def _pictures(
        self, path: Path, measurement: Measurement, outcome: Outcome
    ) -> dict[str, Artifact]:
        """Beside the record; none is no reason to lose a score."""
        real, fake = self.job.real, self.job.fake
        if self._first_images is None or not isinstance(fake, ImageSource):
            return {}
        better = type(measurement.metric_spec).scores
        try:
            found = write_grid(path, self._first_images)
            found |= write_extremes(path, outcome, better, fake.read)
            if isinstance(real, ImageSource):
                found |= write_nearest(path, outcome, better, real.read)
            return found
        except StoreError as error:
            log.warning("no pictures beside %s: %s", path.name, error)
            return {}

    def _compute(self, measurement: Measurement) -> Outcome:
        if measurement.backbone not in self.inputs:
            self.inputs[measurement.backbone] = self.sides.inputs(measurement.backbone)
        metric = measurement.metric_spec
        inputs = self.inputs[measurement.backbone]
        try:
            gathered = inputs.gather(measurement.metric, measurement.compute)
            outcome = as_outcome(measurement.compute(**gathered), type(metric).scores)
        except (ValueError, UndefinedError) as error:
            raise UndefinedError(f"{measurement.metric}: {error}") from error
        if PIXELS in gathered:
            gathered[PIXELS].refuse_changed(range(len(gathered[PIXELS])))
        return outcome

    @cached_property
    def _image_names(self) -> dict:
        """Side -> the name of an image by its index."""
        return {
            side: source.image_name if isinstance(source, ImageSource) else str
            for side, source in (("real", self.job.real), ("fake", self.job.fake))
        }

    @cached_property
    def _first_images(self) -> Tensor | None:
        """For the grid; None where there are only features."""
        if not isinstance(self.job.fake, ImageSource):
            return None
        return self.job.fake.read(range(min(GRID_IMAGES, self.job.num_fake)))
