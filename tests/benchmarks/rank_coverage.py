"""How often generators of one quality are told apart, which should be in at most 5 % of draws.

OMP_NUM_THREADS=1 python tests/benchmarks/rank_coverage.py --draws 600     # three minutes
"""

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from metrics.fid import Fid
from metrics.intervals import standard_error
from metrics.kid import Kid
from metrics.metric import Outcome
from metrics.neighbourhood import Neighbours
from metrics.pairwise import estimates, shared_covariance, with_zeros
from metrics.prdc import Prdc
from metrics.ranks import ranks

REALS, FAKES, WIDTH = 300, 250, 8
METRICS: dict[str, Callable[[Tensor, Tensor], Outcome]] = {
    "fid": lambda real, fake: Fid().compute(real=real, fake=fake),
    "kid": lambda real, fake: Kid().compute(real=real, fake=fake),
    "prdc": lambda real, fake: Prdc().compute(neighbours=Neighbours(real=real, fake=fake)),
}


def told_apart(outcomes: list[Outcome], score: str) -> bool:
    """Whether one of the generators is surely better than another, paired, as leaderboards do."""
    columns = [
        [one.per_image[side][f"{score}_influence"] for side in ("real", "fake")] for one in outcomes
    ]
    own = [one.scores[score].standard_error or float("nan") for one in outcomes]
    errors = [max(error, standard_error(*sides)) for error, sides in zip(own, columns, strict=True)]
    of = replace(
        estimates([one.scores[score].value for one in outcomes], errors),
        shared=with_zeros(shared_covariance([real.numpy() for real, _ in columns])),
        place=np.arange(len(outcomes)),
    )
    return bool(ranks(of).low.max() > 1)


def wrong(metric: str, generators: int, shift: float, draws: int) -> dict[str, float]:
    """Share of draws in which generators of one distribution were told apart, per score."""
    rng = torch.Generator().manual_seed(0)
    found: dict[str, list[bool]] = {}
    for _ in range(draws):
        real = torch.randn(REALS, WIDTH, generator=rng)
        fakes = torch.randn(generators, FAKES, WIDTH, generator=rng) * 0.9 + shift
        outcomes = [METRICS[metric](real, fake) for fake in fakes]
        for score in outcomes[0].scores:
            found.setdefault(score, []).append(told_apart(outcomes, score))
    return {score: sum(each) / draws for score, each in found.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=600)
    draws = parser.parse_args().draws
    for metric in METRICS:
        for generators, shift in ((2, 0.2), (5, 0.2), (2, 0.0)):
            shares = wrong(metric, generators, shift, draws)
            print(f"{metric} of {generators} generators, shift {shift}: {shares}")
