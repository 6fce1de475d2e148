"""What a progress line says."""

import io
import sys

import bench.progress
from bench.progress import Progress


def at(monkeypatch, seconds):
    monkeypatch.setattr(bench.progress.time, "monotonic", lambda: seconds)


def test_a_line_tells_how_far_how_fast_and_how_long(monkeypatch):
    at(monkeypatch, 0)
    progress = Progress("features", 50_000)
    at(monkeypatch, 40)
    progress.done = 12_400
    assert progress.line() == "features 12400/50000, 310 images/s, 2 min left"


def test_what_was_there_already_does_not_make_the_rate(monkeypatch):
    at(monkeypatch, 0)
    progress = Progress("features", 3_000)
    progress.skip(2_000)
    at(monkeypatch, 10)
    progress.advance(100)
    assert progress.line() == "features 2100/3000, 10 images/s, 2 min left"


def test_lines_appear_every_30_seconds_where_there_is_no_terminal(monkeypatch, caplog):
    caplog.set_level("INFO")
    at(monkeypatch, 0)
    progress = Progress("features", 100)
    for second in range(0, 100, 10):
        at(monkeypatch, second)
        progress.advance(1)
    assert [record.message.split(",")[0] for record in caplog.records] == [
        "features 5/100",
        "features 9/100",
    ]


class Terminal(io.StringIO):
    """Standard error as a terminal, and the clock of whoever looks at it."""

    def __init__(self, monkeypatch):
        super().__init__()
        self.seconds = 0
        monkeypatch.setattr(sys, "stderr", self)
        monkeypatch.setattr(bench.progress.time, "monotonic", lambda: self.seconds)
        monkeypatch.setattr("tqdm.std.time", lambda: self.seconds)

    def isatty(self):
        return True

    @property
    def newest(self):
        """What stands there last."""
        return self.getvalue().rpartition("\r")[2].strip()


def test_a_terminal_has_a_bar_with_rate_and_time_left_that_goes_at_the_end(monkeypatch, caplog):
    caplog.set_level("INFO")
    terminal = Terminal(monkeypatch)
    progress = Progress("features", 100)
    terminal.seconds = 40
    progress.advance(40)
    assert terminal.newest.startswith("features:  40%|")
    assert terminal.newest.endswith("| 40/100 [00:40<01:00,  1.00 images/s]")
    assert not caplog.records
    progress.close()
    assert terminal.newest == ""


def test_what_was_there_already_moves_the_bar_and_not_its_rate(monkeypatch):
    terminal = Terminal(monkeypatch)
    progress = Progress("features", 3_000)
    progress.skip(2_000)
    terminal.seconds = 10
    progress.advance(100)
    assert terminal.newest.endswith("| 2100/3000 [00:10<01:30, 10.00 images/s]")
    progress.close()
