"""Peak memory of the neighbour metrics above the features themselves, and their seconds.

python tests/benchmarks/memory.py --rows 50000 --width 2048
"""

import argparse
import time

import torch

from bench.environment import peak_memory_mb
from metrics.authenticity import Authenticity
from metrics.neighbourhood import Neighbours
from metrics.prdc import Prdc
from metrics.precision_recall import PrecisionRecall
from metrics.rarity import Rarity
from metrics.realism import Realism


def peak() -> float:
    """Largest resident memory of this process so far, in GB."""
    return peak_memory_mb() / 1024


def features(rows: int, width: int, seed: int) -> torch.Tensor:
    """Rectified Gaussian features with a decaying spectrum, made without a second copy."""
    rng = torch.Generator().manual_seed(seed)
    made = torch.empty(rows, width)
    for block in made.split(1000):
        block.normal_(generator=rng)
        block.mul_(torch.arange(1, width + 1) ** -0.5 * (1 + 0.05 * seed)).clamp_(min=-0.01)
    return made


def main() -> None:
    """One pass for five metrics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=2048)
    asked = parser.parse_args()
    real, fake = (features(asked.rows, asked.width, seed) for seed in (1, 2))
    before, started = peak(), time.perf_counter()
    metrics = (PrecisionRecall(), Prdc(), Rarity(), Realism(), Authenticity())
    wants = [want for metric in metrics for want in metric.wants()]
    neighbours = Neighbours(real=real, fake=fake, wants=wants)
    for metric in metrics:
        scores = metric.compute(neighbours=neighbours).scores
        print({name: round(each.value, 4) for name, each in scores.items()}, flush=True)
    taken = time.perf_counter() - started
    print(f"features {before:.2f} GB, peak {peak() - before:.2f} GB above them, {taken:.0f} s")


if __name__ == "__main__":
    main()
