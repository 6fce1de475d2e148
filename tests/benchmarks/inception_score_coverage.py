"""How often the interval of the Inception Score covers the expected score, by simulation.

OMP_NUM_THREADS=1 python tests/benchmarks/inception_score_coverage.py
"""

import torch

from metrics.inception_score import InceptionScore

DRAWS = 400


def coverage(rows: int, classes: int, splits: int, scale: float) -> tuple[float, float]:
    """Share of intervals that hold the mean of all draws, and mean error over true deviation."""
    rng = torch.Generator().manual_seed(0)
    protocol, found = InceptionScore(splits=splits), []
    for _ in range(DRAWS):
        logits = torch.randn(rows, classes, generator=rng) * scale
        found.append(protocol.compute(fake_logits=logits, rng=rng).scores["is_mean"])
    values = torch.tensor([one.value for one in found], dtype=torch.float64)
    errors = torch.tensor([one.standard_error for one in found], dtype=torch.float64)
    held = (values - values.mean()).abs() <= 1.96 * errors
    return float(held.double().mean()), float(errors.mean() / values.std())


if __name__ == "__main__":
    cases = [(500, 10, 1, 2.0), (500, 10, 10, 2.0), (2000, 100, 10, 3.0), (2000, 100, 10, 10.0)]
    cases += [(1000, 100, 10, 3.0), (1000, 100, 10, 10.0), (500, 100, 10, 3.0), (300, 100, 10, 3.0)]
    for case in cases:
        held, ratio = coverage(*case)
        print(f"rows, classes, splits, scale {case}: {held:.3f}, error / deviation {ratio:.2f}")
