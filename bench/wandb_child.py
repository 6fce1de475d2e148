"""The process that speaks to wandb: `python -m bench.wandb_child` with an order on stdin.

It is a process of its own because wandb hangs on a dead server, leaves threads behind and handles
signals; whoever started it may kill it at any moment, and loses nothing but the mirror.
"""

import csv
import json
import math
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import wandb

from bench.wandb_run import SCORE_HEADS, WandbRun

Row = dict[str, str]


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
        tracked.summary.update(run.summary)
        tracked.log(_media(run, order["rows"]))
        own = Path(tracked.dir).parent
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


def _media(run: WandbRun, rows: int) -> dict[str, Any]:
    """Everything in one step: the table of scores, pictures, per-image tables, plots."""
    media: dict[str, Any] = {"scores": wandb.Table(list(SCORE_HEADS), run.scores)}
    pictures = [path for path in run.pictures if Path(path).is_file()]
    if pictures:
        media["images"] = [wandb.Image(path, caption=run.name) for path in pictures]
    for name, path in run.tables.items():
        media |= _per_image(name, _read(path), rows)
    for name, path in run.curves.items():
        media |= _curve(name, _read(path))
    return media


def _per_image(name: str, lines: Sequence[Row], rows: int) -> dict[str, Any]:
    """The first rows of each side as a table; of all rows one histogram per score and side."""
    if not lines:
        return {}
    heads = [head for head in lines[0] if not head.endswith("_influence")]
    if heads == ["image", "side"]:
        return {}
    sides = {side: [line for line in lines if line["side"] == side] for side in ("real", "fake")}
    shown = [[_value(line[head]) for head in heads] for s in sides.values() for line in s[:rows]]
    return {f"per_image/{name}": wandb.Table(heads, shown)} | {
        f"histogram/{name}.{head}.{side}": wandb.Histogram(values)
        for side, members in sides.items()
        for head in heads[2:]
        if (values := list(_numbers(members, head)))
    }


def _curve(name: str, lines: Sequence[Row]) -> dict[str, Any]:
    """Every further column over the first one."""
    x, *others = lines[0] if lines else ["x"]
    points = {y: [[_value(line[x]), _value(line[y])] for line in lines] for y in others}
    return {
        f"curve/{name}.{y}": wandb.plot.line(wandb.Table([x, y], rows), x, y, title=name)
        for y, rows in points.items()
    }


def _read(path: str) -> list[Row]:
    """Nothing where the file was deleted: it only ever lay beside the record."""
    if not Path(path).is_file():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def _numbers(lines: Sequence[Row], head: str) -> Iterator[float]:
    """Names (of the nearest real image) and infinities have no histogram."""
    for line in lines:
        value = _value(line[head])
        if isinstance(value, float) and math.isfinite(value) and head != "nearest_real":
            yield value


def _value(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _drop_older(own: Path, run: str) -> None:
    """An offline run of the same id holds nothing that this one does not."""
    for folder in own.parent.glob(f"offline-run-*-{run}"):
        if own.name.startswith("offline-") and folder.name < own.name:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
