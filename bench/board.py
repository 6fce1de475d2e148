"""`salon leaderboard`: reads its config and hands over to bench.leaderboard."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.composed import composed
from bench.leaderboard.command import run

HELP = """salon leaderboard - CSV, Markdown, JSON and one HTML page, from records alone

  salon leaderboard paths.results=DIR paths.leaderboards=OUT name=NAME

  paths.results        the folder that holds runs/              (results)
  paths.leaderboards   where NAME.csv .md .json .html go        (results/leaderboards)
  name                 of the files                             (leaderboard)
  compare              another results folder: print measured minus that, exit 8 beyond tolerance
  strict               true: exit 8 if a damaged or foreign record was left out   (false)
"""


def main(words: Sequence[str]) -> int:
    """Run `salon leaderboard WORDS`; returns the exit code."""
    if {"-h", "--help"} & set(words):
        print(HELP, end="")
        return 0
    config = composed("leaderboard", words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    return run(
        results=Path(config.paths.results),
        out=Path(config.paths.leaderboards),
        name=config.name,
        strict=config.strict,
        compare=None if config.compare is None else Path(config.compare),
    )
