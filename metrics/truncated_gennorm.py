"""Generalised normal densities truncated to [0, inf): maximum likelihood fit and divergence."""

from dataclasses import dataclass
from math import log, pi

import numpy as np
import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.nelder_mead import nelder_mead

SHAPES = (0.1, 50.0)  # the likelihood grows without bound as beta falls to 0 at a data point
CACHE = 2**17  # entries whose powers are taken at a time: they stay in a core's cache
NODES = 4000  # of the integral, on each of its four pieces


@dataclass(frozen=True)
class TruncatedGennorm:
    """B densities p(x) = exp(-(|x - mu| / alpha)^beta) / Z on [0, inf).

    Z = alpha / beta * (Gamma(1 / beta) + gamma(1 / beta, (mu / alpha)^beta)), for mu >= 0, with the
    lower incomplete gamma function.

    Attributes:
        mu: (B,) float64 >= 0, the mode.
        alpha: (B,) float64 > 0, the width.
        beta: (B,) float64 > 0, the shape: 1 is Laplace's, 2 a normal density.
    """

    mu: Tensor
    alpha: Tensor
    beta: Tensor

    def __getitem__(self, chosen: slice | Tensor) -> "TruncatedGennorm":
        return TruncatedGennorm(self.mu[chosen], self.alpha[chosen], self.beta[chosen])

    def log_density(self, distance: Tensor) -> Tensor:
        """Log of p where |x - mu| = distance, (B, n) -> (B, n)."""
        power = (self.beta[:, None] * (distance.log() - self.alpha.log()[:, None])).exp_()
        mode = (self.beta * (self.mu.log() - self.alpha.log())).exp()
        scale = self.alpha.log() + _log_normaliser(self.beta, mode)
        return -power - scale[:, None]

    def reach(self) -> Tensor:
        """(B,) distance from the mode beyond which less than 1e-16 of the mass lies."""
        return self.alpha * (50 + 5 / self.beta) ** (1 / self.beta)


def _log_normaliser(beta: Tensor, mode: Tensor) -> Tensor:
    """Log of Z / alpha where mode = (mu / alpha)^beta."""
    below = torch.special.gammainc(1 / beta, mode)
    return torch.lgamma(1 / beta) - beta.log() + torch.log1p(below)


def fit(values: Tensor) -> TruncatedGennorm:
    """Maximum likelihood of (mu, alpha, beta) for each of B sets, at the optimum nearest a start.

    The start is the published one: mu the centre of the fullest bin of numpy's "auto" histogram,
    beta 0.67. Nelder-Mead descends in (mu, log beta); alpha is solved for exactly at every step,
    since for fixed mu and beta the family is exponential in alpha^-beta and has one optimum.

    Args:
        values: (B, n) float64 >= 0, each row in ascending order. Zeros are left out; the other
            entries of a row must not all be equal.

    Returns:
        B densities with mu >= 0 and beta within SHAPES.

    Differs: for mu < 0 the published likelihood takes (|mu| / alpha)^beta in Z, where the true
    integral has a minus sign. Both Z and sum (x - mu)^beta are then larger than at mu = 0, so
    no optimum of the published likelihood lies there; it is the true likelihood over mu >= 0.
    """
    start, step = _start(values)
    zeros = (values == 0).sum(1)

    def objective(points: Tensor, problems: Tensor) -> Tensor:
        mu, beta = points[:, 0].abs(), points[:, 1].exp()
        allowed = (beta >= SHAPES[0]) & (beta <= SHAPES[1])
        beta = beta.clamp(*SHAPES)
        found = _profile(mu, beta, _mean_powers(values, zeros, mu, beta, problems))
        return torch.where(allowed, found[0], torch.inf)

    point = nelder_mead(objective, start=start, step=step).point
    mu, beta = point[:, 0].abs(), point[:, 1].exp()
    every = torch.arange(len(values), device=values.device)
    log_alpha = _profile(mu, beta, _mean_powers(values, zeros, mu, beta, every))[1]
    return TruncatedGennorm(mu, log_alpha.exp(), beta)


def _start(values: Tensor) -> tuple[Tensor, Tensor]:
    modes, spreads = [], []
    for row in values.cpu().numpy():
        counted = row[row > 0]
        heights, edges = np.histogram(counted, bins="auto")
        fullest = int(heights.argmax())
        modes.append((edges[fullest] + edges[fullest + 1]) / 2)
        spreads.append(counted.std())
    start = torch.tensor([[mode, log(0.67)] for mode in modes], dtype=torch.float64)
    step = torch.tensor([[0.2 * spread, 0.3] for spread in spreads], dtype=torch.float64)
    return start.to(values.device), step.to(values.device)


