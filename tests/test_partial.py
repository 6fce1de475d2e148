"""Half-downloaded files: whose they are, and who goes on with them."""

import os
import time

import pytest

from bench.partial import FORGOTTEN_AFTER, Partial


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights" / "file.bin"


def test_leavings_of_the_living_are_left_alone_and_forgotten_ones_taken(path):
    first = Partial.claim(path)
    first.begin("url", "v")
    first.data.write_bytes(b"12345")
    second = Partial.claim(path)
    assert second.size == 0 and first.size == 5  # same host, and its process lives
    long_ago = time.time() - FORGOTTEN_AFTER - 60
    os.utime(first.data, (long_ago, long_ago))
    third = Partial.claim(path)
    assert third.size == 5 and third.version("url") == "v" and third.version("other") is None
    assert not first.folder.exists()


def test_the_largest_leaving_is_taken_and_the_others_go(path):
    partials = [Partial.claim(path) for _ in range(3)]
    for partial, size in zip(partials, (3, 7, 5), strict=True):
        partial.begin("url", None)
        partial.data.write_bytes(bytes(size))
    for partial in partials:
        partial.release()
    last = Partial.claim(path)
    assert last.size == 7 and list(path.parent.iterdir()) == [last.folder]
