"""Shared fixtures: a home of its own for every test, and a way to type commands."""

import gc
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from bench.termination import ENDING, _State

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores: one thread each
    os.environ.setdefault("OMP_NUM_THREADS", "1")

TOGETHER = ("cluster", "browser")  # fixtures that are dear, or that would load the machine twice


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """With `-n 2 --dist loadgroup`: a file stays on one worker, and so does all of SLURM."""
    for item in items:
        dear = [name for name in TOGETHER if name in item.fixturenames]
        item.add_marker(pytest.mark.xdist_group(dear[0] if dear else item.path.name))


LARGE = 50 * 1024**2  # bytes
FOREIGN = re.compile(r"(SALON|WANDB|SLURM|SBATCH|SQUEUE|SUBMITIT)_|.*_proxy\Z", re.IGNORECASE)


def pytest_configure():
    """For fixtures of modules, too, no variable of the user's is there."""
    for name in filter(FOREIGN.match, list(os.environ)):
        del os.environ[name]


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """No test reads or fills the user's cache, or hears what else the user's variables say."""
    for name in filter(FOREIGN.match, list(os.environ)):  # as an earlier test may have left them
        monkeypatch.delenv(name)
    monkeypatch.setenv("SALON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    yield
    for folder, _, names in os.walk(tmp_path):
        for path in (Path(folder) / name for name in names):
            with suppress(OSError):  # of three runs they would fill a disk
                if path.lstat().st_size > LARGE:
                    path.unlink()


@pytest.fixture(autouse=True)
def own_signals():
    """What a command typed in this process sets for all of it ends with the test.

    Else the thread by which a job surely ends would, at a later test's signal, end the tests.
    """
    numbers = (*ENDING, signal.SIGINT)
    handlers = {number: signal.getsignal(number) for number in numbers}
    thresholds, state = gc.get_threshold(), dict(vars(_State))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` has it ignored
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    logging.raiseExceptions = True
    for name in ("asked", "watched", "last_words"):
        setattr(_State, name, state[name])


@pytest.fixture
def salon(tmp_path):
    """Types `salon ...` in a folder of its own; gives the finished process."""

    def run(*words, timeout=240, **environment):
        return subprocess.run(
            [sys.executable, "-m", "bench", *words],
            cwd=tmp_path,
            env=os.environ | {"PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"} | environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    return run


@pytest.fixture(scope="module")
def cluster():
    """A SLURM of its own for every file of tests that asks for one."""
    from slurm_cluster import SlurmCluster

    folder = Path(tempfile.mkdtemp(prefix="salon-slurm-"))  # munge wants its parents readable
    started = SlurmCluster(folder)
    started.start()
    yield started
    started.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Debian's chromium, for the tests of the page."""
    import chromium

    pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not (chromium.BROWSER and chromium.DRIVER):
        pytest.skip("no browser: apt install chromium chromium-driver")
    started = chromium.started(tmp_path_factory.mktemp("profile"))
    yield started
    started.quit()


@pytest.fixture(scope="session")
def whole_page(tmp_path_factory):
    """The path of a page with something of everything; no test writes there."""
    from made_page import made_page

    return made_page(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def measure(tmp_path):
    """Runs one job in this process: words of `salon score` -> (job, report)."""
    from bench.composed import composed
    from bench.deviations import deviations
    from bench.job import run
    from bench.prepare import prepare

    def job(*words):
        config = composed("score", [f"paths.results={tmp_path / 'results'}", *words])
        prepared = prepare(config)
        protocol = next((w.split("=")[1] for w in words if w.startswith("protocol=")), "salon")
        return prepared, run(prepared, config, deviations(config, protocol=protocol))

    return job


@pytest.fixture
def small():
    """Words that make a job small: 120 real and 100 fake images at 32 px."""
    return [
        "backbone=[resnet18_random]",
        "backbone.resnet18_random.resolution=32",
        "protocol.num_real=120",
        "protocol.num_fake=100",
    ]
