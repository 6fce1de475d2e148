"""Remembers which folder Hydra gave to the run or sweep that this process started."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from bench.report import FILE


@dataclass(frozen=True)
class Started:
    """A run of one job, or a multirun with one sub-folder per job."""

    folder: Path
    multirun: bool


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
        """A sweep."""
        folder = Path(config.hydra.sweep.dir).absolute()
        for report in folder.glob(f"*/{FILE}"):
            with suppress(OSError):
                report.unlink()
        RememberFolder.last = Started(folder, multirun=True)
