"""Processor seconds of whole-set KID beside torch-fidelity's 100 subsets of 1000, taken in turn.

OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/kid.py
Options: --rows 10000 --width 2048 --rounds 3
"""

import argparse
from collections.abc import Callable
from time import process_time

import torch
from torch_fidelity.metric_kid import kid_features_to_metric

from metrics.kid import squared_mmd_with_error


def seconds(call: Callable[[], object]) -> float:
    """Seconds of all cores in one call: other work on the machine moves them little."""
    start = process_time()
    call()
    return process_time() - start


def main() -> None:
    """Print each round, then the ratio of the fastest ones."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(asked.rows, asked.width, generator=rng).relu_()
    fake = torch.randn(asked.rows, asked.width, generator=rng).relu_()
    ours, peer = [], []
    for _ in range(asked.rounds):
        ours.append(seconds(lambda: squared_mmd_with_error(real=real, fake=fake)))
        peer.append(seconds(lambda: kid_features_to_metric(fake, real, verbose=False)))
        print(f"ours {ours[-1]:.2f} s   torch-fidelity {peer[-1]:.2f} s", flush=True)
    print(f"minima: {min(ours):.2f} s and {min(peer):.2f} s, ratio {min(peer) / min(ours):.2f}")


if __name__ == "__main__":
    main()
