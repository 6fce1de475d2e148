"""Mixture of spherical Gaussians on given centres, of which only the variances are fitted."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, pi

import torch
from torch import Tensor

from metrics.blocks import ENTRIES, blocks

LEARNING_RATE = 0.5
FLOOR = 1e-3  # added to the nearest squared distance, so that copies start at a finite variance
CLAMP = 40.0  # of log variances
SHRINKAGE = 0.9**2  # of squared distances to the mean of the data, in the component there
TOLERANCE = 5e-4  # a fit stops when the last five mean losses lie within it
KEPT = 2**28  # distances kept in float32 between epochs (1.1 GB); further ones are made anew


@dataclass(frozen=True)
class Mixture:
    """Equally weighted spherical Gaussians.

    Attributes:
        centres: (M, D) float64.
        log_variances: (M,) float64.
    """

    centres: Tensor
    log_variances: Tensor

    def log_likelihood(self, rows: Tensor) -> Tensor:
        """(n,) float64 log densities of (n, D) rows."""
        count, width = self.centres.shape
        found = []
        for _, distances in _Distances(rows, self.centres, kept=0):
            scaled = distances * (-self.log_variances).exp()
            densities = _log_densities(scaled, self.log_variances, width)
            found.append(densities.logsumexp(dim=1) - log(count))
        return torch.cat(found)


def fit_mixture(
    centres: Tensor, rows: Tensor, *, epochs: int, batch: int, entries: int = ENTRIES
) -> Mixture:
    """Fit one variance per centre to rows by Adam on the mean negative log-likelihood.

    While fitting, a component of weight 1 at the mean of the rows, with distances shrunk by 0.9
    and a variance of its own, gives every row some likelihood; the result is without it. Variances
    start at (squared distance to the nearest row + 1e-3) / D.

    Args:
        centres: (M, D) float64.
        rows: (N, D) float64, in the order in which batches are cut.
        epochs: passes over the rows; fewer once the loss has settled to 5e-4.
        batch: rows of one step.
        entries: pairs held in float64 at a time.

    Source: M. Jiralerspong et al., "Feature Likelihood Divergence", 2023, and the authors' code.
    """
    width = rows.shape[1]
    parts = [rows[part] for part in blocks(len(rows), width=1, entries=batch)]
    distances = [
        _Distances(part, centres, kept=KEPT * len(part) // len(rows), entries=entries)
        for part in parts
    ]
    origin = rows.mean(dim=0, keepdim=True)
    shrunk = [SHRINKAGE * _squared_distances(part, origin) for part in parts]

    log_variances = _nearest(distances).add_(FLOOR).div_(width).log_()
    origin_log_variance = torch.zeros(1, dtype=torch.float64, device=rows.device)
    adam = torch.optim.Adam([log_variances, origin_log_variance], lr=LEARNING_RATE)
    losses: list[float] = []
    for _ in range(epochs):
        epoch = []
        for pairs, far in zip(distances, shrunk, strict=True):
            epoch.append(_loss_and_gradients(pairs, far, log_variances, origin_log_variance, width))
            adam.step()
            log_variances.clamp_(-CLAMP, CLAMP)
        losses.append(sum(epoch) / len(epoch))
        if len(losses) > 6 and max(abs(losses[-1] - past) for past in losses[-5:]) < TOLERANCE:
            break
    return Mixture(centres, log_variances)


class _Distances:
    """Squared distances of rows to centres, block by block; the first ones are kept in float32."""

    def __init__(self, rows: Tensor, centres: Tensor, *, kept: int, entries: int = ENTRIES) -> None:
        self.rows, self.centres = rows, centres
        self.parts = list(blocks(len(rows), width=len(centres), entries=entries))
        self.left = kept
        self.found: dict[int, Tensor] = {}

    def __iter__(self) -> Iterator[tuple[slice, Tensor]]:
        for part in self.parts:
            yield part, self._block(part)

    def _block(self, part: slice) -> Tensor:
        if part.start in self.found:
            return self.found[part.start]
        distances = _squared_distances(self.rows[part], self.centres)
        if distances.numel() <= self.left:
            self.found[part.start] = distances.float()
            self.left -= distances.numel()
        return distances


def _squared_distances(rows: Tensor, centres: Tensor) -> Tensor:
    """(n, M) float64; copies may come out at rounding instead of 0, far below FLOOR."""
    products = (-2 * rows) @ centres.T
    products.add_(rows.square().sum(1, keepdim=True)).add_(centres.square().sum(1))
    return products.clamp_(min=0)


def _nearest(distances: list[_Distances]) -> Tensor:
    """(M,) squared distance of each centre to its nearest row."""
    minima = [block.double().amin(0) for pairs in distances for _, block in pairs]
    return torch.stack(minima).amin(0)


def _log_densities(scaled: Tensor, log_variances: Tensor, width: int) -> Tensor:
    """(n, M) log N(row; centre, variance), from squared distances over variances."""
    return scaled.mul(-0.5).sub_(width / 2 * (log_variances + log(2 * pi)))


def _loss_and_gradients(
    pairs: _Distances, far: Tensor, log_variances: Tensor, origin_log_variance: Tensor, width: int
) -> float:
    """Mean negative log-likelihood per dimension; sets the gradients of both variances."""
    gradient = torch.zeros_like(log_variances)
    origin_gradient = torch.zeros_like(origin_log_variance)
    total = 0.0
    for part, distances in pairs:
        scaled = distances * (-log_variances).exp()  # float64 also where distances are float32
        densities = _log_densities(scaled, log_variances, width).sub_(log(len(log_variances)))
        origin_scaled = far[part] * (-origin_log_variance).exp()
        origin = _log_densities(origin_scaled, origin_log_variance, width)
        likelihood = torch.logaddexp(densities.logsumexp(1, keepdim=True), origin)
        total += float(likelihood.sum())
        share = densities.sub_(likelihood).exp_()  # (n, M) how much each centre explains a row
        gradient += share.mul_(scaled.neg_().add_(width)).sum(0)
        origin_gradient += (origin.sub_(likelihood).exp_() * (width - origin_scaled)).sum(0)
    scale = 2 * width * len(far)
    log_variances.grad, origin_log_variance.grad = gradient / scale, origin_gradient / scale
    return -2 * total / scale
