"""Perceptual path length: how much images change along short steps between latents."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import sqrt
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from metrics.blocks import blocks
from metrics.parameters import above_zero
from metrics.path_images import Crop, Shrink, prepare


class PathGenerator(Protocol):
    """A generator in two steps, of which the path may run through either space.

    `synthesis` must map rows independently, with the same noise for every row: both ends of a step
    come in one batch and must differ by the step alone.
    """

    z_dim: int

    def mapping(self, z: Tensor, c: Tensor | None) -> Tensor:
        """Latents (n, z_dim), N(0, 1), with their conditions -> (n, ...) points of space w."""

    def synthesis(self, w: Tensor) -> Tensor:
        """Points of space w -> float (n, 1 or 3, H, W) images in [-1, 1], in the dtype of w."""


PairDistance = Callable[[Tensor, Tensor], Tensor]
"""Float (n, 3, H, W) images in [-1, 1], twice -> (n,) squared perceptual distances, as LPIPS."""


class Space(Enum):
    """Where the path runs and how it bends."""

    w = "w"  # straight between mapped latents
    z = "z"  # on the sphere between latents scaled to norm 1
    z_straight = "z_straight"  # straight between latents


class Sampling(Enum):
    """Where on the path the step starts."""

    end = "end"  # at its first end
    full = "full"  # anywhere, uniformly


@dataclass(frozen=True)
class PathProtocol:
    """What is measured; the default is StyleGAN2's and StyleGAN3's `ppl2_wend`.

    Attributes:
        space: where the path runs.
        sampling: where on it the step starts.
        epsilon: length of the step, as a share of the path.
        crop: what part of the images is compared.
        shrink: how large images are made smaller.
        quantise: round images to 256 levels first; the rounding then exceeds most steps.
    """

    space: Space = Space.w
    sampling: Sampling = Sampling.end
    epsilon: float = 1e-4
    crop: Crop = Crop.none
    shrink: Shrink = Shrink.box_256
    quantise: bool = False

    def __post_init__(self) -> None:
        above_zero(most=1, epsilon=self.epsilon)

    def prepare(self, images: Tensor) -> Tensor:
        """Generated images as the distance meets them."""
        return prepare(images, crop=self.crop, shrink=self.shrink, quantise=self.quantise)


STYLEGAN2 = PathProtocol()
TORCH_FIDELITY = PathProtocol(space=Space.z_straight, shrink=Shrink.resize_64, quantise=True)


@dataclass(frozen=True)
class PathLength:
    """A perceptual path length.

    Attributes:
        mean: of the kept distances: the score, >= 0, lower is smoother.
        std: deviation of the kept distances, divisor n.
        standard_error: of `mean`, from the winsorised variance of all distances.
        distances: (N,) float64, of every step, divided by epsilon^2.
        kept: (N,) bool, which of them lie within the 1st and 99th percentile.
    """

    mean: float
    std: float
    standard_error: float
    distances: Tensor
    kept: Tensor


def perceptual_path_length(
    *,
    generator: PathGenerator,
    distance: PairDistance,
    rng: torch.Generator,
    protocol: PathProtocol = STYLEGAN2,
    num_samples: int = 50_000,
    batch_size: int = 16,
    conditions: Tensor | None = None,
    redraw_noise: Callable[[torch.Generator], None] | None = None,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> PathLength:
    """Mean squared perceptual distance of a short step, per squared step.

    mean of d(G(p(t)), G(p(t + epsilon))) / epsilon^2 over random paths p, after leaving out the
    lowest and the highest hundredth. Lower is smoother; the unit depends on every parameter, so
    compare within one protocol. Sample k has a random stream of its own: neither the batch size nor
    the number of samples changes it, unless noise is redrawn.

    Args:
        generator: in evaluation mode, on the device and in the dtype.
        distance: likewise; `models.perceptual.lpips` with net vgg is the published one.
        rng: decides latents, positions, conditions and noise.
        protocol: what is measured.
        num_samples: paths, >= 2.
        batch_size: paths at a time, two images each.
        conditions: (L, ...) conditions of the dataset's images, of which each path takes one.
        redraw_noise: called before each batch, to give noise buffers other values.
        dtype: of latents and images. In float32 a step of 1e-4 leaves images three digits to
            differ by; float64 leaves twelve.
        device: where the generator and the distance are.

    Raises:
        ValueError: if a count is too small, the latents are too narrow for the space, images do
            not fit crop or shrink, or a distance is not finite.

    Source: T. Karras et al., "A Style-Based Generator Architecture for Generative Adversarial
    Networks", 2019, section 4.1; T. Karras et al., "Analyzing and Improving the Image Quality of
    StyleGAN", 2020; their code for crop, shrinking and percentiles.
    Differs: latents are drawn and bent in float64, one stream per sample; noise buffers stay as
    they are unless `redraw_noise` is given; percentiles fall on exact ranks.
    """
    _check_counts(num_samples, batch_size, generator.z_dim, protocol.space)
    seeds = torch.randint(2**62, (num_samples,), generator=rng)
    parts = []
    for batch in blocks(num_samples, width=1, entries=batch_size):
        if redraw_noise is not None:
            redraw_noise(rng)
        draws = _draws(seeds[batch], generator.z_dim, conditions)
        with torch.no_grad():
            w = _steps(generator, draws, protocol, lambda x: x.to(device, dtype))
            images = protocol.prepare(generator.synthesis(w))
            starts, ends = images.chunk(2)
            parts.append(distance(starts, ends).double().cpu() / protocol.epsilon**2)
    return trimmed(torch.cat(parts))


def _check_counts(num_samples: int, batch_size: int, z_dim: int, space: Space) -> None:
    if num_samples < 2 or batch_size < 1:
        raise ValueError(
            f"ppl: num_samples is {num_samples} and batch_size {batch_size}, expected 2 and 1 or "
            "more."
        )
    if space is Space.z and z_dim < 2:
        raise ValueError("ppl: a sphere needs z_dim of 2 or more; take space z_straight.")


@dataclass(frozen=True)
class Draws:
    """The random part of a batch of paths.

    Attributes:
        first: (n, z_dim) float64 latents at one end.
        second: (n, z_dim) float64 latents at the other.
        position: (n,) float64, uniform in [0, 1).
        condition: (n, ...) or None.
    """

    first: Tensor
    second: Tensor
    position: Tensor
    condition: Tensor | None


def _draws(seeds: Tensor, z_dim: int, conditions: Tensor | None) -> Draws:
    latents = torch.empty(2, len(seeds), z_dim, dtype=torch.float64)
    position = torch.empty(len(seeds), dtype=torch.float64)
    chosen = torch.zeros(len(seeds), dtype=torch.int64)
    for row, seed in enumerate(seeds.tolist()):
        stream = torch.Generator().manual_seed(seed)
        latents[:, row] = torch.randn(2, z_dim, dtype=torch.float64, generator=stream)
        position[row] = torch.rand((), dtype=torch.float64, generator=stream)
        if conditions is not None:
            chosen[row] = torch.randint(len(conditions), (), generator=stream)
    condition = None if conditions is None else conditions[chosen.to(conditions.device)]
    return Draws(latents[0], latents[1], position, condition)


def _steps(
    generator: PathGenerator,
    draws: Draws,
    protocol: PathProtocol,
    place: Callable[[Tensor], Tensor],
) -> Tensor:
    """(2 n, ...) points of space w: n where steps start, then n where they end.

    `place` casts to the generator's device and dtype, late: float64 latents bend without loss.
    """
    t = draws.position if protocol.sampling is Sampling.full else torch.zeros_like(draws.position)
    moments = (t, t + protocol.epsilon)
    first, second = draws.first, draws.second
    c = None if draws.condition is None else torch.cat([draws.condition] * 2)
    if protocol.space is Space.w:
        w, other = generator.mapping(place(torch.cat([first, second])), c).chunk(2)
        return torch.cat([lerp(w, other, place(moment)) for moment in moments])
    bend = slerp if protocol.space is Space.z else lerp
    return generator.mapping(place(torch.cat([bend(first, second, m) for m in moments])), c)


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Points at the shares t (n,) of the straight ways from a to b, both (n, ...)."""
    return a + (b - a) * t.view(-1, *[1] * (a.ndim - 1))


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Points at the shares t (n,) of the arcs between the directions of a and b, both (n, D)."""
    a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    cosine = (a * b).sum(dim=1, keepdim=True)
    angle = t[:, None] * cosine.clamp(-1, 1).acos()
    across = F.normalize(b - cosine * a, dim=1)
    return F.normalize(a * angle.cos() + across * angle.sin(), dim=1)


def trimmed(distances: Tensor) -> PathLength:
    """Mean of the distances from the 1st percentile, rank below, to the 99th, rank above.

    Args:
        distances: (N,) float64, N >= 2.

    Raises:
        ValueError: if a distance is not finite.

    Source: J. Tukey, D. McLaughlin, "Less Vulnerable Confidence and Significance Procedures for
    Location Based on a Single Sample", 1963, for the standard error.
    """
    if not torch.isfinite(distances).all():
        raise ValueError(
            f"ppl: {int((~torch.isfinite(distances)).sum())} of {len(distances)} distances are NaN "
            "or infinite; the generator or the distance overflows."
        )
    ordered, last = distances.sort().values, len(distances) - 1
    low, high = ordered[last // 100], ordered[-(-99 * last // 100)]
    kept = (distances >= low) & (distances <= high)
    inside = distances[kept]
    spread = float(distances.clamp(low, high).std())  # winsorised: what the trimming leaves
    return PathLength(
        mean=float(inside.mean()),
        std=float(inside.std(correction=0)),
        standard_error=spread * sqrt(len(distances)) / len(inside),
        distances=distances,
        kept=kept,
    )
