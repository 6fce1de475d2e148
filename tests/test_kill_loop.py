"""Four random kills; tests/faults/kill_loop.py by hand does a hundred."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_sweep_that_is_killed_four_times_ends_with_the_same_scores():
    script = Path(__file__).parent / "faults/kill_loop.py"
    words = [sys.executable, str(script), "--moments", "4", "--longest", "5"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0 and "every claim holds" in done.stdout, done.stdout + done.stderr
