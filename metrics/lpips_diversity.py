"""Within-class diversity: mean perceptual distance of generated images of one class."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.image_statistics import Images

PairDistance = Callable[[Tensor, Tensor], Tensor]
"""Float (n, 3, H, W) images in [-1, 1], twice -> (n,) perceptual distances."""

Sample = Callable[[Tensor, torch.Generator], Tensor]
"""(n,) int64 classes and a random stream -> uint8 (n, 3, H, W) images."""


class Pairing(Enum):
    """Which pairs of a class are compared; both have the same mean."""

    disjoint = "disjoint"  # no image in two pairs: distances are independent
    distinct = "distinct"  # no pair twice; images may recur


@dataclass(frozen=True)
class Diversity:
    """Distances of pairs within classes.

    Attributes:
        mean: over classes, of their mean distance: the score, higher is more diverse.
        standard_error: of `mean`, for these classes; None unless all distances are independent.
        classes: (K,) int64, ascending.
        by_class: (K,) float64 mean distance of each.
        distances: (K, P) float64, of each pair.
    """

    mean: float
    standard_error: float | None
    classes: Tensor
    by_class: Tensor
    distances: Tensor


def lpips_diversity(
    *,
    images: Images,
    labels: Tensor,
    distance: PairDistance,
    rng: torch.Generator,
    pairs_per_class: int = 100,
    pairing: Pairing = Pairing.disjoint,
    batch_size: int = 32,
) -> Diversity:
    """Mean perceptual distance of random pairs of one class, averaged over classes.

    (1 / K) sum over classes of (1 / P) sum over P random pairs i != j of the class of d(x_i, x_j).
    0 where each class shows one image again and again. Higher is more diverse, but noise is
    diverse too: read it beside the value of real images and a fidelity score.

    Args:
        images: N images that are read in parts.
        labels: (N,) int64 classes; every class that occurs counts alike.
        distance: such as `models.perceptual.lpips`; on images scaled to [-1, 1].
        rng: decides the pairs.
        pairs_per_class: P, >= 1.
        pairing: which pairs.
        batch_size: pairs at a time; cannot change the pairs.

    Raises:
        ValueError: if there are not as many labels as images, or a class has too few images.

    Source: A. Odena et al., "Conditional Image Synthesis with Auxiliary Classifier GANs", 2017,
    section 4.3, for 100 random pairs within each class, there under MS-SSIM; J.-Y. Zhu et al.,
    "Toward Multimodal Image-to-Image Translation", 2017, for LPIPS between random outputs of one
    condition.
    Differs: pairs are disjoint by default, which leaves the mean and makes its error known.
    """
    _check(images, labels, pairs_per_class)
    classes, counts = labels.cpu().unique(return_counts=True)
    _check_counts(classes, counts, pairs_per_class, pairing)
    pick = _disjoint if pairing is Pairing.disjoint else _distinct
    rows = []
    for label in classes:
        members = (labels.cpu() == label).nonzero()[:, 0]
        pairs = members[pick(len(members), pairs_per_class, rng)]  # (P, 2)
        rows.append(torch.cat(list(_read_distances(images, pairs, distance, batch_size))))
    return _diversity(classes, torch.stack(rows), independent=pairing is Pairing.disjoint)


def generator_lpips_diversity(
    *,
    sample: Sample,
    classes: Tensor,
    distance: PairDistance,
    rng: torch.Generator,
    pairs_per_class: int = 100,
    batch_size: int = 32,
) -> Diversity:
    """`lpips_diversity` of a generator: each pair is two fresh images of one class.

    Args:
        sample: makes images of given classes from a stream, independent of each other.
        classes: (K,) int64 classes to draw from, K >= 1.
        distance: on images scaled to [-1, 1].
        rng: decides the images.
        pairs_per_class: P, >= 1.
        batch_size: pairs at a time, two images each.

    Raises:
        ValueError: if there is no class or no pair to draw.
    """
    if len(classes) < 1 or pairs_per_class < 1:
        raise ValueError(
            f"lpips_diversity: found {len(classes)} classes and pairs_per_class "
            f"{pairs_per_class}, expected 1 or more of both."
        )
    ordered = classes.cpu().unique()
    rows = []
    for label in ordered:
        parts = []
        for batch in blocks(pairs_per_class, width=1, entries=batch_size):
            both = sample(label.expand(2 * (batch.stop - batch.start)), rng)
            parts.append(_distances(both, distance))
        rows.append(torch.cat(parts))
    return _diversity(ordered, torch.stack(rows), independent=True)


def _check(images: Images, labels: Tensor, pairs_per_class: int) -> None:
    if labels.ndim != 1 or labels.is_floating_point() or len(labels) != len(images):
        raise ValueError(
            f"labels: found {labels.dtype} of shape {tuple(labels.shape)} for {len(images)} "
            "images, expected one whole number per image."
        )
    if len(images) < 2 or pairs_per_class < 1:
        raise ValueError(
            f"lpips_diversity: found {len(images)} images and pairs_per_class {pairs_per_class}, "
            "expected 2 and 1 or more."
        )


def _check_counts(classes: Tensor, counts: Tensor, pairs: int, pairing: Pairing) -> None:
    possible = counts // 2 if pairing is Pairing.disjoint else counts * (counts - 1) // 2
    if (possible < pairs).any():
        worst = int(possible.argmin())
        raise ValueError(
            f"lpips_diversity: class {int(classes[worst])} has {int(counts[worst])} images, which "
            f"give {int(possible[worst])} {pairing.name} pairs, expected {pairs}; lower "
            "pairs_per_class or generate more images of it."
        )


def _disjoint(count: int, pairs: int, rng: torch.Generator) -> Tensor:
    """(P, 2) positions below `count`, none twice."""
    return torch.randperm(count, generator=rng)[: 2 * pairs].view(pairs, 2)


def _distinct(count: int, pairs: int, rng: torch.Generator) -> Tensor:
    """(P, 2) positions j < i below `count`, no pair twice; pairs are numbered i (i - 1) / 2 + j."""
    seed = int(torch.randint(2**62, (), generator=rng))
    choose = np.random.default_rng(seed).choice
    numbers = torch.from_numpy(choose(count * (count - 1) // 2, pairs, replace=False))
    i = ((1 + (1 + 8 * numbers.double()).sqrt()) / 2).long()
    return torch.stack([numbers - i * (i - 1) // 2, i], dim=1)


def _read_distances(
    images: Images, pairs: Tensor, distance: PairDistance, batch_size: int
) -> Iterator[Tensor]:
    for batch in blocks(len(pairs), width=1, entries=batch_size):
        first, second = pairs[batch].T
        yield _distances(images.read(torch.cat([first, second]).tolist()), distance)


def _distances(both: Tensor, distance: PairDistance) -> Tensor:
    """(n,) float64 distances between the halves of uint8 images (2 n, 3, H, W)."""
    first, second = (both / 127.5 - 1).chunk(2)
    with torch.no_grad():
        return distance(first, second).double().cpu()


def _diversity(classes: Tensor, distances: Tensor, *, independent: bool) -> Diversity:
    by_class = distances.mean(dim=1)
    error = None
    if independent and distances.shape[1] > 1:
        variances = distances.var(dim=1) / distances.shape[1]
        error = sqrt(float(variances.sum())) / len(classes)
    return Diversity(float(by_class.mean()), error, classes, by_class, distances)
