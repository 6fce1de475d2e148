"""The files beside the records as wandb shows them: tables, pictures, histograms, curves."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import wandb

from bench.leaderboard.beside import TEXT, table
from bench.wandb_run import SCORE_HEADS, WandbRun

BINS = 64


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
    for name, frame in _read(run.tables):
        shown |= _per_image(name, frame, rows)
    for name, frame in _read(run.curves):
        shown |= _curve(name, frame)
    return shown


def _per_image(name: str, table: pd.DataFrame, rows: int) -> dict[str, Any]:
    """The first rows of each side as a table; of all rows one histogram per score and side."""
    shown = table[[head for head in table if not head.endswith("_influence")]]
    scores = [head for head in shown if head not in TEXT]
    if not scores:
        return {}
    first = shown.groupby("side", sort=False).head(rows)
    return {f"per_image/{name}": _table(first)} | {
        f"histogram/{name}.{head}.{side}": wandb.Histogram(np_histogram=np.histogram(values, BINS))
        for side, members in shown.groupby("side")
        for head in scores
        if len(values := _finite(members[head]))
    }


def _curve(name: str, table: pd.DataFrame) -> dict[str, Any]:
    """Every further column over the first one."""
    x, *others = table.columns
    return {
        f"curve/{name}.{y}": wandb.plot.line(_table(table[[x, y]]), x, y, title=name)
        for y in others
    }


def _read(paths: Mapping[str, str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and content; no deleted files, for they only ever lay beside the record."""
    for name, path in paths.items():
        if Path(path).is_file():
            yield name, table(Path(path).read_bytes())


def _table(frame: pd.DataFrame) -> wandb.Table:
    plain = frame.astype(object).where(frame.notna(), None)
    return wandb.Table(list(frame.columns), plain.to_numpy().tolist())


def _finite(column: pd.Series) -> np.ndarray:
    """Infinities and gaps have no place in a histogram."""
    values = column.to_numpy(np.float64)
    return values[np.isfinite(values)]
