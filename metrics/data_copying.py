"""Data-copying test C_T: are generated images nearer to the training set than unseen ones are?"""

from dataclasses import dataclass
from enum import Enum
from math import sqrt
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from metrics.blocks import blocks
from metrics.intervals import normal_estimate
from metrics.metric import Better, Estimate, Outcome, check_features
from metrics.moments import moments
from metrics.neighbours import nearest_distances
from metrics.parameters import at_least


class Roles(Enum):
    """Which set is measured against which; the holdout is the yardstick in all of them."""

    published = "published"  # train = real, samples = fake
    swapped = "swapped"  # train = fake, samples = real (dgm-eval: memorisation)
    test_halves = "test_halves"  # train = first half of holdout, test = second (mode collapse)


@dataclass(frozen=True)
class Cells:
    """What the test found in each of K cells of the training set.

    Attributes:
        z: (K,) Z-scored U of each cell; NaN where it was not measured.
        z_error: (K,) one standard error of z, given the training set and the cells.
        test_share: (K,) share of the test rows that fell into the cell.
        used: (K,) bool, whether the cell holds enough samples to count.
        distances: (M,) float64 distance of each sample to the nearest training row of its cell.
    """

    z: np.ndarray
    z_error: np.ndarray
    test_share: np.ndarray
    used: np.ndarray
    distances: Tensor

    @property
    def score(self) -> float:
        """Mean of z over the used cells, weighted by test share; NaN if none is used."""
        if not self.used.any():
            return float("nan")
        return float(np.average(self.z[self.used], weights=self.test_share[self.used]))

    @property
    def error(self) -> float:
        """One standard error of the score, given the training set and the cells."""
        share = self.test_share[self.used] / self.test_share[self.used].sum()
        return float(np.linalg.norm(share * self.z_error[self.used]))


def data_copying(
    *,
    real: Tensor,
    fake: Tensor,
    holdout: Tensor,
    rng: torch.Generator,
    cells: int = 3,
    dimensions: int = 64,
    min_fakes: int = 20,
) -> float:
    """C_T, the mean over cells of the Z-scored Mann-Whitney U of distances to the training set.

    The training rows are cut into k-means cells. In each, d is the distance to the nearest
    training row of that cell, U = #{(fake, test): d(fake) > d(test)} + half the ties, and
    Z = (U - (n m / 2 - 1/2)) / sqrt(n m (n + m + 1) / 12) for n test rows and m fakes.
    C_T is the mean of Z weighted by test rows. Below about -3: fakes lie nearer than unseen
    images do (copying); above 3: farther (underfitting). Under the null each Z is about N(0, 1),
    and C_T about N(0, sum w^2); it grows like sqrt(N), so compare equal counts only.

    Args:
        real: (N, D) features of the training images.
        fake: (M, D) features of generated images, from the same backbone.
        holdout: (H, D) features of unseen real images.
        rng: seeds k-means and the principal components.
        cells: cells, <= N.
        dimensions: wider features are first projected to so many principal components of real.
        min_fakes: a cell counts only if it holds more fakes than this.

    Returns:
        The statistic; NaN if every cell holds too few fakes.

    Raises:
        ValueError: if a side is not usable, the widths differ, a parameter is out of range, or a
            cell holds no test row.

    Source: C. Meehan, K. Chaudhuri, S. Dasgupta, "A Non-Parametric Test to Detect Data-Copying in
    Generative Models", 2020, section 3, and the authors' code; cells, components and threshold as
    in dgm-eval and fld.
    Differs: seeded. A cell without test rows that holds too few fakes to count is passed over,
    where theirs fails.
    """
    check_features(real=real, fake=fake)
    check_features(fake=fake, holdout=holdout)
    return measure_cells(
        train=real,
        samples=fake,
        test=holdout,
        rng=rng,
        cells=cells,
        dimensions=dimensions,
        min_fakes=min_fakes,
    ).score


def measure_cells(
    *,
    train: Tensor,
    samples: Tensor,
    test: Tensor,
    rng: torch.Generator,
    cells: int,
    dimensions: int,
    min_fakes: int,
) -> Cells:
    """`data_copying` before the mean, with the roles named: train, samples, test."""
    _check(cells=cells, dimensions=dimensions, min_fakes=min_fakes)
    _check_rows(train, cells)
    train, samples, test = _project(train, samples, test, dimensions)
    labels = _cells(train, samples, test, cells, rng)
    distances = torch.full((len(samples),), torch.nan, dtype=torch.float64, device=samples.device)
    z, z_error = np.full((2, cells), np.nan)
    held, tests = (np.bincount(side.cpu(), minlength=cells) for side in labels[1:])
    used = held > min_fakes
    for cell in range(cells):
        inside = [side == cell for side in labels]
        if not held[cell]:
            continue
        centres = train[inside[0]]
        distances[inside[1]] = nearest_distances(rows=samples[inside[1]], among=centres)
        if used[cell]:
            _check_tests(cell, int(held[cell]), int(tests[cell]))
            z[cell], z_error[cell] = mann_whitney_z(
                distances[inside[1]], nearest_distances(rows=test[inside[2]], among=centres)
            )
    return Cells(z=z, z_error=z_error, test_share=tests / len(test), used=used, distances=distances)


