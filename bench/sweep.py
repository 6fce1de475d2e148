"""`salon sweep`: plans the jobs, drops what is done, runs the rest, reports per cell."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from bench.build import build
from bench.composed import composed
from bench.errors import CellsFailedError, ConfigError
from bench.estimate import estimate
from bench.leftovers import sweep_leftovers_of
from bench.overrides import check_words
from bench.plan import PlannedJob, plan
from bench.pool import Pool
from bench.report import Line, align, closing_table
from bench.score import run_name
from bench.shared_work import VERB, with_shared_work
from bench.sweep_folder import planned
from bench.sweep_words import split_words

log = logging.getLogger(__name__)

HELP = """salon sweep - run an experiment file: plan, resume, one process per job

  salon sweep experiment=demo
  salon sweep experiment=demo generator=dcgan_digits,holdout seed=0,1,2
  salon sweep experiment=demo plan=true            what would be done, and what is there already

Any group or key of `salon score` can be swept by a comma list. The same command again does only
what is missing. Exit code 8: some cells failed, the closing table says which and why.

  cluster.jobs       jobs at the same time     (one per GPU, else one per two cores)
  cluster.threads    CPU threads per job
"""


def main(words: Sequence[str]) -> int:
    """Run `salon sweep WORDS`; returns 8 if a cell failed, else 0."""
    if {"-h", "--help"} & set(words) or not words:
        print(HELP, end="")
        return 0
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    check_words(words)
    fixed, swept = split_words(words)
    config = composed("sweep", fixed, hydra_node=True)
    pool = build(config.cluster, "cluster")
    for key in ("plan", "retry_failed"):
        if not isinstance(config[key], bool):
            raise ConfigError(f"{key}: found {config[key]}, expected true or false.")
    jobs = with_shared_work(plan(config, fixed, swept, pool.place), _shards(config))
    if config.plan:
        return _show(jobs)
    folder = Path(config.paths.logs) / run_name()
    sweep_leftovers_of(config.paths)
    planned(words, jobs).write(folder)
    lines = _run(pool, jobs, folder)
    print(closing_table(lines), flush=True)
    return _code(lines)


def _shards(config: DictConfig) -> int:
    if not isinstance(config.shards, int) or isinstance(config.shards, bool):
        raise ConfigError(f"shards: found {config.shards}, expected a number.")
    return config.shards


def _code(lines: Sequence[Line]) -> int:
    return CellsFailedError.code if any(line.state == "failed" for line in lines) else 0


def _run(pool: Pool, jobs: Sequence[PlannedJob], folder: Path) -> list[Line]:
    """Lines of all jobs: the planned ones as they are, the others from their child's report."""
    lines = [line for job in jobs for line in job.lines]
    waiting = [job for job in jobs if not job.settled]
    log.info(_counted(jobs))
    os.environ.pop("SALON_RUN", None)
    shared = {" ".join(job.words) for job in waiting if job.verb == VERB}
    made = pool.run(waiting, folder)
    for line in made:
        if line.generator in shared:  # no cell: the scores, which do without, tell of theirs
            log.warning("%s: %s; each score makes what it lacks", line.generator, line.reason)
    return lines + [line for line in made if line.generator not in shared]


def _show(jobs: Sequence[PlannedJob]) -> int:
    """What would be done; what is absent is told once, and is no failure of a plan."""
    for job in jobs:
        print(f"{' '.join(job.words) or 'the one job'}: {job.summary()}")
    absent = list(dict.fromkeys(need for job in jobs for need in job.needs))
    if absent:
        print("missing:")
        print(align([("  " + need.kind, need.name, need.advice) for need in absent]))
    if cost := estimate(jobs):
        print(cost)
    print(_counted(jobs))
    return _code([line for job in jobs if not job.needs for line in job.lines])


def _counted(jobs: Sequence[PlannedJob]) -> str:
    """E.g. "12 jobs: 10 to run, 1 already done or left out, 1 that lack what is missing"."""
    waiting = sum(not job.settled for job in jobs)
    lacking = sum(job.settled and bool(job.needs) for job in jobs)
    settled = len(jobs) - waiting - lacking
    what = "1 job" if len(jobs) == 1 else f"{len(jobs)} jobs"
    lack = f", {lacking} that lack what is missing" if lacking else ""
    return f"{what}: {waiting} to run, {settled} already done or left out{lack}"
