"""Files are whole or absent."""

import os
import signal
import subprocess
import sys
import time

import pytest

from bench.atomic import TEMPORARY, create_file, replace_by, replace_file
from bench.errors import StoreError


def test_create_file_makes_a_file_once_and_never_overwrites(tmp_path):
    path = tmp_path / "runs" / "a.json"
    assert create_file(path, b"first")
    assert not create_file(path, b"second")
    assert path.read_bytes() == b"first"


def test_replace_file_overwrites(tmp_path):
    replace_file(tmp_path / "a", b"first")
    replace_file(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"second"


def test_nothing_temporary_is_left(tmp_path):
    create_file(tmp_path / "a", b"1")
    create_file(tmp_path / "a", b"2")
    replace_file(tmp_path / "a", b"3")
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt])
def test_a_writer_that_fails_half_way_leaves_the_old_file_and_no_stump(reason, tmp_path):
    def write(file):
        file.write(b"half")
        raise reason

    replace_file(tmp_path / "a", b"old")
    with pytest.raises(reason):
        replace_by(tmp_path / "a", write)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"old"]


def test_a_file_size_limit_leaves_no_stump_and_says_so(tmp_path):
    code = f"""
import resource, signal
from pathlib import Path
from bench.atomic import create_file
from bench.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    create_file(Path({str(tmp_path)!r}) / "big", b"x" * 5000)
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "cannot write" in done.stdout and "big" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/below"):
        create_file(tmp_path / "file" / "below", b"x")


def test_a_killed_writer_leaves_whole_files_only(tmp_path):
    code = f"""
from pathlib import Path
from bench.atomic import replace_file
for turn in range(10**6):
    replace_file(Path({str(tmp_path)!r}) / "a", bytes([turn % 256]) * 300_000)
"""
    for wait in (0.4, 0.5, 0.63, 0.77):
        (tmp_path / "a").unlink(missing_ok=True)  # else it would be killed before it writes
        process = subprocess.Popen([sys.executable, "-c", code])
        deadline = time.monotonic() + 60
        while not (tmp_path / "a").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(wait / 4)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        data = (tmp_path / "a").read_bytes()
        assert len(data) == 300_000 and len(set(data)) == 1
    others = [file.name for file in tmp_path.iterdir() if file.name != "a"]
    assert all(name.startswith(TEMPORARY) for name in others)
