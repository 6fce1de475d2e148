"""What the tests rely on: where they run, and that none changes the process of another."""

import signal

import pytest

from bench.cli import main


def test_a_file_stays_on_one_worker(request):
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("not under --dist loadgroup")
    assert request.node.nodeid.endswith(f"@{request.path.name}")


@pytest.fixture(scope="module")
def handlers():
    """As they are before any of these tests; fixtures of every test restore them."""
    return signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM)


def test_a_job_typed_in_this_process_takes_its_signals(handlers):
    with pytest.raises(SystemExit):
        main(["extract", "--help"])
    descriptor = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    assert descriptor != -1 and signal.getsignal(signal.SIGTERM) != handlers[1]


def test_and_gives_them_back_at_its_end(handlers):
    assert signal.set_wakeup_fd(-1) == -1
    assert (signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGTERM)) == handlers
