"""Downloads from a real server on this machine: resumed, checked, whole or absent."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from file_server import FileServer

from bench import download as module
from bench.download import DownloadError, Patience, download
from bench.errors import StoreError
from bench.partial import Partial

DATA = np.random.default_rng(0).bytes(3_000_000)
CUT = 1_000_000
QUICK = Patience(connect=10, stall=30, attempts=2, pause=0.01)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = FileServer(DATA).start()
    yield server
    server.stop()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights" / "file.bin"


def right(path):
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = hashlib.sha256(DATA).hexdigest()
    return None if found == expected else f"has sha256 {found}, expected {expected}"


def fetch(server, path, patience=QUICK):
    return download(server.url, path, check=right, patience=patience)


def alone(path):
    """No partial file is left."""
    return [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_file_comes_whole_and_alone(server, path):
    assert fetch(server, path)
    assert path.read_bytes() == DATA and alone(path) and server.served == len(DATA)


def test_a_file_that_is_there_is_not_asked_for(server, path):
    path.parent.mkdir()
    path.write_bytes(b"mine")
    assert not fetch(server, path)
    assert path.read_bytes() == b"mine" and server.asked == []


def test_a_cut_is_resumed_where_it_was(server, path):
    server.cut = CUT
    assert fetch(server, path)
    assert path.read_bytes() == DATA and server.asked[0] is None
    resumed_at = int(server.asked[1].removeprefix("bytes=").rstrip("-"))
    assert CUT - module.PIECE <= resumed_at <= CUT
    assert server.served == CUT + len(DATA) - resumed_at  # no byte before the cut came twice


def test_what_a_failed_command_left_is_gone_on_with_by_the_next(server, path):
    server.cut, server.cuts = CUT, 1
    with pytest.raises(DownloadError, match=r"was cut 1 times .* are kept"):
        fetch(server, path, Patience(attempts=1))
    assert not path.exists()
    assert fetch(server, path)
    assert path.read_bytes() == DATA and alone(path)
    assert server.served <= len(DATA) + module.PIECE


def pauses(monkeypatch, *steps):
    """What happens in the pause before the second request, the third one, ..."""
    steps = iter(steps)
    clock = type("Clock", (), {"sleep": staticmethod(lambda _: next(steps)())})
    monkeypatch.setattr(module, "time", clock)


def test_a_network_that_goes_and_comes_back_is_a_cut_like_any_other(server, path, monkeypatch):
    server.cut, port = CUT, server.server.server_port
    pauses(monkeypatch, server.stop, int, lambda: server.start(port))  # two requests find nobody
    assert fetch(server, path, replace(QUICK, attempts=4))
    assert path.read_bytes() == DATA and alone(path)
    assert server.asked[1].startswith("bytes=") and len(server.asked) == 2


def test_a_network_that_stays_away_ends_after_all_requests_and_keeps_what_came(
    server, path, monkeypatch
):
    server.cut, port = CUT, server.server.server_port
    pauses(monkeypatch, server.stop, int, int, int)
    told = r"was cut 5 times \(last: cannot be reached: .* of it are kept: the same command"
    with pytest.raises(DownloadError, match=told) as error:
        fetch(server, path, replace(QUICK, attempts=5))
    server.start(port)
    assert "\n" not in str(error.value) and fetch(server, path)
    assert path.read_bytes() == DATA and server.asked[1].startswith("bytes=")


def test_no_network_after_a_busy_server_is_a_cut_of_which_nothing_is_kept(
    server, path, monkeypatch
):
    server.status = 503
    pauses(monkeypatch, server.stop)
    with pytest.raises(DownloadError, match=r"was cut 2 times .*; nothing of it has come"):
        fetch(server, path)
    assert list(path.parent.iterdir()) == []
    server.start()


def test_a_server_that_ignores_range_starts_again(server, path):
    server.cut, server.ranges = CUT, False
    assert fetch(server, path)
    assert path.read_bytes() == DATA and server.served == CUT + len(DATA)


def test_a_server_without_a_version_is_not_trusted_to_resume(server, path):
    server.cut, server.tag = CUT, None
    assert fetch(server, path)
    assert path.read_bytes() == DATA and server.asked == [None, None]


def test_a_file_that_changed_on_the_server_starts_again(server, path):
    server.data, server.cut = bytes(len(DATA)), CUT
    with pytest.raises(DownloadError):
        fetch(server, path, Patience(attempts=1))
    server.data, server.tag = DATA, '"v2"'
    assert fetch(server, path)
    assert path.read_bytes() == DATA


def test_a_damaged_leaving_costs_one_more_download_and_no_more(server, path):
    partial = Partial.claim(path)
    partial.begin(server.url, server.tag)
    partial.data.write_bytes(bytes(CUT))  # as a disk that lost what was not synced
    partial.release()
    assert fetch(server, path)
    assert path.read_bytes() == DATA and server.asked == [f"bytes={CUT}-", None]


def test_a_leaving_that_is_whole_gets_its_name(server, path):
    partial = Partial.claim(path)
    partial.begin(server.url, server.tag)
    partial.data.write_bytes(DATA)
    partial.release()
    assert fetch(server, path)
    assert path.read_bytes() == DATA and server.served == 0


def test_another_file_is_refused_with_both_hashes_and_nothing_stays(server, path):
    server.data = DATA[:-1] + b"x"
    found, expected = (hashlib.sha256(data).hexdigest() for data in (server.data, DATA))
    with pytest.raises(DownloadError, match=f"has sha256 {found}, expected {expected}"):
        fetch(server, path)
    assert list(path.parent.iterdir()) == [] and len(server.asked) == 1


def test_a_server_that_stalls_is_left_in_bounded_time(server, path):
    server.stall = 60
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"was cut 2 times .*timed out"):
        fetch(server, path, replace(QUICK, stall=0.5))
    assert time.monotonic() - started < 30 and not path.exists()


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (503, 2), (429, 2)])
def test_a_refusal_is_named_and_only_a_busy_server_is_asked_again(server, path, status, requests):
    server.status = status
    with pytest.raises(DownloadError, match=f"HTTP {status}"):
        fetch(server, path)
    assert len(server.asked) == requests and list(path.parent.iterdir()) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://no.such.host.invalid/x", "no url"])
def test_no_network_is_one_line_at_once(path, url, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(DownloadError, match="cannot be reached: ") as error:
        download(url, path, check=right, patience=QUICK)
    assert url in str(error.value) and "\n" not in str(error.value)
    assert list(path.parent.iterdir()) == []


class Answer:
    def __init__(self, url, *history):
        self.url, self.history = url, history

    def close(self):
        pass


@pytest.mark.parametrize(
    "answer",
    [
        Answer("http://elsewhere/x", Answer("https://example.org/x")),
        Answer("https://there/x", Answer("https://example.org/x"), Answer("http://elsewhere/x")),
    ],
    ids=["at its end", "on the way"],
)
def test_a_redirect_out_of_encryption_is_refused(path, monkeypatch, answer):
    monkeypatch.setattr(module.requests, "get", lambda *_, **__: answer)
    with pytest.raises(DownloadError, match="leads to http://elsewhere/x, which is not encrypted"):
        download("https://example.org/x", path, check=right)


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), ("", None), ("-1", None), ("9" * 5000, None)]
)
def test_a_length_that_no_file_has_is_none(text, number):
    assert module._number(text) == number


def test_too_little_room_is_named_before_a_byte_comes(server, path, monkeypatch):
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match=r"3\.0 MB are needed, 1\.0 MB are free.*SALON_HOME"):
        fetch(server, path)


def test_a_full_disk_is_named_and_what_came_is_kept(server, path, monkeypatch):
    write, left = module._write, [CUT]

    def full(call, argument, partial):
        left[0] -= len(argument) if isinstance(argument, bytes) else 0
        if left[0] < 0:
            call = raising(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        write(call, argument, partial)

    monkeypatch.setattr(module, "_write", full)
    with pytest.raises(StoreError, match=f"cannot write {path}: No space left on device"):
        fetch(server, path)
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert not path.exists() and fetch(server, path)
    assert server.asked[1] is not None and path.read_bytes() == DATA


def raising(error):
    def call(_):
        raise error

    return call


def test_a_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "weights").write_bytes(b"")
    with pytest.raises(StoreError, match=r"cannot write into .*weights"):
        fetch(server, tmp_path / "weights" / "file.bin")


PROGRAM = """
import hashlib, signal, sys
from pathlib import Path
from bench.download import download
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored
url, path, expected = sys.argv[1:]
def check(path):
    return None if hashlib.sha256(path.read_bytes()).hexdigest() == expected else "is wrong"
print(download(url, Path(path), check=check))
"""


def process(server, path):
    words = [server.url, str(path), hashlib.sha256(DATA).hexdigest()]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_processes_at_once_end_with_one_whole_file(server, path):
    server.pace = 0.01
    racers = [process(server, path) for _ in range(3)]
    said = [racer.communicate(timeout=120)[0].strip() for racer in racers]
    assert path.read_bytes() == DATA and alone(path)
    assert [racer.returncode for racer in racers] == [0, 0, 0] and said.count("True") == 1


def arrived(path):
    """Bytes on the disk: the server also counts those that are on their way."""
    return sum(data.stat().st_size for data in path.parent.glob(".part-*/data"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_is_resumed_by_the_next_command(server, path, number):
    server.pace = 0.05
    victim = process(server, path)
    deadline = time.monotonic() + 60
    while arrived(path) < CUT and time.monotonic() < deadline:
        time.sleep(0.02)
    victim.send_signal(number)
    victim.wait()
    assert not path.exists()
    server.pace = 0
    assert fetch(server, path)
    assert path.read_bytes() == DATA and alone(path)
    assert int(server.asked[-1].removeprefix("bytes=").rstrip("-")) >= CUT
