"""Mirrors of finished records: they come second, and change no score and no exit code."""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench.build import build
from bench.public import public
from bench.report import Report

log = logging.getLogger(__name__)
MODES = ("online", "offline", "disabled")


@dataclass(frozen=True)
class NoTracking:
    """Records only."""

    def mirror(self, config: dict[str, Any], report: Report, run: str) -> None:
        """Nothing to do."""


@dataclass(frozen=True)
class Wandb:
    """Weights & Biases.

    Attributes:
        project: its project there.
        mode: online, offline or disabled.
        group: name shared by the runs of a sweep; None takes the run folder's.
        folder: where offline runs are kept.
        timeout: seconds to wait for the server, at most.
    """

    project: str = "salon"
    mode: str = "offline"
    group: str | None = None
    folder: str = "results/logs"
    timeout: int = 20

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode: found {self.mode!r}, expected one of {', '.join(MODES)}.")

    def mirror(self, config: dict[str, Any], report: Report, run: str) -> None:
        """One wandb run per job: config, scores as summary, the first images."""
        import wandb  # late: half a second that runs without tracking need not pay

        Path(self.folder).mkdir(parents=True, exist_ok=True)
        settings = wandb.Settings(
            init_timeout=self.timeout, silent=True, console="off", x_disable_stats=True
        )
        with wandb.init(
            project=self.project,
            mode=self.mode,  # type: ignore[arg-type]
            group=self.group or run,
            dir=self.folder,
            job_type="score",
            config=config,
            settings=settings,
        ) as tracked:
            for line in report.lines:
                for score, value in line.scores.items():
                    tracked.summary[f"{line.backbone}/{line.metric}.{score}"] = value
            for picture in sorted(_grids(report))[:1]:
                tracked.log({"images": wandb.Image(str(picture))})


def mirror(config: DictConfig, report: Report, folder: Path) -> None:
    """Hand a job's report to the tracking of its config; trouble there is one warning line."""
    try:
        tracker = build(config.tracking, "tracking")
        shown = {
            node: public(config[node])
            for node in ("dataset", "generator", "sampler", "backbone", "metrics", "protocol")
        }
        tracker.mirror(
            {**shown, "seed": config.seed}, report, os.environ.get("SALON_SWEEP", folder.name)
        )
    except Exception as error:  # whatever a mirror does, the records are stored
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        log.warning("tracking failed (%s); the records are stored", first)


def _grids(report: Report) -> set[Path]:
    found = set()
    for line in report.lines:
        if line.record:
            artifacts = json.loads(Path(line.record).read_text())["artifacts"]
            if "grid" in artifacts:
                found.add(Path(line.record).parent / artifacts["grid"])
    return found
