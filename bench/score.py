"""`salon score`: one job, or with -m Hydra's multirun of the same job function."""

import logging
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from bench import tracking
from bench.composed import check_defaults, composed, salon_configs, search_path
from bench.config_folder import config_folder, register_resolvers
from bench.deviations import deviations
from bench.errors import CellsFailedError, LauncherError, SalonError
from bench.failures import failed_line
from bench.given_up import await_jobs
from bench.hydra_errors import config_errors
from bench.job import run
from bench.job_status import StatusFile
from bench.overrides import check_words, flags_first, user_folders
from bench.prepare import prepare
from bench.printable import printable
from bench.progress import Progress
from bench.report import FILE as REPORT
from bench.report import Line, Report, closing_table, score_table
from bench.started import RememberFolder, Started
from bench.sweep_words import split_overrides
from bench.termination import Terminated, at_the_end
from bench.time_limit import time_limit_is_told
from bench.warning_time import check_launcher

log = logging.getLogger(__name__)
LISTS = ("backbone", "metrics")
SLURM = "hydra/launcher=submitit_slurm"


class JobFailedError(SalonError):
    """A job that ended with failures; its report is on disk."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type, tuple[str, int]]:
        """Pickled by launchers on its way home."""
        return type(self), (str(self), self.code)


def main(words: Sequence[str]) -> int:
    """Run `salon score WORDS`.

    Returns:
        The exit code of a single job; 8 for a multirun with failed cells.
    """
    check_words(words)
    fixed, _ = split_overrides(words)
    folders = user_folders(words)
    fixed += [search_path(folders)] if folders else []
    with config_errors(), salon_configs():
        check_defaults("score", fixed)
    if SLURM in fixed:
        check_launcher(composed("score", fixed, hydra_node=True))
    os.environ["HYDRA_FULL_ERROR"] = "1"  # else Hydra exits with 1 whatever happened
    os.environ["SALON_RUN"] = run_name()
    RememberFolder.last = None
    sys.argv = ["salon score", *flags_first(words)]
    entry = hydra.main(version_base="1.3", config_path=str(config_folder()), config_name="score")
    troubles: list[Line] = []
    with config_errors(), suppress(JobFailedError), _launchers_trouble(troubles):
        entry(job)()
    started = RememberFolder.last
    if started is None:  # --help, --cfg, --info: nothing was run
        return 0
    if started.multirun:
        return _close_multirun(started, troubles)
    return _close_run(started.folder)


@contextmanager
def _launchers_trouble(troubles: list[Line]) -> Iterator[None]:
    """A launcher gives up on all jobs where it loses one; the reports are told all the same.

    Args:
        troubles: gets a failed line; jobs that never began have no other.

    Raises:
        LauncherError: if it did not get as far as a job.
    """
    try:
        yield
    except SalonError:
        raise
    except Exception as error:
        started = RememberFolder.last
        if started is None or not started.multirun:
            raise
        text = f"the launcher stopped: {' '.join(str(error).split())}"
        await_jobs(started)
        if not started.jobs():
            raise LauncherError(text) from error
        code = LauncherError.code
        troubles.append(Line("-", "-", "-", "-", "failed", reason=text, code=code))


def job(config: DictConfig) -> None:
    """The job function of every launcher: prepare, measure, report.

    Raises:
        JobFailedError: in a multirun, after everything that could be measured has been, so that
            the launcher knows; a single run's report says it.
    """
    register_resolvers()
    folder = Path(HydraConfig.get().runtime.output_dir)
    with suppress(OSError):  # of an earlier job in the same folder
        (folder / REPORT).unlink()
    Progress.status = StatusFile(folder)
    Progress.status.say("starting")
    at_the_end(lambda ending: _ended(config, ending).write_unless_there(folder))
    with time_limit_is_told():
        report = score(config)
    report.write(folder)
    if any(line.scores for line in report.lines):
        with suppress(OSError):  # a log on a full disk; the report is stored
            print(_heading() + score_table(report.lines), flush=True)
    tracking.mirror(config, report, folder)  # last: a dead server may cost seconds, nothing else
    if report.code and HydraConfig.get().mode == RunMode.MULTIRUN:
        raise JobFailedError(report.reasons(), report.code)


def _heading() -> str:
    """Above a table of one among many: the job's number, and its words as Hydra writes them."""
    hydra_node = HydraConfig.get()
    if hydra_node.mode != RunMode.MULTIRUN:
        return ""
    return printable(" ".join([f"#{hydra_node.job.num}", *hydra_node.overrides.task])) + "\n"


def score(config: DictConfig) -> Report:
    """Run the job of a composed config; a job that cannot be prepared is one line."""
    try:
        return run(prepare(config), config, _departures(config))
    except Exception as error:  # a bug in one job of a multirun must not lose the others
        return Report([failed_line(_names(config), error)])


def _ended(config: DictConfig, ending: Terminated) -> Report:
    return Report([Line(*_names(config), "failed", reason=str(ending), code=ending.code)])


def _names(config: DictConfig) -> tuple[str, str, str, str]:
    """What the whole job is about: dataset, generator, backbones, metrics."""
    backbones, metrics = (",".join(map(str, config.get(n) or {})) for n in LISTS)
    return _name(config, "dataset"), _name(config, "generator"), backbones, metrics


def _departures(config: DictConfig) -> list[str]:
    """From the preset whose name the run carries, looked up where this run's yamls came from."""
    runtime = HydraConfig.get().runtime
    own = [Path(s.path) for s in runtime.config_sources if s.schema == "file" and s.path]
    extra = [path for path in own if path != config_folder()]
    return deviations(config, protocol=runtime.choices["protocol"], search_folders=extra)


def run_name() -> str:
    """A folder name that no other run has: runs started in one second must not share a folder."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"


def _name(config: DictConfig, node: str) -> str:
    return str(config[node].get("name") or "-")


def _close_run(folder: Path) -> int:
    report = Report.read(folder)
    if report is None:
        raise LauncherError(f"the job ended without a report; see {folder}")
    code = next((line.code for line in report.lines if line.code), 0)
    if code:  # a skipped job too: alone, it is what was asked for and could not be done
        raise JobFailedError(report.reasons(), code)
    return 0


def _close_multirun(started: Started, troubles: Sequence[Line]) -> int:
    lines = [*troubles, *(line for own in started.jobs() for line in _lines_of(own))]
    print(closing_table(lines), flush=True)
    failed = any(line.state == "failed" for line in lines)
    return CellsFailedError.code if failed else 0


def _lines_of(folder: Path) -> list[Line]:
    report = Report.read(folder)
    if report is not None:
        return report.lines
    reason = f"the job ended without a report; see {folder}"
    return [Line("-", "-", "-", "-", "failed", reason=reason, code=7)]
