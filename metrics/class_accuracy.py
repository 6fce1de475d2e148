"""Class accuracy: does a classifier see the class that an image was asked to show?"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.intervals import wilson_interval
from metrics.metric import Better, Estimate, Outcome, check_features

GUESSES = {"top1": 1, "top5": 5}


class LogitTies(Enum):
    """Which of two classes with equal logits comes first."""

    lowest_class = "lowest_class"  # the lower index, as argmax
    against = "against"  # any class but the label's


def class_ranks(
    *, logits: Tensor, labels: Tensor, ties: LogitTies = LogitTies.lowest_class
) -> Tensor:
    """How many classes come before the label's own when sorted by falling logit.

    An image is right within k guesses where its rank is below k.

    Args:
        logits: (N, C) classifier outputs; any rising function of probabilities does.
        labels: (N,) int64 class indices in [0, C). C may exceed the number of labels in use
            (Inception has 1008 outputs for 1000 classes); the indices must mean the same classes.
        ties: the order of equal logits.

    Returns:
        (N,) int64, 0 to C - 1.

    Raises:
        ValueError: if the logits are not usable, or the labels are no integers, are not one for
            each row, or lie outside [0, C).

    Source: O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", 2015,
    section 4.1, as top-k accuracy.
    """
    _check(logits, labels)
    labels = labels.to(logits.device)
    ranks = torch.empty_like(labels, dtype=torch.int64)
    for block in blocks(len(logits), width=logits.shape[1]):
        own = logits[block].gather(1, labels[block, None])
        before = logits[block] > own
        before |= (logits[block] == own) & _wins_a_tie(logits.shape[1], labels[block], ties)
        ranks[block] = before.sum(dim=1)
    return ranks


def _wins_a_tie(classes: int, labels: Tensor, ties: LogitTies) -> Tensor:
    """(n, C) whether a class comes before the label's at equal logits."""
    each = torch.arange(classes, device=labels.device)
    if ties is LogitTies.lowest_class:
        return each < labels[:, None]
    return each != labels[:, None]


def _check(logits: Tensor, labels: Tensor) -> None:
    check_features(fake_logits=logits)
    if labels.ndim != 1 or labels.dtype.is_floating_point or labels.dtype is torch.bool:
        raise ValueError(
            f"fake_labels: found {labels.dtype} of shape {tuple(labels.shape)}, "
            "expected integers of shape (N,)."
        )
    if len(labels) != len(logits):
        raise ValueError(
            f"fake_labels: found {len(labels)} labels for {len(logits)} rows of logits, "
            "expected one for each."
        )
    outside = ((labels < 0) | (labels >= logits.shape[1])).nonzero().flatten()
    if len(outside):
        row = int(outside[0])
        raise ValueError(
            f"fake_labels: row {row} has label {int(labels[row])}, expected 0 to "
            f"{logits.shape[1] - 1}: the classifier has {logits.shape[1]} classes. Use a "
            "classifier of these labels' classes."
        )


@dataclass(frozen=True)
class ClassAccuracy:
    """Protocol: all generated images; flags labels whose logit another class has too.

    Attributes:
        ties: the order of equal logits.
    """

    ties: LogitTies = LogitTies.lowest_class

    scores: ClassVar[dict[str, Better]] = {"top1": Better.HIGHER, "top5": Better.HIGHER}

    def compute(self, *, fake_logits: Tensor, fake_labels: Tensor) -> Outcome:
        """Share of images whose label is the first, and among the first five, of the guesses."""
        ranks = class_ranks(logits=fake_logits, labels=fake_labels, ties=self.ties)
        columns = {
            name: _right(ranks, guesses, fake_logits.shape[1]) for name, guesses in GUESSES.items()
        }
        tied = _tied(fake_logits, fake_labels)
        return Outcome(
            scores={name: _share(column, GUESSES[name]) for name, column in columns.items()},
            per_image={"fake": columns},
            flags={"tied_labels": tied} if tied else {},
        )


def _right(ranks: Tensor, guesses: int, classes: int) -> Tensor:
    """(N,) 1 where the label is among the guesses; NaN where the guesses hold every class."""
    right = (ranks < guesses).double()
    return right if guesses < classes else torch.full_like(right, torch.nan)


def _share(right: Tensor, guesses: int) -> Estimate:
    value = float(right.mean())
    if right.isnan().any():
        return Estimate(value, undefined=f"{guesses} guesses hold every class")
    error = (value * (1 - value) / len(right)) ** 0.5
    return Estimate(
        value,
        standard_error=error or None,  # of equal hits the interval says what they are worth
        interval=wilson_interval(value, len(right)),
        interval_method="Wilson's score interval over images",
    )


def _tied(logits: Tensor, labels: Tensor) -> int:
    """Images with another class at exactly the label's logit."""
    own = logits.gather(1, labels.to(logits.device)[:, None])
    return int(((logits == own).sum(dim=1) > 1).sum())
