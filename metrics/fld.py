"""Feature Likelihood Divergence (FLD): likelihood of unseen images near the generated ones."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metrics.gaussian_mixture import CLAMP, Mixture, fit_mixture
from metrics.metric import Better, Estimate, Outcome, check_features, check_range
from metrics.moments import mean
from metrics.parameters import at_least


@dataclass(frozen=True)
class Likelihoods:
    """Mean negative log-likelihoods per dimension under a mixture on the fakes.

    Attributes:
        holdout: of the unseen images.
        train: of the images that the variances were fitted to.
        baseline: of the unseen images under a mixture on half the training images, or as given.
        constant: dimensions left out because they are constant over the holdout.
        clamped: fakes whose variance fell to the lowest that the fit allows: training images sit on
            them, and the likelihoods say little more than that.
    """

    holdout: float
    train: float
    baseline: float
    constant: int
    clamped: int


def fld(
    *,
    real: Tensor,
    fake: Tensor,
    holdout: Tensor,
    rng: torch.Generator,
    fakes: int = 10_000,
    epochs: int = 50,
    batch: int = 10_000,
    baseline: float | None = None,
) -> dict[str, float]:
    """Fidelity, diversity and novelty in one likelihood, and the gap that memorisation opens.

    Features are z-scored by the holdout. A spherical Gaussian sits on every fake; its variance is
    fitted to the training images, so fakes that copy them get narrow ones, which unseen images
    pay for. With nll the mean negative log-likelihood per dimension:
    fld = 100 (nll(holdout) - baseline), about 0 to 100, 0 as good as real images, lower is better;
    fld_gap = 100 (nll(train) - nll(holdout)), the more negative, the more is memorised.

    Args:
        real: (N, D) features of the training images, N >= 2.
        fake: (M, D) features of generated images, from the same backbone.
        holdout: (H, D) features of unseen real images, H >= 2.
        rng: deals the training images into batches and halves, and picks the fakes.
        fakes: fakes used at most, a random choice of more; the score moves with their number.
        epochs: passes over the training images.
        batch: training images of one step.
        baseline: nll per dimension of a perfect generator; None measures it, with a mixture on
            min(M, N / 2) training images fitted to the others. The authors ship constants, e.g.
            1.2861071825 for CIFAR-10 in DINOv2 ViT-B/14 features and 10,000 fakes.

    Returns:
        {"fld": ..., "fld_gap": ...}; dimensions that are constant over the holdout are left out.

    Raises:
        ValueError: if a side has too few rows or is not usable, the widths differ, a parameter is
            out of range, or the holdout is constant in all dimensions.

    Source: M. Jiralerspong et al., "Feature Likelihood Divergence: Evaluating the Generalization of
    Generative Models Using Samples", 2023, section 3, and the authors' code.
    Differs: float64 where theirs is float32; seeded. Theirs divides by zero in dimensions that are
    constant over the holdout and returns NaN.
    """
    return _values(
        likelihoods(
            real=real,
            fake=fake,
            holdout=holdout,
            rng=rng,
            fakes=fakes,
            epochs=epochs,
            batch=batch,
            baseline=baseline,
        )
    )


def likelihoods(
    *,
    real: Tensor,
    fake: Tensor,
    holdout: Tensor,
    rng: torch.Generator,
    fakes: int,
    epochs: int,
    batch: int,
    baseline: float | None,
) -> Likelihoods:
    """What `fld` is made of.

    Raises:
        ValueError: as `fld` does.
    """
    check_features(minimum=2, real=real)
    check_features(fake=fake, real=real)
    check_features(minimum=2, holdout=holdout)
    check_features(holdout=holdout, real=real)
    check_range(real=real, fake=fake, holdout=holdout)
    at_least(1, fakes=fakes, epochs=epochs, batch=batch)
    train, fake, test = _normalise(real, fake[_some(len(fake), fakes, rng)], holdout)
    mixture = fit_mixture(fake, train[_some(len(train), None, rng)], epochs=epochs, batch=batch)
    if baseline is None:
        baseline = _baseline(train, test, len(fake), rng, epochs=epochs, batch=batch)
    return Likelihoods(
        holdout=_nll(mixture, test),
        train=_nll(mixture, train),
        baseline=baseline,
        constant=real.shape[1] - train.shape[1],
        clamped=int((mixture.log_variances <= -CLAMP).sum()),
    )


def _values(found: Likelihoods) -> dict[str, float]:
    return {
        "fld": 100 * (found.holdout - found.baseline),
        "fld_gap": 100 * (found.train - found.holdout),
    }


def _counts(found: Likelihoods) -> dict[str, int]:
    return {"constant_dimensions": found.constant, "fakes_at_lowest_variance": found.clamped}


def _baseline(
    train: Tensor, test: Tensor, size: int, rng: torch.Generator, *, epochs: int, batch: int
) -> float:
    """Nll of the holdout where training images stand in for fakes."""
    shuffled = train[_some(len(train), None, rng)]
    size = min(size, len(train) // 2)
    order = _some(len(train) - size, None, rng)
    mixture = fit_mixture(shuffled[:size], shuffled[size:][order], epochs=epochs, batch=batch)
    return _nll(mixture, test)


def _nll(mixture: Mixture, rows: Tensor) -> float:
    return -float(mixture.log_likelihood(rows).mean()) / rows.shape[1]


def _some(count: int, wanted: int | None, rng: torch.Generator) -> Tensor:
    """Indices of `wanted` rows in random order, all if there are no more."""
    return torch.randperm(count, generator=rng, device=rng.device)[:wanted]


def _normalise(train: Tensor, fake: Tensor, test: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Z-score by the holdout, (n, D') float64, without the dimensions it is constant in."""
    varies = test.amax(0) > test.amin(0)
    if not varies.any():
        raise ValueError(
            f"holdout: all {len(test)} rows are equal, expected features that vary; FLD divides "
            "by their standard deviation."
        )
    centre = mean(test)[varies]
    spread = test[:, varies].double().std(dim=0)
    train, fake, test = (
        (side[:, varies].double() - centre) / spread for side in (train, fake, test)
    )
    return train, fake, test


@dataclass(frozen=True)
class Fld:
    """Protocol: real is the training set, holdout are unseen images.

    Attributes:
        fakes: fakes used at most.
        epochs: passes over the training images.
        batch: training images of one step.
        baseline: nll per dimension of a perfect generator; None measures it.
    """

    fakes: int = 10_000
    epochs: int = 50
    batch: int = 10_000
    baseline: float | None = None

    scores: ClassVar[dict[str, Better]] = {"fld": Better.LOWER, "fld_gap": Better.NEITHER}

    def __post_init__(self) -> None:
        at_least(1, fakes=self.fakes, epochs=self.epochs, batch=self.batch)

    def compute(
        self, *, real: Tensor, fake: Tensor, holdout: Tensor, rng: torch.Generator
    ) -> Outcome:
        """Both scores; flags dimensions that are constant over the holdout."""
        found = likelihoods(
            real=real,
            fake=fake,
            holdout=holdout,
            rng=rng,
            fakes=self.fakes,
            epochs=self.epochs,
            batch=self.batch,
            baseline=self.baseline,
        )
        return Outcome(
            scores={name: Estimate(value) for name, value in _values(found).items()},
            flags={name: count for name, count in _counts(found).items() if count},
        )
