"""Signals that wait until what must not be broken off has been done.

A mask does not hold them: it is of one thread, and numpy may have started others. The kernel gives
the signal to any of them, and Python runs the handler in the main thread all the same.
"""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def held(numbers: Iterable[signal.Signals]) -> Iterator[None]:
    """Within the block the signals do nothing; at its end those that came do what they did before.

    If that raises, those behind it are dropped. What is ignored stays so, for children inherit it.
    To be called in the main thread.
    """
    holding = _Holding()
    try:
        for number in numbers:
            holding.take(number)
        yield
    finally:
        holding.over = True
        for number, handler in holding.before.items():
            signal.signal(number, handler)
        for came in holding.came:
            signal.raise_signal(came)


class _Holding:
    """The handler meanwhile, and for as long as the earlier ones are not all back."""

    def __init__(self) -> None:
        self.before: dict[signal.Signals, Any] = {}
        self.came: list[int] = []
        self.over = False

    def take(self, number: signal.Signals) -> None:
        """Known before it is taken: another signal may raise in between."""
        if signal.getsignal(number) != signal.SIG_IGN:
            self.before[number] = signal.getsignal(number)
            signal.signal(number, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.over:
            signal.signal(number, self.before[signal.Signals(number)])
            signal.raise_signal(number)
        else:
            self.came.append(number)


class Noted:
    """Signals that came since `begin`, whichever handlers other code has set in the meantime.

    Python's own C handler notes them, before it looks for one of ours.
    """

    def __init__(self) -> None:
        self.reader: int | None = None

    def begin(self, number: signal.Signals) -> None:
        """From now on; the signal itself does nothing until somebody gives it a handler."""
        self.reader, writer = os.pipe()
        for end in (self.reader, writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(number, lambda *_: None)

    def came(self, number: signal.Signals) -> bool:
        """Whether it did; False where nobody has begun. Forgets all that it noted."""
        if self.reader is None:
            return False
        try:
            return number in os.read(self.reader, 4096)
        except BlockingIOError:
            return False