def mann_whitney_z(samples: Tensor, test: Tensor) -> tuple[float, float]:
    """Z-scored U of samples over test, negative where samples tend to be smaller, and its error.

    The mean is m n / 2 - 1/2 (the authors' continuity correction) and the variance has no
    correction for ties, as in their code. The standard error is not that variance, which holds
    under the null only, but DeLong's: of the shares of the other side that each distance exceeds.

    Source: E. DeLong, D. DeLong, D. Clarke-Pearson, "Comparing the Areas under Two or More
    Correlated Receiver Operating Characteristic Curves", 1988.
    """
    from scipy.stats import rankdata  # a second, which a reused cell does not need

    m, n = len(samples), len(test)
    one, other = samples.cpu().numpy(), test.cpu().numpy()
    ranks = rankdata(np.concatenate([one, other]))
    below_sample = ranks[:m] - rankdata(one)  # test rows below each sample, ties as halves
    below_test = ranks[m:] - rankdata(other)
    spread = sqrt(m * n * (m + n + 1) / 12)
    error = sqrt(m * _variance(below_sample) + n * _variance(below_test)) / spread
    return float((below_sample.sum() - (m * n / 2 - 0.5)) / spread), error


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0


def _project(
    train: Tensor, samples: Tensor, test: Tensor, dimensions: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Principal components of train, where it is wider than `dimensions`."""
    if train.shape[1] <= dimensions:
        return train, samples, test
    found = moments(train)
    # n rows span n - 1 directions; eigenvalues ascend
    kept = min(dimensions, len(train) - 1)
    axes = torch.linalg.eigh(found.covariance).eigenvectors[:, -kept:]
    train, samples, test = (_onto(axes, found.mean, side) for side in (train, samples, test))
    return train, samples, test


def _onto(axes: Tensor, centre: Tensor, rows: Tensor) -> Tensor:
    parts = blocks(len(rows), width=rows.shape[1])
    return torch.cat([(rows[part].double() - centre) @ axes for part in parts])


def _cells(
    train: Tensor, samples: Tensor, test: Tensor, cells: int, rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """(n,) cell of every row of each side."""
    from sklearn.cluster import KMeans  # a second, which a reused cell does not need

    seed = int(torch.randint(2**31 - 1, (), generator=rng, device=rng.device))
    fitted = KMeans(cells, n_init=10, random_state=seed).fit(_array(train))
    sides = (torch.from_numpy(fitted.predict(_array(side))) for side in (train, samples, test))
    first, second, third = (side.to(train.device) for side in sides)
    return first, second, third


def _array(rows: Tensor) -> np.ndarray:
    return rows.double().cpu().numpy()


def _check(*, cells: int, dimensions: int, min_fakes: int) -> None:
    at_least(1, "dgm-eval takes 3", cells=cells)
    at_least(1, "dgm-eval takes 64", dimensions=dimensions)
    at_least(0, "dgm-eval takes 20", min_fakes=min_fakes)


def _check_rows(train: Tensor, cells: int) -> None:
    if cells > len(train):
        raise ValueError(f"cells is {cells}, expected 1 to {len(train)}, the training rows.")


def _check_tests(cell: int, samples: int, tests: int) -> None:
    if not tests:
        raise ValueError(
            f"cell {cell} holds {samples} samples but no test row: there is nothing to compare "
            "with. Lower cells, or add images to the holdout."
        )


@dataclass(frozen=True)
class DataCopying:
    """Protocol: all rows; real is the training set, holdout are unseen images.

    Attributes:
        cells: k-means cells of the training set.
        dimensions: principal components kept of wider features.
        min_fakes: a cell counts only if it holds more fakes.
        roles: which set is measured against which.
    """

    cells: int = 3
    dimensions: int = 64
    min_fakes: int = 20
    roles: Roles = Roles.published

    scores: ClassVar[dict[str, Better]] = {"c_t": Better.NEITHER}

    def __post_init__(self) -> None:
        _check(cells=self.cells, dimensions=self.dimensions, min_fakes=self.min_fakes)

    def compute(
        self, *, real: Tensor, fake: Tensor, holdout: Tensor, rng: torch.Generator
    ) -> Outcome:
        """The statistic, and the distance of each sample to its nearest training row."""
        check_features(real=real, fake=fake)
        check_features(fake=fake, holdout=holdout)
        found = self._measure(real, fake, holdout, rng)
        side = "real" if self.roles is Roles.swapped else "fake"
        left_out = int((~found.used).sum())
        return Outcome(
            scores={"c_t": self._estimate(found)},
            per_image={side: {"nearest_train_distance": found.distances}},
            flags={"cells_left_out": left_out} if left_out else {},
        )

    def _measure(self, real: Tensor, fake: Tensor, holdout: Tensor, rng: torch.Generator) -> Cells:
        half = (len(holdout) + 1) // 2  # as numpy.array_split cuts
        train, samples, test = {
            Roles.published: (real, fake, holdout),
            Roles.swapped: (fake, real, holdout),
            Roles.test_halves: (holdout[:half], fake, holdout[half:]),
        }[self.roles]
        return measure_cells(
            train=train,
            samples=samples,
            test=test,
            rng=rng,
            cells=self.cells,
            dimensions=self.dimensions,
            min_fakes=self.min_fakes,
        )

    def _estimate(self, found: Cells) -> Estimate:
        value = found.score
        if not found.used.any():
            return Estimate(value, undefined=f"no cell holds more than {self.min_fakes} samples")
        return normal_estimate(value, found.error, "DeLong, training set and cells fixed")
