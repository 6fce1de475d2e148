"""A file system of a few megabytes, in memory, that a test can fill to the last byte."""

import errno
import subprocess
from contextlib import contextmanager

import pytest


class SmallDisk:
    """Mounted at `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self.filler = folder / "filler"

    def fill(self):
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def free(self):
        self.filler.unlink()


@contextmanager
def small_disk(folder, megabytes=8):
    """Skips the test where one may not mount."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