def _mean_powers(
    values: Tensor, zeros: Tensor, mu: Tensor, beta: Tensor, problems: Tensor
) -> Tensor:
    """(b,) means of |x - mu|^beta over positive x, the only sums over data that a fit needs."""
    width = values.shape[1]
    sums = torch.empty_like(mu)
    buffer = values.new_empty(max(width, CACHE))  # a new one for every part costs more than logs
    for part in blocks(len(problems), width=width, entries=CACHE):
        chosen = problems[part]
        powers = buffer[: len(chosen) * width].view(-1, width)
        torch.index_select(values, 0, chosen, out=powers)
        powers.sub_(mu[part, None]).abs_().log_().mul_(beta[part, None]).exp_()
        torch.sum(powers, dim=1, out=sums[part])
    left_out = zeros[problems]
    return (sums - left_out * (beta * mu.log()).exp()) / (width - left_out)


def _profile(mu: Tensor, beta: Tensor, mean_power: Tensor) -> tuple[Tensor, Tensor]:
    """Mean negative log-likelihood at the best alpha, and log alpha.

    With theta = alpha^-beta the best theta has beta theta mean_power = 1 - k(theta), where k is
    d log(1 + P(1/beta, theta mu^beta)) / d log theta times beta. Newton's steps are taken in the
    logs of both sides, which are nearly straight in log theta; k = 0 without truncation.
    """
    shape, log_mu = 1 / beta, mu.log()
    untruncated = -(beta * mean_power).log()
    log_theta = untruncated.clone()
    for _ in range(20):
        log_mode = log_theta + beta * log_mu
        mode = log_mode.exp()
        below = torch.special.gammainc(shape, mode)
        k = beta * (shape * log_mode - mode - torch.lgamma(shape)).exp() / (1 + below)
        gap = torch.log1p(-k) + untruncated - log_theta
        slope = -k * (shape - mode - k * shape) / (1 - k) - 1
        move = (gap / slope).clamp(-3, 3)
        log_theta = log_theta - move
        if (move.abs() < 1e-12).all():
            break
    mode = (log_theta + beta * log_mu).exp()
    cost = log_theta.exp() * mean_power - shape * log_theta + _log_normaliser(beta, mode)
    return cost, -shape * log_theta


def jensen_shannon(one: TruncatedGennorm, other: TruncatedGennorm) -> Tensor:
    """Jensen-Shannon divergence of B pairs of densities, (B,) float64 in bits, in [0, 1].

    mean of KL(p, m) and KL(q, m), m = (p + q) / 2. The half-line is cut at both modes, between
    them and far out; each piece has its mode, where a density may have a cusp or a peak of any
    width, at one end, and double-exponential nodes lie dense at all scales there.

    Source: H. Takahasi, M. Mori, "Double Exponential Formulas for Numerical Integration", 1974.
    Differs: the authors integrate by adaptive quadrature.
    """
    total = torch.zeros_like(one.mu)
    for block in blocks(len(one.mu), width=NODES):
        total[block] = _divergence(one[block], other[block])
    return total.clamp(0, 1)


def _divergence(one: TruncatedGennorm, other: TruncatedGennorm) -> Tensor:
    first = one.mu <= other.mu
    low, high = _choose(first, one, other), _choose(first, other, one)
    gap = high.mu - low.mu
    reach = torch.maximum(one.reach(), other.reach())
    return (
        _piece(low, high, length=low.mu, gap=gap, sign=1)
        + _piece(low, high, length=gap / 2, gap=gap, sign=-1)
        + _piece(high, low, length=gap / 2, gap=gap, sign=-1)
        + _piece(high, low, length=reach, gap=gap, sign=1)
    )


def _choose(first: Tensor, one: TruncatedGennorm, other: TruncatedGennorm) -> TruncatedGennorm:
    return TruncatedGennorm(
        torch.where(first, one.mu, other.mu),
        torch.where(first, one.alpha, other.alpha),
        torch.where(first, one.beta, other.beta),
    )


def _piece(
    near: TruncatedGennorm, far: TruncatedGennorm, *, length: Tensor, gap: Tensor, sign: int
) -> Tensor:
    """Integral over a piece that starts at near.mu; far.mu is ahead (sign -1) or behind (1)."""
    share, weight = _nodes(length.device)
    distance = length[:, None] * share
    p = near.log_density(distance).clamp(min=-1e6)
    q = far.log_density(gap[:, None] + sign * distance).clamp(min=-1e6)
    excess = p.exp() * _log2_of_share(q - p) + q.exp() * _log2_of_share(p - q)
    return (excess @ weight) * length / 2


def _log2_of_share(log_ratio: Tensor) -> Tensor:
    """Log2 of p / m where log_ratio = log(q / p)."""
    return 1 - torch.logaddexp(log_ratio, torch.zeros_like(log_ratio)) / log(2)


def _nodes(device: torch.device) -> tuple[Tensor, Tensor]:
    """Positions in (0, 1), from e^-100 on, and weights of a double-exponential rule."""
    at = torch.linspace(-4.2, 3.2, NODES, dtype=torch.float64, device=device)
    share = torch.sigmoid(pi * at.sinh())
    rest = torch.sigmoid(-pi * at.sinh())
    return share, share * rest * pi * at.cosh() * (at[1] - at[0])
