"""What planning costs: a cell that is reused whole, and the plan of a sweep over 1,000 cells.

    python tests/benchmarks/planning.py

Whole commands as a user types them: fresh processes with their bytecode cached, in turns with the
start-up that they are compared with. Wall time counts; processor time, beside it, tells a busy
machine from a slow program.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
RUNS = 3
START_UP = ["-c", "import torch"]
REUSED = [
    *("-m", "bench", "score", "dataset=digits", "generator=holdout"),
    *("backbone=[efficientnet_lite0]", "metrics=[fid]"),
    *("protocol.num_real=100", "protocol.num_fake=100"),
]
BACKBONES = ["resnet18_random", "random_projector", *(f"efficientnet_lite{k}" for k in range(3))]
GENERATORS = ["holdout", "blur", "jpeg", "noise", "copycat", "one_per_class"]
GENERATORS += ["dcgan_digits", "dcgan_digits_early"]
SEEDS = 25
PLANNED = [
    *("-m", "bench", "sweep", "plan=true", "dataset=digits"),
    *(f"backbone=[{','.join(BACKBONES)}]", f"generator={','.join(GENERATORS)}"),
    f"seed=range({SEEDS})",
]


@dataclass
class Command:
    """A command and what its runs took: wall and processor seconds of each."""

    words: list[str]
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def run(self, folder: str) -> str:
        """Once more, in a process of its own; gives what it printed."""
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        printed = subprocess.run(
            [sys.executable, *self.words],
            check=True,
            cwd=folder,
            env=_as_a_users(folder),
            text=True,
            stdout=subprocess.PIPE,
        ).stdout
        self.wall.append(time.perf_counter() - started)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.processor.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return printed

    def medians(self) -> tuple[float, float]:
        """Wall and processor seconds."""
        return median(self.wall), median(self.processor)

    def forget(self) -> None:
        """The runs so far: they warmed caches."""
        self.wall, self.processor = [], []


def main() -> None:
    """Print both figures, each beside its limit."""
    start_up, reused, planned = Command(START_UP), Command(REUSED), Command(PLANNED)
    with tempfile.TemporaryDirectory() as folder:
        for command in (start_up, reused, planned):
            command.run(folder)  # compiles modules; makes the record and the manifests
            command.forget()
        for _ in range(RUNS):
            start_up.run(folder)
            assert "reused" in reused.run(folder)
            assert " to run" in planned.run(folder)
    cells = len(BACKBONES) * len(GENERATORS) * SEEDS
    wall, processor = start_up.medians()
    print(f"{f'seconds, medians of {RUNS} runs':34s}  wall  processor  wall's limit")
    _row("start-up: import torch", wall, processor, "")
    reused_wall, reused_processor = reused.medians()
    beyond = (reused_wall - wall, reused_processor - processor)
    _row("a reused cell, beyond start-up", *beyond, "1.5")
    _row(f"the plan of {cells:,} cells", *planned.medians(), "10")


def _row(name: str, wall: float, processor: float, limit: str) -> None:
    print(f"{name:34s} {wall:5.2f} {processor:10.2f} {limit:>13}")


def _as_a_users(folder: str) -> dict[str, str]:
    """Bytecode is kept, this checkout is what is run, and nothing of the user's is touched."""
    own = {"PYTHONPATH": str(ROOT), "SALON_HOME": str(Path(folder) / "home")}
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | own


if __name__ == "__main__":
    main()
