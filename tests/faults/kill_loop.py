"""Kills jobs and launchers of a sweep at random moments until it is done, then compares the scores.

By hand: `python tests/faults/kill_loop.py --moments 100` (an hour on two cores; `make test` has six
moments). It works in a temporary folder and exits with 1 where a claim fails:

- every cell is there, and its scores equal those of an undisturbed sweep;
- no temporary file is left once a last sweep has begun;
- no part of the cache was made more often than there were faults, plus once.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.atomic import TEMPORARY
from bench.records import read_record, record_paths

ROOT = Path(__file__).parents[2]
WORDS = [
    *(
        "sweep",
        "generator=holdout,copycat,blur,jpeg",
        "metrics=[fid,prdc,kid,rarity,realism,vendi]",
    ),
    *("backbone=[resnet18_random]", "backbone.resnet18_random.resolution=32"),
    *("protocol.num_real=120", "protocol.num_fake=100", "cluster.jobs=2"),
]
CELLS = 24


def salon(folder: Path, *words: str) -> subprocess.Popen:
    """A command in a folder of its own."""
    own = {"SALON_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    with open(folder / "out.txt", "ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "bench", *WORDS, f"paths.results={folder}/results", *words],
            cwd=folder,
            env=os.environ | own,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def scores(folder: Path) -> dict[tuple[str, str], dict[str, float | None]]:
    """(generator, metric) -> score -> value, of every record."""
    records = [read_record(path) for path in record_paths(folder / "results")]
    return {
        (record.generator["name"], record.metric["name"]): {
            name: entry["value"] for name, entry in record.scores.items()
        }
        for record in records
    }


def jobs_of(launcher: int) -> list[int]:
    """Its living children."""
    found = subprocess.run(["pgrep", "-P", str(launcher)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def disturbed(folder: Path, moments: int, rng: random.Random, longest: float) -> int:
    """Type the command until it ends with all cells; returns how many faults there were."""
    faults = 0
    while True:
        launcher = salon(folder)
        while faults < moments and launcher.poll() is None:
            time.sleep(rng.uniform(0.0, longest))
            victims = [launcher.pid, *jobs_of(launcher.pid)]
            if launcher.poll() is None:
                os.kill(rng.choice(victims), signal.SIGKILL)
                faults += 1
        if launcher.wait() == 0:
            return faults


def leftovers(folder: Path) -> list[Path]:
    """Temporary files below the folder."""
    return list(folder.rglob(f"{TEMPORARY}*"))


def parts_made(folder: Path) -> int:
    """How often the real features were made, as the logs of all jobs tell."""
    text = "".join(log.read_text() for log in folder.glob("results/logs/*/*/log.txt"))
    return text.count("real features: 120 images")


def claims(folder: Path, undisturbed: Path, faults: int) -> list[str]:
    """What does not hold."""
    wrong = []
    if len(scores(folder)) != CELLS:
        wrong.append(f"{len(scores(folder))} cells, expected {CELLS}")
    if scores(folder) != scores(undisturbed):
        wrong.append("scores differ from the undisturbed sweep's")
    salon(folder).wait()
    wrong += [f"left over: {path}" for path in leftovers(folder)]
    most = 2 + faults  # two jobs may begin at once on a cold cache
    if parts_made(folder) > most:
        wrong.append(f"real features made {parts_made(folder)} times, explained: {most}")
    return wrong


def main() -> int:
    """Returns 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--longest", type=float, default=15.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="salon-kills-") as name:
        calm, rough = Path(name) / "calm", Path(name) / "rough"
        for folder in (calm, rough):
            folder.mkdir()
        if salon(calm).wait():
            raise SystemExit((calm / "out.txt").read_text())
        faults = disturbed(rough, asked.moments, random.Random(asked.seed), asked.longest)
        wrong = claims(rough, calm, faults)
    print(f"{faults} faults; " + ("; ".join(wrong) or "every claim holds"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
