"""Inception Score: confident predictions on each image, varied ones over all."""

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from math import exp
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.intervals import normal_estimate, standard_error
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.parameters import at_least, divisor


class Shuffle(Enum):
    """The order in which images are dealt into splits; it moves the score when files are sorted."""

    none = "none"  # as given
    numpy_2020 = "numpy_2020"  # numpy RandomState(2020), torch-fidelity's order
    rng = "rng"  # drawn from the generator that is passed


class SplitRule(Enum):
    """How N rows are cut into k splits. The score rises with their size, so the rule moves it."""

    even = "even"  # i N // k to (i + 1) N // k: torch-fidelity, StyleGAN3
    chunk = "chunk"  # ceil(N / k) rows each, the last may be short, k may shrink: torchmetrics
    dropped = "dropped"  # N // k rows each, the rest is left out: dgm-eval
    fixed = "fixed"  # split_size rows each, the last may be short: ADM


def inception_score(
    *,
    logits: Tensor,
    splits: int = 10,
    split_rule: SplitRule = SplitRule.even,
    split_size: int = 5000,
    shuffle: Shuffle = Shuffle.numpy_2020,
    ddof: int = 0,
    rng: torch.Generator | None = None,
) -> tuple[float, float]:
    """Mean and spread over splits of exp(mean_x KL(p(y|x) || mean_x p(y|x))).

    From 1 (all predictions alike) to the number of classes. Higher is better, for a classifier of
    the images' own kind. The score rises with the split size: compare equal counts and splits only.

    Args:
        logits: (N, C) classifier outputs before softmax, N >= splits.
        splits: parts that are scored apart; SplitRule.fixed does not use it.
        split_rule: which rows make a part.
        split_size: rows of a part under SplitRule.fixed.
        shuffle: order of the rows before they are split.
        ddof: divisor splits - ddof of the spread; 0 in most code, 1 in torchmetrics.
        rng: needed by Shuffle.rng only.

    Returns:
        mean and standard deviation of the split scores, computed in float64; the standard
        deviation is NaN where there are no more than ddof splits.

    Raises:
        ValueError: if a parameter is out of range, there are fewer rows than splits, the logits
            hold NaN or infinity, or Shuffle.rng is asked without a generator.

    Source: T. Salimans et al., "Improved Techniques for Training GANs", 2016, section 4; splits
    and order as in torch-fidelity 0.4.
    Differs: log-softmax throughout, so a probability of 0 does no harm.
    """
    _check_parameters(splits, split_size, ddof)
    check_features(logits=logits)
    parts = _parts(len(logits), splits, split_rule, split_size, shuffle, rng)
    return _summary([exp(float(_divergences(logits, part).mean())) for part in parts], ddof)


def _summary(scores: list[float], ddof: int) -> tuple[float, float]:
    spread = float(np.std(scores, ddof=ddof)) if len(scores) > ddof else float("nan")
    return float(np.mean(scores)), spread


def _divergences(logits: Tensor, chosen: Tensor) -> Tensor:
    """(n,) KL(p || mean p) of each chosen row's prediction p, in nats."""
    classes = logits.shape[1]
    marginal = torch.zeros(classes, dtype=torch.float64, device=logits.device)
    for block in blocks(len(chosen), width=classes):
        marginal += logits[chosen[block]].double().softmax(dim=1).sum(dim=0) / len(chosen)
    log_marginal = torch.where(marginal > 0, marginal.log(), 0.0)  # no row has that class
    found = torch.empty(len(chosen), dtype=torch.float64, device=logits.device)
    for block in blocks(len(chosen), width=classes):
        log_p = logits[chosen[block]].double().log_softmax(dim=1)
        found[block] = (log_p.exp() * (log_p - log_marginal)).sum(dim=1)
    return found


def _influences(divergences: list[Tensor], parts: list[Tensor], count: int) -> Tensor:
    """(N,) first-order influence of each image on the mean score; 0 for one in no split.

    With q = mean p, log IS = mean_x sum p log p - sum q log q. Mixing a share e of image x into
    the split moves q by e (p(x) - q) and so log IS by e times
    sum p log p - sum p log q - log IS = KL(p(x) || q) - log IS; the term that sum q log q adds
    through d log q is sum (p(x) - q) = 0. A split weighs 1 / k and x weighs 1 / n in it, against
    1 / N over all images: hence N / (k n) IS (KL - mean KL).
    """
    influence = torch.zeros(count, dtype=torch.float64, device=divergences[0].device)
    for found, part in zip(divergences, parts, strict=True):
        weight = count / (len(parts) * len(part)) * found.mean().exp()
        influence[part] = weight * (found - found.mean())
    return influence


