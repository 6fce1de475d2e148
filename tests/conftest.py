"""Shared fixtures: a home of its own for every test, and a way to type commands."""

import os
import subprocess
import sys

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("SALON_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SALON_ALLOW_TARGETS", raising=False)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


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
