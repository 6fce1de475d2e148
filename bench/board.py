"""`salon leaderboard`: reads its config and hands over to bench.leaderboard."""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from bench.build import resolved
from bench.composed import composed
from bench.errors import ConfigError
from bench.leaderboard.command import Request, run
from bench.leaderboard.composite import Composite

HELP = """salon leaderboard - CSV, Markdown, LaTeX, JSON and one HTML page, from records alone

  salon leaderboard paths.results=DIR paths.leaderboards=OUT name=NAME

  paths.results        the folder that holds runs/              (results)
  paths.leaderboards   where NAME.csv .wide.csv .md .tex .json .html go   (results/leaderboards)
  name                 of the files                             (leaderboard)
  check                true: write nothing, exit 8 unless the files are what the records give
  compare              another results folder: print measured minus that, exit 8 beyond tolerance
  compare=published    measured minus published, where the protocol fits
  published            true: published values beside the measured rows, marked, never ranked
  plots                true: every figure as PNG and PDF in NAME.plots
  composite.borda      true: a column of Borda points
  composite.normalise  minmax or zscore: a column of the mean of the scores;
                       composite.weights.fid.fid=2 weighs them
  strict               true: exit 8 if a damaged record or file beside one was left out   (false)
"""
WEIGHTS = ("composite.weights.", "composite.weights=")


def main(words: Sequence[str]) -> int:
    """Run `salon leaderboard WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    # which columns there are only the records know, so no yaml lists the keys of their weights
    config = composed("leaderboard", [f"++{w}" if w.startswith(WEIGHTS) else w for w in words])
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    return run(_request(config))


def _request(config: DictConfig) -> Request:
    for name in ("strict", "check", "plots", "published"):
        if not isinstance(config[name], bool):
            raise ConfigError(f"{name}={config[name]}: expected true or false.")
    return Request(
        results=Path(config.paths.results),
        out=Path(config.paths.leaderboards),
        name=str(config.name),
        strict=config.strict,
        compare=config.compare,
        check=config.check,
        plots=config.plots,
        published=config.published,
        published_folder=Path(config.published_folder),
        composite=_composite(resolved(config.composite, "composite")),
    )


def _composite(found: Mapping[str, Any]) -> Composite:
    if not isinstance(found["borda"], bool):
        raise ConfigError(f"composite.borda={found['borda']}: expected true or false.")
    weights = dict(_dotted(found["weights"] or {}))
    return Composite(found["borda"], found["normalise"], weights)


def _dotted(weights: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """fid: {fid: 2} as fid.fid: 2."""
    for name, value in weights.items():
        if isinstance(value, Mapping):
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
