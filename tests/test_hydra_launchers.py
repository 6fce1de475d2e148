"""Hydra's own launchers: a killed job is missing and told, and the next run makes it."""

import os
import re
import sys

import pytest

from bench.atomic import TEMPORARY
from bench.records import read_record, record_paths

pytestmark = pytest.mark.slow
KILLER = """
import os, signal, torch
class Kills:
    resolution, num_classes = 8, 0
    def sample(self, seeds, labels=None, condition=None, pose=None):
        try:
            os.unlink("FOLDER/kill")  # one job alone succeeds
        except FileNotFoundError:
            noise = torch.stack([seed.normal(192) for seed in seeds]).reshape(-1, 3, 8, 8)
            return (128 + 30 * noise).clamp(0, 255).to(torch.uint8)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_killed_job_is_missing_and_the_next_run_makes_what_is(salon, small, tmp_path, launcher):
    (tmp_path / "killer.py").write_text(KILLER.replace("FOLDER", str(tmp_path)))
    (tmp_path / "kill").touch()
    words = [
        *("score", "-m", *small, "metrics=[image_statistics]", "generator=custom"),
        *("generator.name=kills", "generator.make={_target_: killer.Kills}", "seed=0,1"),
    ]
    known = {
        "SALON_ALLOW_TARGETS": "killer",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
    }
    done = salon(*words, f"hydra/launcher={launcher}", **known)
    assert done.returncode == 8, done.stdout + done.stderr
    assert "the launcher stopped: " in done.stdout and "without a report" in done.stdout
    stored = seeds(tmp_path)
    assert len(stored) < 2 and not (tmp_path / "kill").exists()
    again = salon(*words, **known)
    assert again.returncode == 0, again.stdout + again.stderr
    told = f"{2 - len(stored)} done, {len(stored)} reused, 0 skipped, 0 failed"
    assert re.search(told, again.stdout) and seeds(tmp_path) == {0, 1}
    assert not list(tmp_path.rglob(f"{TEMPORARY}*"))


def seeds(folder):
    """Of all records, each of which is whole."""
    return {read_record(path).seed for path in record_paths(folder / "results")}
