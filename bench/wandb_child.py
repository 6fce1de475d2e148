"""The process that speaks to wandb: `python -m bench.wandb_child` with an order on stdin.

It is a process of its own because wandb hangs on a dead server, leaves threads behind and handles
signals; whoever started it may kill it at any moment, and loses nothing but the mirror.
"""

import json
import math
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import wandb

from bench.wandb_media import media
from bench.wandb_run import WandbRun


def main() -> None:
    """One line on stdout per run: {"done": id}, or {"trouble": why} and no more."""
    order = json.load(sys.stdin)
    answers = _own_stdout()
    try:
        for run in order["runs"]:
            signal.alarm(math.ceil(order["timeout"]) + 5)  # if nobody is left to kill us
            _track(WandbRun(**run), order)
            print(json.dumps({"done": run["id"]}), file=answers, flush=True)
        wandb.teardown()
    except Exception as error:  # told to the parent in one line
        told = (str(error).strip().splitlines() or [type(error).__name__])[0]
        print(json.dumps({"trouble": told}), file=answers, flush=True)
        os._exit(0)  # what wandb would still wait for is of no use


def _own_stdout() -> TextIO:
    """Answers go to the parent's pipe, and what wandb prints to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _track(run: WandbRun, order: Mapping[str, Any]) -> None:
    with wandb.init(
        id=run.id,
        resume="allow",
        name=run.name,
        group=run.group,
        job_type="score",
        tags=run.tags,
        config=run.config,
        project=order["project"],
        mode=order["mode"],
        dir=order["folder"],
        settings=_settings(order["timeout"]),
    ) as tracked:
        own = Path(tracked.dir).parent
        # `wandb sync` reads tables from here: by default a home that nodes may not share
        os.environ["WANDB_DATA_DIR"] = str(own / "data")
        tracked.summary.update(run.summary)
        tracked.log(media(run, order["rows"]))
    _drop_older(own, run.id)


def _settings(timeout: float) -> wandb.Settings:
    """No console, no code, no command line, no machine: the records' own words are enough."""
    return wandb.Settings(
        init_timeout=timeout,
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )


def _drop_older(own: Path, run: str) -> None:
    """An offline run of the same id holds nothing that this one does not."""
    for folder in own.parent.glob(f"offline-run-*-{run}"):
        if own.name.startswith("offline-") and folder.name < own.name:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
