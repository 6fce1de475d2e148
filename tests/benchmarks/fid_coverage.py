"""How often intervals of the Frechet family hold the expected score, on simulated features.

For each case: spread of the score over draws, mean standard error, share of draws whose 95 %
interval holds the mean score, and for fid the true bias beside the mean estimate of it.

python tests/benchmarks/fid_coverage.py --draws 200
"""

import argparse

import torch

from metrics.fid import Fid, frechet_distance_from_moments
from metrics.fid_infinity import FidInfinity
from metrics.moments import Moments
from metrics.sliced_wasserstein import SlicedWasserstein

WIDTH = 64


def transform(change):
    """Mean and factor of a side's covariance; spectrum over two decades."""
    turn = torch.linalg.qr(
        torch.randn(WIDTH, WIDTH, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ).Q
    scale = torch.logspace(0, -1, WIDTH, dtype=torch.float64)
    scale = scale * (1 + change * torch.linspace(-0.5, 1, WIDTH, dtype=torch.float64))
    shift = torch.zeros(WIDTH, dtype=torch.float64)
    shift[0] = change
    return shift, turn * scale


def draw(rows, side, heavy, rng):
    noise = torch.randn(rows, WIDTH, generator=rng, dtype=torch.float64)
    if heavy:  # one random radius a row: kurtosis 23, unit variance
        radius = torch.randn(rows, 1, generator=rng, dtype=torch.float64).square() + 0.5
        noise = noise * radius / 4.25**0.5
    shift, factor = side
    return noise @ factor.T + shift


def simulate(metric, score, n, m, change, heavy, draws):
    rng = torch.Generator().manual_seed(1)
    sides = transform(0.0), transform(change)
    found = []
    for _ in range(draws):
        given = {"real": draw(n, sides[0], heavy, rng), "fake": draw(m, sides[1], heavy, rng)}
        if score == "fid_infinity":
            given["rng"] = rng
        scores = metric.compute(**given).scores
        bias = float("nan") if scores[score].bias is None else scores[score].bias
        estimate = scores[score]
        error = float("nan") if estimate.standard_error is None else estimate.standard_error
        found.append((estimate.value, error, bias))
    value, error, bias = torch.tensor(found, dtype=torch.float64).T
    held = ((value - value.mean()).abs() < 1.96 * error).double().mean()
    first, second = (Moments(shift, factor @ factor.T) for shift, factor in sides)
    truth = frechet_distance_from_moments(real=first, fake=second)
    gained = (
        f" bias {value.mean() - truth:.4f} estimated {bias.mean():.4f}" if score == "fid" else ""
    )
    print(
        f"{score:12s} N {n:5d} M {m:5d} change {change:.1f} heavy {int(heavy)}: "
        f"true {truth:.4f} mean {value.mean():.4f} spread {value.std():.4f} "
        f"error {error.mean():.4f} held {held:.3f}{gained}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    for change in (0.0, 0.1, 0.4):
        for heavy in (False, True):
            for n, m in ((130, 130), (200, 200), (2000, 2000), (5000, 130)):
                simulate(Fid(), "fid", n, m, change, heavy, draws)
            simulate(SlicedWasserstein(), "sw", 500, 500, change, heavy, draws)
            simulate(FidInfinity(), "fid_infinity", 2000, 2000, change, heavy, draws // 4)


if __name__ == "__main__":
    main()
