"""What a progress line says."""

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
