"""What planning costs: 1,000 cells of a sweep, and one cell that is reused whole.

    python tests/benchmarks/planning.py

Processor seconds of this process or of its child, so that a busy machine moves them little.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from bench.composed import composed
from bench.estimate import estimate
from bench.plan import plan
from bench.shared_work import with_shared_work

BACKBONES = ["resnet18_random", "random_projector", *(f"efficientnet_lite{k}" for k in range(3))]
GENERATORS = "holdout,blur,jpeg,noise,copycat,dcgan_digits,dcgan_digits_early,one_per_class"
CELLS = ["dataset=digits", f"backbone=[{','.join(BACKBONES)}]", "plan=true"]
SWEPT = [f"generator={GENERATORS}", "seed=range(25)"]
SMALL = [
    *("dataset=digits", "generator=holdout", "backbone=[efficientnet_lite0]", "metrics=[fid]"),
    *("protocol.num_real=100", "protocol.num_fake=100"),
]


def main() -> None:
    """Print both."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["SALON_HOME"] = folder
        torch.set_num_threads(1)
        started = time.process_time()
        jobs = plan(composed("sweep", CELLS, hydra_node=True), CELLS, SWEPT)
        cells = len(jobs) * len(BACKBONES)
        estimate(with_shared_work(jobs, 1))
        print(f"plan of {cells:,} cells: {time.process_time() - started:.1f} s (at most 10)")
        bare = spent("-c", "import torch, hydra")
        spent("-m", "bench", "score", *SMALL)
        reused = spent("-m", "bench", "score", *SMALL)
        print(f"a reused cell: {reused - bare:.2f} s beyond {bare:.2f} s of start-up (at most 1.5)")


def spent(*words: str) -> float:
    """Processor seconds of a Python process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    main()
