"""Kills jobs and launchers of a sweep at random moments until it is done, then compares the scores.

A sweep that is done begins anew in another folder until there were as many moments as asked.
By hand: `python tests/faults/kill_loop.py --moments 100` (an hour on two cores; `make test-long`
has four moments). It works in a temporary folder and exits with 1 where a claim fails:

- every cell is there, and its scores equal those of an undisturbed sweep;
- no temporary file is left once a last sweep has begun;
- no job began more often than faults explain: as often as in the undisturbed sweep, plus once for
  each job that a fault ended before its report. A launcher's end is that of all its jobs. The
  launcher stands still while that is counted;
- no generator's features were made twice, and those of the real images, which all jobs share,
  once, or twice where the job that makes them for all was lost: then two make them at a time.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.atomic import TEMPORARY
from bench.records import read_record, record_paths
from bench.report import FILE as REPORT
from bench.sweep_folder import SweepPlan

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


def jobs_of(launcher: int) -> dict[int, Path]:
    """Its living children, each with its folder."""
    found = subprocess.run(["pgrep", "-P", str(launcher)], capture_output=True, text=True)
    jobs = {}
    for child in map(int, found.stdout.split()):
        told = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
        folders = [word.partition("=")[2] for word in told if word.startswith("hydra.run.dir=")]
        if folders:  # else a zombie, or one that is about to become a job
            jobs[child] = Path(folders[0].strip("'\""))
    return jobs


def begun(folder: Path) -> set[Path]:
    """Folders of all jobs that ever began."""
    return {log.parent for log in folder.glob("results/logs/*/*/log.txt")}


def kill_one(launcher: int, folder: Path, rng: random.Random) -> set[Path]:
    """Kill the launcher or one of its jobs; gives the folders of the jobs that are lost."""
    os.kill(launcher, signal.SIGSTOP)  # it neither starts a job nor writes a report meanwhile
    while state(launcher) not in "TZ":
        time.sleep(0.01)
    try:
        jobs = jobs_of(launcher)
        victim = rng.choice([launcher, *jobs])
        with standing_still(jobs if victim == launcher else {}):  # a job whose launcher is gone
            ended = begun(folder) if victim == launcher else {jobs[victim]}  # reports its own end
            lost = {own for own in ended if not (own / REPORT).exists()}
            os.kill(victim, signal.SIGKILL)
        while state(victim) != "Z":  # we, or the launcher that stands still, have not looked
            time.sleep(0.01)
        return lost if victim == launcher else {own for own in lost if not (own / REPORT).exists()}
    finally:
        os.kill(launcher, signal.SIGCONT)


@contextmanager
def standing_still(processes: Iterable[int]) -> Iterator[None]:
    """None of them takes a step meanwhile."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    while any(state(process) not in "TZ" for process in processes):
        time.sleep(0.01)
    yield
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def state(process: int) -> str:
    """One letter, as in ps: T stands still, Z has ended."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def disturbed(
    folder: Path, moments: int, rng: random.Random, longest: float
) -> tuple[int, set[Path]]:
    """Type the command until it ends with all cells; the number of faults, and the jobs lost."""
    faults, lost = 0, set[Path]()
    while True:
        launcher = salon(folder)
        while faults < moments and launcher.poll() is None:
            wait(launcher, folder, rng, longest)
            if launcher.poll() is None:
                lost |= kill_one(launcher.pid, folder, rng)
                faults += 1
        if launcher.wait() == 0:
            return faults, lost


def wait(launcher: subprocess.Popen, folder: Path, rng: random.Random, longest: float) -> None:
    """Until a random moment; every second one is no earlier than the begin of a job."""
    before, after_a_begin = begun(folder), rng.random() < 0.5
    while after_a_begin and launcher.poll() is None and begun(folder) == before:
        time.sleep(0.05)
    time.sleep(rng.uniform(0.0, longest))


def leftovers(folder: Path) -> list[Path]:
    """Temporary files below the folder."""
    return list(folder.rglob(f"{TEMPORARY}*"))


def made(folder: Path) -> Counter[str]:
    """How often each side's features were made, by its generator, as the logs of all jobs tell.

    The line is written after the last part is in the cache.
    """
    found: Counter[str] = Counter()
    for own in begun(folder):
        text = (own / "log.txt").read_text()
        found["real"] += text.count("real features: 120 images")
        if "fake features: 100 images" in text:
            found[generator_of(own)] += text.count("fake features: 100 images")
    return found


def generator_of(own: Path) -> str:
    """Of a job, by what the sweep set out to do."""
    plan = SweepPlan.read(own.parent)
    return next(" ".join(job.words) for job in plan.jobs if job.number == int(own.name))


def claims(folder: Path, undisturbed: Path, lost: set[Path]) -> list[str]:
    """What does not hold."""
    wrong = []
    if len(scores(folder)) != CELLS:
        wrong.append(f"{len(scores(folder))} cells, expected {CELLS}")
    if scores(folder) != scores(undisturbed):
        wrong.append("scores differ from the undisturbed sweep's")
    explained = len(begun(undisturbed)) + len(lost)
    if len(begun(folder)) > explained:
        wrong.append(f"{len(begun(folder))} jobs began, explained: {explained}")
    shared_lost = any(generator_of(own).startswith("real features") for own in lost)
    for name, times in made(folder).items():
        most = 2 if name == "real" and shared_lost else 1
        if times > most:
            wrong.append(f"features of {name} made {times} times, explained: {most}")
    salon(folder).wait()
    wrong += [f"left over: {path}" for path in leftovers(folder)]
    return wrong


def main() -> int:
    """Returns 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--longest", type=float, default=15.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="salon-kills-") as name:
        calm, rng = Path(name) / "calm", random.Random(asked.seed)
        calm.mkdir()
        if salon(calm).wait():
            raise SystemExit((calm / "out.txt").read_text())
        faults = 0
        while faults < asked.moments:
            rough = Path(tempfile.mkdtemp(dir=name))
            survived, lost = disturbed(rough, asked.moments - faults, rng, asked.longest)
            faults += survived
            told = f"{faults} faults, {len(lost)} jobs lost, {len(begun(rough))} begun"
            if wrong := claims(rough, calm, lost):
                print(f"{told}; {'; '.join(wrong)}")
                return 1
            print(told, flush=True)
    print("every claim holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
