"""Remembers which folder Hydra gave to the run or sweep that this process started."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from hydra.experimental.callback import Callback
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from bench import job_status
from bench.leftovers import sweep_leftovers_of
from bench.report import FILE

BEGINNINGS = (job_status.FILE, ".hydra/hydra.yaml")  # what a job leaves as soon as it begins


@dataclass(frozen=True)
class Started:
    """A run of one job, or a multirun with a folder below for each job.

    Attributes:
        folder: the run's or the sweep's.
        multirun: which of both.
        earlier: the jobs' folders that were there already, each with when its job began.
    """

    folder: Path
    multirun: bool
    earlier: Mapping[Path, int] = field(default_factory=dict)

    def jobs(self) -> list[Path]:
        """Folders of the jobs that have begun since, however deep they lie."""
        return sorted(own for own, at in begun(self.folder).items() if self.earlier.get(own) != at)


def begun(folder: Path) -> dict[Path, int]:
    """Folders of jobs at any depth, each with when its job began or last spoke, in ns."""
    found: dict[Path, int] = {}
    for name in BEGINNINGS:
        for file in folder.rglob(name):
            own = file.parents[name.count("/")]
            with suppress(OSError):  # just replaced
                found[own] = max(found.get(own, 0), file.stat().st_mtime_ns)
    return found


class RememberFolder(Callback):
    """A Hydra callback of the launching process; conf/score.yaml names it.

    Attributes:
        last: what was started last; None before Hydra has composed the config.
    """

    last: ClassVar[Started | None] = None

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """A single job."""
        folder = Path(config.hydra.run.dir).absolute()
        with suppress(OSError):  # an earlier run in the same folder said that
            (folder / FILE).unlink()
        RememberFolder.last = Started(folder, multirun=False)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """A sweep; another may have used the folder, or may be using it."""
        folder = Path(config.hydra.sweep.dir).absolute()
        RememberFolder.last = Started(folder, multirun=True, earlier=begun(folder))
        with suppress(OmegaConfBaseException):  # each job says what is wrong with its folders
            sweep_leftovers_of(config.paths)
