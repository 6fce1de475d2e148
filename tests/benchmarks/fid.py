"""Seconds of the Frechet distance against torch-fidelity's, in turn, on the same features.

python tests/benchmarks/fid.py --rows 10000 --width 2048 --repeats 3
"""

import argparse
import time

import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from metrics.fid import Fid, frechet_distance


def features(rows, width, seed, decades):
    """Correlated, with variances that fall over that many decades; a basis for each side."""
    rng = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(width, width, generator=rng)).Q
    scale = torch.logspace(0, -decades / 2, width) * (1 + 0.05 * seed)
    return (torch.randn(rows, width, generator=rng) * scale @ turn + 0.4).float()


def torch_fidelity(real, fake):
    statistics = [fid_features_to_statistics(rows) for rows in (real, fake)]
    return fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]


def with_error(real, fake):
    return Fid().compute(real=real, fake=fake).scores["fid"].value


def plain(real, fake):
    return frechet_distance(real=real, fake=fake)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    for decades in (3, 5, 6):
        print(f"variances over {decades} decades")
        real, fake = (features(given.rows, given.width, seed, decades) for seed in (1, 2))
        compare(real, fake, given.repeats)


def compare(real, fake, repeats):
    seconds, values = {}, {}
    for _ in range(repeats):
        for call in (torch_fidelity, plain, with_error):
            start = time.perf_counter()
            values[call.__name__] = call(real, fake)
            seconds.setdefault(call.__name__, []).append(time.perf_counter() - start)
    peer = min(seconds["torch_fidelity"])
    for name, taken in seconds.items():
        best = min(taken)
        difference = values[name] / values["torch_fidelity"] - 1
        print(f"{name:15s} {best:7.2f} s  {peer / best:5.2f} x  value off by {difference:.1e}")


if __name__ == "__main__":
    main()
