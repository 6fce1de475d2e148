"""The files beside the records as wandb shows them: tables, pictures, histograms, curves."""

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import wandb

from bench.wandb_run import SCORE_HEADS, WandbRun

Row = dict[str, str]
NAMES = ("image", "side", "nearest_real")  # columns of text, also where a name is a number


def media(run: WandbRun, rows: int) -> dict[str, Any]:
    """Everything in one step: the table of scores, pictures, per-image tables, plots.

    Args:
        run: what to show.
        rows: of each side in a per-image table, at most.

    Returns:
        Name -> a wandb.Table, Image, Histogram or plot.
    """
    shown: dict[str, Any] = {"scores": wandb.Table(list(SCORE_HEADS), run.scores)}
    pictures = [path for path in run.pictures if Path(path).is_file()]
    if pictures:
        shown["images"] = [wandb.Image(path, caption=run.name) for path in pictures]
    for name, path in run.tables.items():
        shown |= _per_image(name, _read(path), rows)
    for name, path in run.curves.items():
        shown |= _curve(name, _read(path))
    return shown


def _per_image(name: str, lines: Sequence[Row], rows: int) -> dict[str, Any]:
    """The first rows of each side as a table; of all rows one histogram per score and side."""
    if not lines:
        return {}
    heads = [head for head in lines[0] if not head.endswith("_influence")]
    scores = [head for head in heads if head not in NAMES]
    if not scores:
        return {}
    sides = {side: [line for line in lines if line["side"] == side] for side in ("real", "fake")}
    shown = [_shown(line, heads) for s in sides.values() for line in s[:rows]]
    return {f"per_image/{name}": wandb.Table([*heads], shown)} | {
        f"histogram/{name}.{head}.{side}": wandb.Histogram(values)
        for side, members in sides.items()
        for head in scores
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


def _shown(line: Row, heads: Sequence[str]) -> list[Any]:
    return [line[head] if head in NAMES else _value(line[head]) for head in heads]


def _numbers(lines: Sequence[Row], head: str) -> Iterator[float]:
    """Infinities and gaps have no place in a histogram."""
    for line in lines:
        value = _value(line[head])
        if isinstance(value, float) and math.isfinite(value):
            yield value


def _value(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text
