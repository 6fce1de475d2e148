"""Signals wait for the end of a block, however many threads there are, and act there."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from bench.held_signals import Noted, held

NUMBERS = (signal.SIGTERM, signal.SIGUSR2)


class AskedToEndError(Exception):
    """What a handler raises here."""


@pytest.fixture
def heard():
    """Numbers for which the test's own handler was called."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    came = []
    for number in NUMBERS:
        signal.signal(number, lambda number, frame: came.append(number))
    yield came
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def second_thread():
    """The kernel may give a signal to it, which a mask of the main thread does not hinder."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield
    over.set()
    thread.join()


def sent(number):
    os.kill(os.getpid(), number)
    for _ in range(1000):  # Python runs handlers between byte codes
        pass


def test_a_signal_takes_effect_at_the_end_of_the_block(heard, second_thread):
    with held(NUMBERS):
        sent(signal.SIGTERM)
        assert heard == []
    assert heard == [signal.SIGTERM]
    sent(signal.SIGUSR2)
    assert heard == [signal.SIGTERM, signal.SIGUSR2]


def test_what_the_handler_raises_leaves_at_the_end_and_handlers_are_back(heard):
    def ends(number, frame):
        raise AskedToEndError

    signal.signal(signal.SIGTERM, ends)
    done = []
    with pytest.raises(AskedToEndError), held(NUMBERS):
        sent(signal.SIGTERM)
        done.append("all of it")
    assert done == ["all of it"] and signal.getsignal(signal.SIGTERM) is ends
    sent(signal.SIGUSR2)
    assert heard == [signal.SIGUSR2]


def test_a_handler_that_raises_while_others_are_being_taken_leaves_none_behind(heard, monkeypatch):
    """As SIGINT may, between two of them."""
    taken = signal.signal

    def interrupted(number, handler):
        before = taken(number, handler)
        if number == signal.SIGUSR2 and not isinstance(handler, type(heard.append)):
            monkeypatch.undo()
            raise AskedToEndError
        return before

    own = [signal.getsignal(number) for number in NUMBERS]
    monkeypatch.setattr(signal, "signal", interrupted)
    with pytest.raises(AskedToEndError), held(NUMBERS):
        pass
    assert [signal.getsignal(number) for number in NUMBERS] == own


def test_what_is_ignored_stays_so_for_children():
    script = (
        "import signal, subprocess, sys; from bench.held_signals import held;"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with held([signal.SIGHUP]): subprocess.run([sys.executable, '-c', "
        "'import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


def test_an_unhandled_signal_ends_the_process_after_the_block():
    script = (
        "import os, signal; from bench.held_signals import held\n"
        "with held([signal.SIGTERM]):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('done', flush=True)\n"
        "print('never')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "done\n" and done.returncode == -signal.SIGTERM


def test_a_signal_is_noted_whoever_takes_its_handler(heard, second_thread):
    noted = Noted()
    assert not noted.came(signal.SIGTERM)
    noted.begin(signal.SIGTERM)
    assert not noted.came(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append("theirs"))
    sent(signal.SIGTERM)
    assert heard == ["theirs"]
    assert noted.came(signal.SIGTERM) and not noted.came(signal.SIGTERM)
