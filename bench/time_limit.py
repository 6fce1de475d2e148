"""Submitit's time limit, under Hydra's launcher, as something that no `except Exception` swallows.

Submitit raises a RuntimeError inside the code that it runs. Around a damaged file, a metric or a
mirror that would be one more failure, and the job would be killed without a word a minute later.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeGuard

from bench.termination import Terminated, say_last_words

Handler = Callable[[int, FrameType | None], Any]
RESUMABLE = 75  # exit code
TIME_IS_UP = "UncompletedJobError"  # by name: submitit takes long to import
WARNINGS = (signal.SIGUSR2, signal.SIGUSR1)  # submitit's own choice, and users' usual other one


class TimeIsUp(Terminated):
    """The time limit; its cause is submitit's exception."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"its time limit was reached ({error})", RESUMABLE)


@contextmanager
def time_limit_is_told() -> Iterator[None]:
    """Around a job: what submitit raises ends the block, after the job's last words.

    Raises:
        UncompletedJobError: submitit's own, for submitit to see.
    """
    before = {int(number): signal.getsignal(number) for number in WARNINGS}
    theirs: dict[int, Handler] = {n: h for n, h in before.items() if _is_submitits(h)}

    def warned(number: int, frame: FrameType | None) -> None:
        try:
            theirs[number](number, frame)
        except Exception as error:
            if type(error).__name__ != TIME_IS_UP:
                raise
            raise TimeIsUp(error) from error

    for number in theirs:
        signal.signal(number, warned)
    try:
        yield
    except TimeIsUp as ending:
        say_last_words(ending)
        raise ending.__cause__ or ending from None
    finally:
        for number, handler in theirs.items():
            signal.signal(number, handler)


def _is_submitits(handler: object) -> TypeGuard[Handler]:
    return callable(handler) and str(getattr(handler, "__module__", "")).startswith("submitit.")
