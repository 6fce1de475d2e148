"""Inception Score: confident predictions on each image, varied ones over all."""

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.metric import Better, Estimate, Outcome, check_features


class Shuffle(Enum):
    """The order in which images are dealt into splits; it moves the score when files are sorted."""

    none = "none"  # as given
    numpy_2020 = "numpy_2020"  # numpy RandomState(2020), torch-fidelity's order
    rng = "rng"  # drawn from the generator that is passed


def inception_score(
    *,
    logits: Tensor,
    splits: int = 10,
    shuffle: Shuffle = Shuffle.numpy_2020,
    ddof: int = 0,
    rng: torch.Generator | None = None,
) -> tuple[float, float]:
    """Mean and spread over splits of exp(mean_x KL(p(y|x) || mean_x p(y|x))).

    From 1 (all predictions alike) to the number of classes. Higher is better, for a classifier of
    the images' own kind. The score rises with the split size: compare equal counts and splits only.

    Args:
        logits: (N, C) classifier outputs before softmax, N >= splits.
        splits: parts that are scored apart; part i holds rows i*N//splits to (i+1)*N//splits.
        shuffle: order of the rows before they are split.
        ddof: divisor splits - ddof of the spread; 0 in most code, 1 in torchmetrics.
        rng: needed by Shuffle.rng only.

    Returns:
        mean and standard deviation of the split scores, computed in float64; the standard
        deviation is NaN where splits <= ddof.

    Raises:
        ValueError: if there are fewer rows than splits, the logits hold NaN or infinity, or
            Shuffle.rng is asked without a generator.

    Source: T. Salimans et al., "Improved Techniques for Training GANs", 2016, section 4; splits
    and order as in torch-fidelity 0.4.
    Differs: log-softmax throughout, so a probability of 0 does no harm.
    """
    check_features(logits=logits)
    _check_splits(splits, len(logits))
    order = _order(len(logits), shuffle, rng)
    edges = [i * len(logits) // splits for i in range(splits + 1)]
    scores = [_score(logits, order[a:b]) for a, b in pairwise(edges)]
    spread = float(np.std(scores, ddof=ddof)) if splits > ddof else float("nan")
    return float(np.mean(scores)), spread


def _score(logits: Tensor, chosen: Tensor) -> float:
    """exp(H(mean p) - mean H(p)) over the chosen rows."""
    classes = logits.shape[1]
    marginal = torch.zeros(classes, dtype=torch.float64, device=logits.device)
    negative_entropy = torch.zeros((), dtype=torch.float64, device=logits.device)
    for block in blocks(len(chosen), width=classes):
        log_p = logits[chosen[block]].double().log_softmax(dim=1)
        p = log_p.exp()
        marginal += p.sum(dim=0) / len(chosen)
        negative_entropy += (p * log_p).sum() / len(chosen)
    return float((negative_entropy - torch.xlogy(marginal, marginal).sum()).exp())


def _order(count: int, shuffle: Shuffle, rng: torch.Generator | None) -> Tensor:
    if shuffle is Shuffle.none:
        return torch.arange(count)
    if shuffle is Shuffle.numpy_2020:
        stream = np.random.RandomState(2020)  # a peer's stream, replayed
        return torch.from_numpy(stream.permutation(count))
    if rng is None:
        raise ValueError("shuffle=rng needs a torch.Generator; pass rng=, or use numpy_2020.")
    return torch.randperm(count, generator=rng)


def _check_splits(splits: int, count: int) -> None:
    if splits < 1:
        raise ValueError(f"splits is {splits}, expected 1 or more.")
    if count < splits:
        raise ValueError(
            f"fake_logits: found {count} rows for {splits} splits, expected at least one row "
            "for each. Lower metrics.inception_score.splits or sample more images."
        )


@dataclass(frozen=True)
class InceptionScore:
    """Protocol: all generated images; needs no reference.

    Attributes:
        splits: parts that are scored apart.
        shuffle: order of the images before they are split.
        ddof: divisor splits - ddof of the spread.
    """

    splits: int = 10
    shuffle: Shuffle = Shuffle.numpy_2020
    ddof: int = 0

    scores: ClassVar[dict[str, Better]] = {"is_mean": Better.HIGHER, "is_std": Better.NEITHER}

    def compute(self, *, fake_logits: Tensor, rng: torch.Generator) -> Outcome:
        """Mean and standard deviation over the splits."""
        check_features(fake_logits=fake_logits)
        mean, spread = inception_score(
            logits=fake_logits, splits=self.splits, shuffle=self.shuffle, ddof=self.ddof, rng=rng
        )
        undefined = None if self.splits > self.ddof else f"{self.splits} split has no spread"
        return Outcome(
            scores={"is_mean": Estimate(mean), "is_std": Estimate(spread, undefined=undefined)}
        )
