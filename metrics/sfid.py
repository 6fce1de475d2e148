"""Frechet distance on spatial features (sFID): sensitive to where things are in an image."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from metrics.fid import frechet_distance, measure, measure_given_moments
from metrics.metric import Better, Outcome
from metrics.moments import Moments, check_divisor
from metrics.parameters import divisor


def sfid(*, real_spatial: Tensor, fake_spatial: Tensor, ddof: int = 1) -> float:
    """`frechet_distance` of spatial features, in their squared unit; lower is better.

    The paper's features are the first 7 channels of Inception's mixed_6 convolution (`mixed_6/conv`
    of the TensorFlow network, behind its ReLU), 17 x 17 positions of each: S = 2023.

    Args:
        real_spatial: (N, S) features of reference images, N > ddof.
        fake_spatial: (M, S) features of generated images, M > ddof, from the same backbone.
        ddof: the covariances are divided by N - ddof and M - ddof.

    Raises:
        ValueError: if a side has too few rows or holds NaN or infinity, or the widths differ.

    Source: C. Nash et al., "Generating Images with Sparse Representations", 2021, section 4.2; the
    features as in guided-diffusion's evaluator (P. Dhariwal, A. Nichol, 2021).
    Differs: the root as in `frechet_distance`. The order of the S features does not matter here.
    """
    check_divisor(ddof, real_spatial=real_spatial, fake_spatial=fake_spatial)
    return frechet_distance(real=real_spatial, fake=fake_spatial, ddof=ddof)


@dataclass(frozen=True)
class Sfid:
    """Protocol: all rows of both sides; flags a covariance without full rank.

    Attributes:
        ddof: covariance divisor N - ddof.
    """

    ddof: int = 1

    scores: ClassVar[dict[str, Better]] = {"sfid": Better.LOWER}

    def __post_init__(self) -> None:
        divisor(self.ddof)

    def compute(self, *, real_spatial: Tensor, fake_spatial: Tensor) -> Outcome:
        """The distance with error and influences, withheld as `fid_influence` says."""
        check_divisor(self.ddof, real_spatial=real_spatial, fake_spatial=fake_spatial)
        return measure(real=real_spatial, fake=fake_spatial, ddof=self.ddof, score="sfid")

    def compute_given_moments(
        self, *, real_spatial_moments: Moments, fake_spatial: Tensor
    ) -> Outcome:
        """The same against a mean and covariance; the error is that of the fakes alone."""
        check_divisor(self.ddof, fake_spatial=fake_spatial)
        return measure_given_moments(
            real=real_spatial_moments, fake=fake_spatial, ddof=self.ddof, score="sfid"
        )
