"""SIGTERM and SIGHUP end a command politely; a job ends even where the politeness is lost.

Python runs a signal's handler between two byte codes of the main thread. What it raises there can
be lost (in a destructor, in a callback from C, in a library's bare `except`), and a long call into
C delays it. So a job has a thread that the signal wakes from C, and that ends it seconds later.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 5.0  # with the next less than the launchers' own, so that last words are said
SAYING_SECONDS = 3.0  # for a slow disk


class Terminated(BaseException):
    """Something outside asked us to stop; finished cells are kept.

    Attributes:
        code: the exit code that it stands for.
    """

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


def by_signal(number: int) -> Terminated:
    """What the signal raises."""
    return Terminated(f"the job was ended by {signal.Signals(number).name}", 128 + number)


class _State:
    """Of this process: what was asked, whether a thread sees to it, what is to be said last."""

    asked: int | None = None
    watched = False
    last_words: Callable[[Terminated], None] | None = None
    saying = threading.Lock()


def raise_on_signals() -> None:
    """From now on SIGTERM and SIGHUP raise `Terminated` in the main thread.

    Until then they end the process at once, which no `except` around an import can hinder. A
    hang-up that is ignored already (nohup) stays ignored.
    """
    for number in ENDING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def end_for_sure(seconds: float = GRACE_SECONDS) -> None:
    """Beside `raise_on_signals`, for a process with no children of its own to end.

    Args:
        seconds: from the signal to the end, whatever the main thread does.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    _State.watched = True
    threading.Thread(target=_see_to_it, args=(reader, seconds), daemon=True).start()


def at_the_end(say: Callable[[Terminated], None]) -> None:
    """What is to be called, once, with the reason; a new one takes the place of an earlier one."""
    _State.last_words = say


def say_last_words(ending: Terminated) -> None:
    """Leave the reason where the job was told to; nothing that fails there matters any more."""
    with _State.saying:
        _say(ending)


def _say(ending: Terminated) -> None:
    say, _State.last_words = _State.last_words, None
    with suppress(Exception):
        if say is not None:
            say(ending)


def insist() -> None:
    """Raise again what was asked for and lost; loops that wait for others call it."""
    if _State.asked is not None:
        raise by_signal(_State.asked)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A further Ctrl-C, SIGTERM or SIGHUP breaks nothing off that must be done before the end."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, *ENDING)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    again, _State.asked = _State.asked is not None, number
    if not (again and _State.watched):  # a second one must not disturb the last words
        raise by_signal(number)


def _see_to_it(reader: int, seconds: float) -> None:
    while (number := os.read(reader, 1)[0]) not in ENDING:
        pass
    time.sleep(seconds)
    if _State.saying.acquire(timeout=SAYING_SECONDS):  # the main thread may be at it just now
        _say(by_signal(number))
    os._exit(128 + number)
