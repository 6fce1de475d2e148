"""Frechet distance within each class, and the mean over classes (intra-class FID)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metrics.fid import distance_between
from metrics.gaussian import Gaussian
from metrics.metric import Better, Estimate, Outcome
from metrics.moments import check_divisor
from metrics.parameters import divisor


def class_fid(
    *, real: Tensor, fake: Tensor, real_labels: Tensor, fake_labels: Tensor, ddof: int = 1
) -> dict[int, float]:
    """`frechet_distance` between the images of each class; their mean is the usual score.

    Classes with no more than `ddof` images on a side, also none at all, have no covariance there
    and are left out. Classes have few images, so the bias is large and covariances seldom have
    full rank: compare equal counts only.

    Args:
        real: (N, D) features of reference images.
        fake: (M, D) features of generated images, from the same backbone.
        real_labels: (N,) int64 classes of the reference images.
        fake_labels: (M,) int64 classes that the generated images were asked for.
        ddof: covariances are divided by n - ddof.

    Returns:
        Class -> distance, ascending by class; at least one.

    Raises:
        ValueError: if features are not usable, labels do not match them, or no class is left.

    Source: T. Miyato, M. Koyama, "cGANs with Projection Discriminator", 2018, section 4 (intra
    FID); the distance as in `frechet_distance`.
    """
    _check(real, fake, real_labels, fake_labels, ddof)
    shared = _classes(real_labels, fake_labels, ddof)
    return {
        label: distance_between(
            Gaussian(real[real_labels == label], ddof), Gaussian(fake[fake_labels == label], ddof)
        )
        for label in shared
    }


def _classes(real_labels: Tensor, fake_labels: Tensor, ddof: int) -> list[int]:
    """Ascending classes with more than `ddof` images on both sides."""
    sides = []
    for labels in (real_labels, fake_labels):
        classes, counts = labels.unique(return_counts=True)
        sides.append(set(classes[counts > ddof].tolist()))
    if not sides[0] & sides[1]:
        raise ValueError(
            f"fake_labels: no class has {ddof + 1} images on both sides; check that both sides "
            "number classes alike, or add images."
        )
    return sorted(sides[0] & sides[1])


def _check(real: Tensor, fake: Tensor, real_labels: Tensor, fake_labels: Tensor, ddof: int) -> None:
    check_divisor(ddof, real=real, fake=fake)
    for side, rows, labels in (("real", real, real_labels), ("fake", fake, fake_labels)):
        if labels.shape != (len(rows),) or labels.is_floating_point():
            raise ValueError(
                f"{side}_labels: found {labels.dtype} of shape {tuple(labels.shape)}, expected "
                f"({len(rows)},) integers, one class for each row of {side}."
            )


@dataclass(frozen=True)
class ClassFid:
    """Protocol: all rows, one distance a class; the score is the mean over classes.

    Flags count classes that were left out and classes whose covariances cannot have full rank
    (no more than D images on a side).

    Attributes:
        ddof: covariance divisor n - ddof.
    """

    ddof: int = 1

    scores: ClassVar[dict[str, Better]] = {"class_fid": Better.LOWER}

    def __post_init__(self) -> None:
        divisor(self.ddof)

    def compute(
        self, *, real: Tensor, fake: Tensor, real_labels: Tensor, fake_labels: Tensor
    ) -> Outcome:
        """The mean, and the curve of class, fid and counts."""
        found = class_fid(
            real=real,
            fake=fake,
            real_labels=real_labels,
            fake_labels=fake_labels,
            ddof=self.ddof,
        )
        curve = _curve(found, real_labels, fake_labels)
        asked = set(real_labels.tolist()) | set(fake_labels.tolist())
        fewest = torch.minimum(curve["num_real"], curve["num_fake"])
        flags = {
            "classes_left_out": len(asked) - len(found),
            "rank_deficient_classes": int((fewest <= real.shape[1]).sum()),
        }
        return Outcome(
            scores={"class_fid": Estimate(float(curve["fid"].mean()))},
            curves={"classes": curve},
            flags={name: count for name, count in flags.items() if count},
        )


def _curve(found: dict[int, float], real_labels: Tensor, fake_labels: Tensor) -> dict[str, Tensor]:
    """Column -> (C,), one entry for each class."""
    classes = torch.tensor(list(found))
    return {
        "class": classes,
        "fid": torch.tensor(list(found.values()), dtype=torch.float64),
        "num_real": _counts(real_labels, classes),
        "num_fake": _counts(fake_labels, classes),
    }


def _counts(labels: Tensor, classes: Tensor) -> Tensor:
    """(C,) images of each of the classes."""
    return torch.stack([(labels == label).sum().cpu() for label in classes])
