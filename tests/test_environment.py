"""What a record says of the process that made it."""

import subprocess
import sys

PARENT = """
import subprocess, sys
held = b"x" * 2**30
own = "from bench.environment import peak_memory_mb; print(peak_memory_mb())"
print(subprocess.run([sys.executable, "-c", own], capture_output=True, check=True).stdout.decode())
"""


def test_the_peak_is_the_processs_own_and_not_that_of_what_launched_it():
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True)
    assert 10 < int(done.stdout) < 1000, done.stderr
