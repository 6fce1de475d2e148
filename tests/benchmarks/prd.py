"""Our PRD against a literal form of the authors' procedure, on the same clustering seeds.

Run: python tests/benchmarks/prd.py [rows] [dimensions] [clusterings] [rounds]
"""

import sys
import time

import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans

from metrics.prd import max_f_beta, prd_curve


def authors_procedure(real: np.ndarray, fake: np.ndarray, seeds: list[int]) -> float:
    """F_8 as their code computes it: float64 rows stacked and clustered, curves averaged."""
    real, fake = np.array(real, dtype=np.float64), np.array(fake, dtype=np.float64)
    slopes = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, 1001))
    curves = []
    for seed in seeds:
        stacked = np.vstack([fake, real])
        labels = MiniBatchKMeans(20, n_init=10, random_state=seed).fit(stacked).labels_
        sides = (labels[len(fake) :], labels[: len(fake)])
        bins = [np.histogram(side, 20, (0, 20), density=True)[0] for side in sides]
        precision = np.minimum(bins[0][None] * slopes[:, None], bins[1][None]).sum(axis=1)
        curves.append((precision, precision / slopes))
    precision, recall = np.clip(np.mean(curves, axis=0), 0, 1)
    return float((65 * precision * recall / (64 * precision + recall + 1e-10)).max())


def main() -> None:
    """Alternate both and print seconds of each and the ratio of their medians."""
    rows, width, runs, rounds = (int(given) for given in sys.argv[1:] or (10_000, 2_048, 10, 3))
    draw = torch.Generator().manual_seed(0)
    real = torch.randn(rows, width, generator=draw)
    fake = torch.randn(rows, width, generator=draw) * 0.9 + 0.1
    dealt = torch.Generator().manual_seed(1)
    seeds = [int(torch.randint(2**31 - 1, (), generator=dealt)) for _ in range(runs)]
    ours, theirs = [], []
    for _ in range(rounds):
        begin = time.perf_counter()
        reference = authors_procedure(real.numpy(), fake.numpy(), seeds)
        theirs.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        curve = prd_curve(real=real, fake=fake, rng=torch.Generator().manual_seed(1), runs=runs)
        ours.append(time.perf_counter() - begin)
        print(f"f8 {float(max_f_beta(*curve, beta=8)):.6f} and {reference:.6f}")
        print(f"seconds: ours {ours[-1]:.2f}, the authors' procedure {theirs[-1]:.2f}")
    print(f"ratio of medians: {np.median(ours) / np.median(theirs):.2f}")


if __name__ == "__main__":
    main()
