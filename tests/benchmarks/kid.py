"""Processor seconds of KID, whole sets and subsets, beside torch-fidelity's 100 subsets of 1000.

All three in turn. Both take the same time in products of rows, up to block sizes, so a ratio far
above 1 is not to be had: 100 subsets of 1000 are as many pairs as two sides of 10,000.

OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/kid.py
Options: --rows 10000 --width 2048 --rounds 3
"""

import argparse
from collections.abc import Callable
from time import process_time

import torch
from torch_fidelity.metric_kid import kid_features_to_metric

from metrics.kid import Kid
from metrics.kid_subsets import Draw, kid_subsets


def seconds(call: Callable[[], object]) -> float:
    """Seconds of all cores in one call: other work on the machine moves them little."""
    start = process_time()
    call()
    return process_time() - start


def main() -> None:
    """Print each round, then the ratios of the fastest ones."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(asked.rows, asked.width, generator=rng).relu_()
    fake = torch.randn(asked.rows, asked.width, generator=rng).relu_()
    calls: dict[str, Callable[[], object]] = {
        "torch-fidelity": lambda: kid_features_to_metric(fake, real, verbose=False),
        "kid": lambda: Kid().compute(real=real, fake=fake),
        "kid_subsets": lambda: kid_subsets(real=real, fake=fake, draw=Draw.numpy_2020),
    }
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(asked.rounds):
        found = {name: seconds(call) for name, call in calls.items()}
        best = {name: min(best[name], found[name]) for name in calls}
        print("   ".join(f"{name} {value:.2f} s" for name, value in found.items()), flush=True)
    for name in ("kid", "kid_subsets"):
        print(f"{name}: ratio {best['torch-fidelity'] / best[name]:.2f}")


if __name__ == "__main__":
    main()
