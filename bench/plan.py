"""What each job of a sweep still has to do, found out before anything is spent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import DictConfig

from bench.build import names_foreign_code
from bench.errors import CheckpointError, ConfigError, DatasetError
from bench.exclude import kept
from bench.failure_record import lasting_failure
from bench.failures import failed_line
from bench.grid import Grid
from bench.job import measured_line, seen
from bench.needed import Need, needs
from bench.place import Place
from bench.prepare import Job, prepare
from bench.records import digest
from bench.report import Line
from bench.shared import Shared
from bench.sweep_words import combinations, job_words

RUN = "hydra.mode=RUN"  # whatever an experiment file says: each job is one


@dataclass
class PlannedJob:
    """One job of the sweep.

    Attributes:
        words: what tells it from the other jobs of the sweep.
        command: all words of its command.
        verb: the command: "score", or "extract" for work that others share.
        stage: jobs of a later stage start when those of the earlier ones have ended.
        needs: what is not there: data, samples, weights.
        prepared: what it is made of, where it has been looked at and is not settled.
        missing: how many measurements it has to make.
        lines: what is known of it already: reused, skipped, failed.
        settled: whether there is nothing to run.
    """

    words: list[str]
    command: list[str]
    missing: int = 0
    lines: list[Line] = field(default_factory=list)
    settled: bool = False
    verb: str = "score"
    stage: int = 0
    needs: list[Need] = field(default_factory=list)
    prepared: Job | None = None

    @property
    def key(self) -> str:
        """Hash of what it is asked to do, and where."""
        return digest({"verb": self.verb, "command": self.command, "from": str(Path.cwd())})

    def summary(self) -> str:
        """E.g. "12 to measure", or why there is nothing to do."""
        if self.verb != "score":
            return "once, for the jobs that share them"
        absent = ", ".join(dict.fromkeys(f"{need.kind} {need.name}" for need in self.needs))
        if absent:
            return f"needs {absent}"
        if not self.settled:
            return f"{self.missing} to measure" if self.missing else "to be seen by the job"
        reasons = [line.reason for line in self.lines if line.reason]
        return f"{self.lines[0].state}" + (f", {reasons[0]}" if reasons else "")


def plan(
    config: DictConfig, fixed: Sequence[str], swept: Sequence[str], place: Place | None = None
) -> list[PlannedJob]:
    """Every job of the sweep, in order; a user's own code runs in its job alone, never here.

    Args:
        config: of the sweep.
        fixed: words that all jobs have.
        swept: words that tell them apart.
        place: where the jobs will run; None: on this machine.

    Raises:
        ConfigError: if two jobs of the sweep are the same.
    """
    grid = Grid(
        [*job_words(fixed), RUN], kept(combinations(config, fixed, swept), config, [*fixed, *swept])
    )
    look = _Look(grid, bool(config.retry_failed), Shared(place))
    jobs = [look.planned(list(words)) for words in grid.jobs]
    seen: set[tuple[str, ...]] = set()
    for job in jobs:
        if tuple(job.words) in seen:
            raise ConfigError(f"the sweep holds {' '.join(job.words)} twice.")
        seen.add(tuple(job.words))
    return jobs


@dataclass
class _Look:
    """At one job after the other.

    Attributes:
        grid: the jobs' configs.
        retry: whether what has failed is tried again.
        shared: what the jobs have in common.
    """

    grid: Grid
    retry: bool
    shared: Shared

    def planned(self, words: list[str]) -> PlannedJob:
        """A job of the grid, and what it still has to do."""
        job = PlannedJob(words, [*self.grid.fixed[:-1], *words, RUN])
        names = ("-", "-")
        try:
            config = self.grid.config(words)
            names = (str(config.dataset.get("name")), str(config.generator.get("name")))
            if not names_foreign_code(self.shared.plain(config)):
                self._look(job, prepare(config, self.shared))
                job.needs = needs(config, self.shared) if not job.settled else []
        except (DatasetError, CheckpointError) as error:
            job.needs = needs(config, self.shared)
            job.lines, job.settled = [failed_line((*names, "-", "-"), error)], True
        except Exception as error:  # one job that cannot be planned must not lose the others
            job.lines, job.settled = [failed_line((*names, "-", "-"), error)], True
        return job

    def _look(self, job: PlannedJob, prepared: Job) -> None:
        results = Path(prepared.settings.paths.results)
        for m in prepared.measurements:
            record = seen(m, results)
            if record is None:
                failure = None if self.retry else lasting_failure(results, m.key)
                job.missing += failure is None
                job.lines += [] if failure is None else [failure.line()]
                continue
            names = (m.dataset, m.generator, m.backbone, m.metric)
            job.lines.append(measured_line(names, "reused", record, m.path(results)))
        if job.missing or prepared.broken:
            job.lines, job.prepared = [], prepared  # the job's own report will tell
        else:
            job.settled = True