def _parts(
    count: int,
    splits: int,
    rule: SplitRule,
    split_size: int,
    shuffle: Shuffle,
    rng: torch.Generator | None,
) -> list[Tensor]:
    """Row indices of each split."""
    _check_splits(splits, count, rule)
    order = _order(count, shuffle, rng)
    return [order[a:b] for a, b in pairwise(_edges(count, splits, rule, split_size))]


def _edges(count: int, splits: int, rule: SplitRule, split_size: int) -> list[int]:
    if rule is SplitRule.even:
        return [i * count // splits for i in range(splits + 1)]
    if rule is SplitRule.dropped:
        return [i * (count // splits) for i in range(splits + 1)]
    size = split_size if rule is SplitRule.fixed else -(-count // splits)
    return [*range(0, count, size), count]


def _order(count: int, shuffle: Shuffle, rng: torch.Generator | None) -> Tensor:
    if shuffle is Shuffle.none:
        return torch.arange(count)
    if shuffle is Shuffle.numpy_2020:
        stream = np.random.RandomState(2020)  # a peer's stream, replayed
        return torch.from_numpy(stream.permutation(count))
    if rng is None:
        raise ValueError("shuffle=rng needs a torch.Generator; pass rng=, or use numpy_2020.")
    return torch.randperm(count, generator=rng)


def _check_parameters(splits: int, split_size: int, ddof: int) -> None:
    at_least(1, "most code has 10", splits=splits)
    at_least(1, "ADM's is 5000", split_size=split_size)
    divisor(ddof)


def _check_splits(splits: int, count: int, rule: SplitRule) -> None:
    if rule is not SplitRule.fixed and count < splits:
        raise ValueError(
            f"fake_logits: found {count} rows for {splits} splits, expected at least one row "
            "for each. Lower metrics.inception_score.splits or sample more images."
        )


@dataclass(frozen=True)
class InceptionScore:
    """Protocol: all generated images; needs no reference.

    The interval of is_mean is for the score expected at this count and these splits, which is
    below that of more images. Simulated with softmax of Gaussian logits (10 and 100 classes, 400
    draws) it covered that in 93 to 96 % of draws with twice as many images in a split as classes or
    more, in 91 to 93 % with as many, in 88 % with half; so there is none with fewer than classes.

    Attributes:
        splits: parts that are scored apart.
        split_rule: which images make a part.
        split_size: images of a part under SplitRule.fixed.
        shuffle: order of the images before they are split.
        ddof: divisor splits - ddof of the spread.
    """

    splits: int = 10
    split_rule: SplitRule = SplitRule.even
    split_size: int = 5000
    shuffle: Shuffle = Shuffle.numpy_2020
    ddof: int = 0

    scores: ClassVar[dict[str, Better]] = {"is_mean": Better.HIGHER, "is_std": Better.NEITHER}

    def __post_init__(self) -> None:
        _check_parameters(self.splits, self.split_size, self.ddof)

    def compute(self, *, fake_logits: Tensor, rng: torch.Generator) -> Outcome:
        """Mean and standard deviation over the splits, and each image's influence on the mean."""
        check_features(fake_logits=fake_logits)
        count = len(fake_logits)
        parts = _parts(count, self.splits, self.split_rule, self.split_size, self.shuffle, rng)
        divergences = [_divergences(fake_logits, part) for part in parts]
        mean, spread = _summary([exp(float(found.mean())) for found in divergences], self.ddof)
        influence = _influences(divergences, parts, count)
        trusted = min(map(len, parts)) >= max(2, fake_logits.shape[1])
        undefined = None if len(parts) > max(self.ddof, 1) else f"{len(parts)} split has no spread"
        return Outcome(
            scores={
                "is_mean": _estimate(mean, influence) if trusted else Estimate(mean),
                "is_std": Estimate(spread, undefined=undefined),
            },
            per_image={"fake": {"is_mean_influence": influence}},
            flags=_left_out(parts, count),
        )


def _estimate(value: float, influence: Tensor) -> Estimate:
    return normal_estimate(value, standard_error(influence), "influences of images")


def _left_out(parts: list[Tensor], count: int) -> dict[str, int]:
    rest = count - sum(map(len, parts))
    return {"images_left_out": rest} if rest else {}
