"""How often the interval of recall holds the expected recall, few to many points a ball.

python tests/benchmarks/share_coverage.py --draws 200
"""

import argparse

import torch

from metrics.neighbourhood import Neighbours
from metrics.precision_recall import PrecisionRecall


def row(reals: int, fakes: int, width: int, draws: int) -> None:
    """Isotropic Gaussians of one distribution: error against spread, share of intervals right."""
    metric, found = PrecisionRecall(), []
    for seed in range(draws):
        rng = torch.Generator().manual_seed(seed)
        real, fake = (torch.randn(rows, width, generator=rng) for rows in (reals, fakes))
        neighbours = Neighbours(real=real, fake=fake, wants=metric.wants())
        recall = metric.compute(neighbours=neighbours).scores["recall"]
        found.append((recall.value, recall.standard_error or 0.0, *recall.interval))
    values, errors, low, high = torch.tensor(found, dtype=torch.float64).T
    held = ((low <= values.mean()) & (values.mean() <= high)).double().mean()
    print(
        f"N={reals} M={fakes} D={width} recall {float(values.mean()):.3f} "
        f"error / spread {float(errors.mean() / values.std()):.2f} held {float(held):.3f}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    for width in (4, 8, 32, 128):
        for reals in (300, 600, 1500):
            row(reals, 300, width, draws)
