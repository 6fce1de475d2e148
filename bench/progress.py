"""Progress for people: a bar on a terminal, a plain line every 30 s elsewhere."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import ClassVar, TypeVar

from tqdm import tqdm

from bench.job_status import StatusFile

log = logging.getLogger(__name__)
Item = TypeVar("Item")
SECONDS_BETWEEN_LINES = 30.0


class Progress:
    """Counts towards a total and tells rate and time left.

    Args:
        what: one or two words, e.g. "features".
        total: how many units there will be.
        unit: plural of what is counted.

    Attributes:
        status: where the newest line is kept for `salon status`; None outside a job.
    """

    status: ClassVar[StatusFile | None] = None

    def __init__(self, what: str, total: int, unit: str = "images") -> None:
        self.what, self.total, self.unit = what, total, unit
        self.done = self.skipped = 0
        self.started = self.last_line = time.monotonic()
        terminal = sys.stderr.isatty()
        self.bar = tqdm(total=total, desc=what, unit=f" {unit}", disable=not terminal, leave=False)

    def advance(self, count: int) -> None:
        """Count some units as done."""
        self.bar.update(count)
        self._tell(count)

    def skip(self, count: int) -> None:
        """Count units that cost nothing: they move the bar and not the rate."""
        self.skipped += count
        if not self.bar.disable:
            self.bar.initial += count
            self.bar.n += count
            self.bar.last_print_n += count  # tqdm's rate is of what came since
            self.bar.refresh()
        self._tell(count)

    def _tell(self, count: int) -> None:
        self.done += count
        if Progress.status is not None:
            Progress.status.say(self.line())
        now = time.monotonic()
        if self.bar.disable and now - self.last_line > SECONDS_BETWEEN_LINES:
            self.last_line = now
            log.info(self.line())

    def reach(self, done: int, total: int) -> None:
        """So many units are done, of a total that is known only now."""
        self.total = self.bar.total = total
        self.advance(done - self.done)
        if done >= total:
            self.close()

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, each counted once it has been dealt with."""
        for item in items:
            yield item
            self.advance(1)
        self.close()

    def close(self) -> None:
        """Take the bar away."""
        self.bar.close()

    @property
    def rate(self) -> float:
        """Units per second so far, skipped ones left out."""
        return (self.done - self.skipped) / max(time.monotonic() - self.started, 1e-9)

    def line(self) -> str:
        """E.g. "features 12800/50000, 310 images/s, 2 min left"."""
        left = (self.total - self.done) / max(self.rate, 1e-9)
        spelt = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
        rate = f"{self.rate:.0f} {self.unit}/s"
        if self.rate < 1:
            rate = f"{60 * self.rate:.1f} {self.unit}/min"
        return f"{self.what} {self.done}/{self.total}, {rate}, {spelt} left"
