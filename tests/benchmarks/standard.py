"""Seconds of the standard set of metrics against the installed peers, in turn, on one machine.

Features: rectified, with a decaying spectrum. Every peer gets the same arrays; ratios are of the
fastest rounds. Rarity has no package: its peer is the authors' way, on whole float64 matrices.

    python tests/benchmarks/standard.py --rows 10000 --width 2048 --rounds 2
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from prdc import compute_prdc
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from metrics.fid import Fid
from metrics.inception_score import InceptionScore
from metrics.kid import Kid
from metrics.neighbourhood import Neighbours
from metrics.prdc import Prdc, prdc
from metrics.precision_recall import PrecisionRecall, precision_recall
from metrics.rarity import Rarity, rarity_scores

Call = Callable[[], object]


def features(rows: int, width: int, seed: int) -> Tensor:
    """Rectified and correlated, as pooled features are."""
    rng = torch.Generator().manual_seed(seed)
    spectrum = torch.arange(1, width + 1) ** -0.5
    mixed = torch.randn(rows, width, generator=rng) * spectrum * (1 + 0.05 * seed)
    turn = torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(9))).Q
    return (mixed @ turn + 0.02).relu()


def authors_rarity(real: np.ndarray, fake: np.ndarray, k: int = 3) -> np.ndarray:
    """Whole matrices of Euclidean distances by the Gram expansion, in float64."""

    def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
        return np.sqrt(np.maximum(squares, 0))

    real, fake = real.astype(np.float64), fake.astype(np.float64)
    radius = np.sort(distances(real, real), axis=1)[:, k]
    apart = distances(fake, real)
    return np.where(apart < radius, radius, np.inf).min(axis=1)


def peers(real: Tensor, fake: Tensor, logits: Tensor) -> dict[str, Call]:
    """What users run today, by metric."""
    r, f = real.numpy(), fake.numpy()
    return {
        "fid": lambda: fid_statistics_to_metric(
            fid_features_to_statistics(fake), fid_features_to_statistics(real), verbose=False
        ),
        "kid": lambda: kid_features_to_metric(fake, real, verbose=False),
        "inception_score": lambda: isc_features_to_metric(logits),
        "precision_recall": lambda: prc_features_to_metric(fake, real, verbose=False),
        "prdc": lambda: compute_prdc(r, f, 5),
        "rarity": lambda: authors_rarity(r, f),
    }


def ours(real: Tensor, fake: Tensor, logits: Tensor) -> dict[str, Call]:
    """The same scores with their standard errors, each by itself."""
    rng = torch.Generator().manual_seed(0)
    return {
        "fid": lambda: Fid().compute(real=real, fake=fake),
        "kid": lambda: Kid().compute(real=real, fake=fake),
        "inception_score": lambda: InceptionScore().compute(fake_logits=logits, rng=rng),
        "precision_recall": lambda: precision_recall(real=real, fake=fake),
        "prdc": lambda: prdc(real=real, fake=fake),
        "rarity": lambda: rarity_scores(real=real, fake=fake),
    }


def standard_set(real: Tensor, fake: Tensor, logits: Tensor) -> None:
    """All of it as a job runs it: one neighbour pass, error bars, nearest images."""
    alone = ours(real, fake, logits)
    for name in ("fid", "kid", "inception_score"):
        alone[name]()
    metrics = (PrecisionRecall(), Prdc(), Rarity())
    wants = [want for metric in metrics for want in metric.wants()]
    neighbours = Neighbours(real=real, fake=fake, wants=wants)
    for metric in metrics:
        metric.compute(neighbours=neighbours)


def seconds(call: Call) -> float:
    """Of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main() -> None:
    """Alternate, then print the ratio of the fastest rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    real, fake = (features(asked.rows, asked.width, seed) for seed in (1, 2))
    logits = torch.randn(asked.rows, 1008, generator=torch.Generator().manual_seed(3)) * 3
    theirs, mine = peers(real, fake, logits), ours(real, fake, logits)
    best: dict[str, list[float]] = {name: [np.inf, np.inf] for name in (*theirs, "standard set")}
    for _ in range(asked.rounds):
        for name, call in theirs.items():
            best[name][1] = min(best[name][1], seconds(call))
            best[name][0] = min(best[name][0], seconds(mine[name]))
        together = seconds(lambda: standard_set(real, fake, logits))
        best["standard set"][0] = min(best["standard set"][0], together)
    best["standard set"][1] = sum(best[name][1] for name in theirs)
    for name, (our, their) in best.items():
        print(f"{name:18} ours {our:7.2f} s   peer {their:7.2f} s   ratio {their / our:5.2f}")


if __name__ == "__main__":
    main()
