"""What a leaderboard of 10,000 records costs: seconds of clock and processor, and memory.

    python tests/benchmarks/leaderboard.py            # records alone, and with 1,000 tables

1,000 cells (ten data sets and backbones, 100 generators) of ten metrics, each record shaped like
one of the demo's. With tables, every cell's FID has the influences of 5,000 images a side beside
it. The whole command is measured, Python's start included.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from copy import deepcopy
from pathlib import Path

import numpy as np

from bench.beside import described
from bench.records import SCHEMA, Record, digest, record_path, write_record

ROOT = Path(__file__).parents[2]
EXAMPLE = next((ROOT / "results" / "runs").rglob("dcgan_digits/*/fid-*.json"))
BOARDS, GENERATORS, METRICS, SIDE = 10, 100, 10, 5_000
LIMITS = "at most 20 s and 1 GB"


def main() -> None:
    """Print both."""
    for tables in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), tables)
            print(f"{'with 1,000 tables' if tables else 'records alone'}: {measured(folder)}")


def make(results: Path, tables: bool) -> None:
    """10,000 records below results/runs."""
    example = json.loads(EXAMPLE.read_bytes())
    rng = np.random.default_rng(0)
    for board in range(BOARDS):
        reference = rng.normal(size=SIDE)
        for generator in range(GENERATORS):
            for metric in range(METRICS):
                one = changed(example, board, generator, metric, rng.normal())
                path = record_path(
                    results,
                    dataset=f"data{board}",
                    generator=f"gan{generator}",
                    backbone="net",
                    metric=one["metric"]["name"],
                    key=one["key"],
                )
                if tables and metric == 0:
                    with_table(one, path, reference + rng.normal(size=SIDE), rng.normal(size=SIDE))
                write_record(path, Record(**one))


def changed(example: dict, board: int, generator: int, metric: int, noise: float) -> dict:
    """Another cell's record."""
    one = deepcopy(example) | {"artifacts": {}, "schema": SCHEMA}
    name = "fid" if metric == 0 else f"metric{metric}"
    one["metric"]["name"] = one["comparison"]["metric"]["name"] = name
    one["dataset"]["name"] = one["comparison"]["dataset"]["name"] = f"data{board}"
    one["generator"]["name"] = f"gan{generator}"
    one["identities"]["generator"]["checkpoint_sha256"] = digest(generator)
    one["num_real"] = one["num_fake"] = SIDE
    one["scores"] = {name: one["scores"]["fid"] | {"value": generator + noise}}
    one["scores"][name] |= {"standard_error": 0.5, "interval_method": "closed form"}
    one["comparison_key"] = digest(one["comparison"])
    one["key"] = digest([one["comparison"], generator])
    return one


def with_table(one: dict, path: Path, real: np.ndarray, fake: np.ndarray) -> None:
    """Influences whose standard error is the record's."""
    error = np.sqrt(real.var(ddof=1) / SIDE + fake.var(ddof=1) / SIDE)
    one["scores"]["fid"]["standard_error"] = float(error)
    rows = [f"train/{k:05}.png,real,{value:.7g}\n" for k, value in enumerate(real)]
    rows += [f"{k},fake,{value:.7g}\n" for k, value in enumerate(fake)]
    data = ("image,side,fid_influence\n" + "".join(rows)).encode()
    table = path.with_suffix(".images.csv")
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_bytes(data)
    one["artifacts"] = {"images": described(table.name, data)}


def measured(results: str) -> str:
    """The command's seconds and peak."""
    command = [sys.executable, "-m", "bench", "leaderboard", f"paths.results={results}"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [*command, "name=many"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=results,
        env=environment | {"PYTHONPATH": str(ROOT)},
    )
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss / 1024
    return f"{clock:.1f} s, {spent:.1f} s of processor, {peak:.0f} MB ({LIMITS})"


if __name__ == "__main__":
    main()
