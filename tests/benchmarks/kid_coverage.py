"""How often the interval of KID covers the truth, by simulation; a minute on one core.

OMP_NUM_THREADS=1 python tests/benchmarks/kid_coverage.py
"""

import torch

from metrics.kid import Kid

DRAWS, ROWS, WIDTH = 500, 200, 16


def coverage(shift: float) -> float:
    """Share of intervals that hold the mean of all draws' values, an unbiased truth."""
    rng = torch.Generator().manual_seed(3)
    spread = torch.logspace(0, -1, WIDTH, dtype=torch.float64)
    found = []
    for _ in range(DRAWS):
        real, fake = torch.randn(2, ROWS, WIDTH, generator=rng, dtype=torch.float64) * spread
        found.append(Kid().compute(real=real, fake=fake + shift).scores["kid"])
    truth = sum(one.value for one in found) / DRAWS
    held = [one.interval[0] <= truth <= one.interval[1] for one in found if one.interval]
    return sum(held) / DRAWS


if __name__ == "__main__":
    for shift in (0.0, 0.05, 0.1, 0.5):
        print(f"shift {shift}: {coverage(shift):.3f}")
