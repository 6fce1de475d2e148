"""The command `salon`: finds the verb, runs it, makes an exit code of every ending."""

import gc
import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

from bench.errors import ConfigError, SalonError, StoreError
from bench.printable import printable
from bench.similar import did_you_mean
from bench.termination import Terminated, end_for_sure, raise_on_signals, say_last_words

VERBS = {
    "score": ("bench.score:main", "score one generator, or with -m a sweep of them"),
    "sweep": ("bench.sweep:main", "run an experiment file: plan, resume, one process per job"),
    "status": ("bench.status:main", "how a sweep stands, from its files alone"),
    "extract": ("bench.extract:main", "compute features ahead of scoring, whole or in shards"),
    "leaderboard": ("bench.board:main", "make the tables and the page from records alone"),
    "track": ("bench.track:main", "mirror records to Weights & Biases, also later"),
    "reproduce": ("bench.reproduce:main", "measure one record's cell again, and compare"),
    "fetch": ("bench.fetch:main", "download published weights, resumed and checked"),
    "verify": ("bench.verify:main", "compare records with the values that others published"),
    "list": ("bench.listing:main", "what datasets, generators, backbones, metrics there are"),
    "statistics": (
        "bench.statistics:main",
        "write a dataset's mean and covariance for other tools",
    ),
    "train": ("bench.train:main", "train the small GAN that the demo scores"),
}

JOBS = ("score", "extract")  # verbs that are ended with nothing left to do
SELDOM = (50_000, 20, 50)  # collections, where what is made lives to the command's end

HELP = """salon - score image generators, and trust every digit

Usage: salon VERB [group=choice ...] [key=value ...]

Verbs:
{verbs}

First steps:
  salon score                                         digits against held-out digits
  salon score dataset=cifar10 generator=folder generator.path=my_samples/
  salon sweep experiment=demo paths.results=results/local
  salon leaderboard paths.results=results/local name=demo

salon VERB --help says more; `debug=true` shows tracebacks.
"""


def main(words: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    words = list(sys.argv[1:] if words is None else words)
    debug = "debug=true" in [word.lower() for word in words]
    logging.raiseExceptions = debug  # else a closed pipe is a traceback per line
    code = _run(words, debug=debug)
    sys.exit(_flushed() or code)


def _flushed() -> int:
    """0, or a code where output is lost, as on a full disk; else Python's own end would be 120."""
    code = 0
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = StoreError.code
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return code


def _run(words: list[str], *, debug: bool) -> int:
    try:
        return _verb(words)
    except SalonError as error:
        return _failed(error, error.code, debug)
    except KeyboardInterrupt:
        return _told("interrupted; the same command goes on from here", 130)
    except Terminated as ending:
        say_last_words(ending)
        return _told("terminated; the same command goes on from here", ending.code)
    except BrokenPipeError:  # salon ... | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _failed(error, StoreError.code, debug, f"{error.strerror}{where}")
    except Exception as error:  # a bug: one line for the user, the traceback on request
        text = f"{type(error).__name__}: {error}; a bug in salon, debug=true shows where"
        return _failed(error, SalonError.code, debug, text)


def _verb(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        width = max(map(len, VERBS))
        verbs = "\n".join(f"  {verb.ljust(width)}  {line}" for verb, (_, line) in VERBS.items())
        print(HELP.format(verbs=verbs), end="")
        return 0
    verb, *rest = words
    if verb not in VERBS:
        raise ConfigError(f"{did_you_mean(verb, VERBS)} See salon --help.")
    module, _, function = VERBS[verb][0].partition(":")
    run = getattr(importlib.import_module(module), function)  # a signal just ends us meanwhile
    raise_on_signals()
    gc.freeze()  # modules are never garbage; looking at them again is a tenth of a plan's time
    if verb in JOBS:
        end_for_sure()
    else:
        gc.set_threshold(*SELDOM)
    return run(rest)


def _failed(error: Exception, code: int, debug: bool, text: str = "") -> int:
    if debug:
        traceback.print_exception(error)
    return _told(f"error: {' '.join((text or str(error)).split())}", code)


def _told(text: str, code: int) -> int:
    with suppress(OSError):  # a log on a full disk
        print(printable(text), file=sys.stderr)
    return code
