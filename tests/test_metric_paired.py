import pytest
import torch

from metrics.fid import Fid
from metrics.metric import Better
from metrics.neighbourhood import Neighbours
from metrics.paired import Scored, paired_comparison
from metrics.precision_recall import PrecisionRecall


def features(*, rows, width=8, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, width, generator=rng, dtype=torch.float64)


def scored(outcome, name):
    columns = {side: outcome.per_image[side][f"{name}_influence"] for side in ("fake", "real")}
    return Scored(outcome.scores[name].value, **columns)


def fid(real, fake):
    return scored(Fid().compute(real=real, fake=fake), "fid")


def precision(real, fake):
    found = PrecisionRecall().compute(neighbours=Neighbours(real=real, fake=fake))
    return scored(found, "precision")


def test_the_variance_by_hand():
    a = Scored(3.0, fake=torch.tensor([1.0, -1.0]), real=torch.tensor([2.0, 0.0, -2.0]))
    b = Scored(1.0, fake=torch.tensor([2.0, -2.0]), real=torch.tensor([1.0, 0.0, -1.0]))
    found = paired_comparison(a, b, better=Better.LOWER)
    assert found.difference == 2
    assert found.standard_error == pytest.approx((2 / 2 + 8 / 2 + 1 / 3) ** 0.5)
    assert found.probability == pytest.approx(0.1932, abs=1e-4)  # Phi(-2 / 2.309)


def test_a_generator_against_itself_is_no_better():
    real, fake = features(rows=200), features(rows=150, seed=1) + 0.2
    one = fid(real, fake)
    found = paired_comparison(one, one, better=Better.LOWER)
    assert found.difference == 0 and found.probability == 0.5


def test_swapping_turns_the_sign_and_the_probability():
    real = features(rows=300)
    a, b = fid(real, features(rows=200, seed=1) + 0.3), fid(real, features(rows=200, seed=2) + 0.35)
    found = paired_comparison(a, b, better=Better.LOWER)
    back = paired_comparison(b, a, better=Better.LOWER)
    assert back.difference == -found.difference
    assert back.probability == pytest.approx(1 - found.probability)
    assert paired_comparison(a, b, better=Better.HIGHER).probability == pytest.approx(
        back.probability
    )


def test_the_common_reference_cancels():
    """Both generators are shifted alike, so reference images move both scores together."""
    real = features(rows=100)
    a, b = fid(real, features(rows=2000, seed=1) + 1), fid(real, features(rows=2000, seed=2) + 1)
    paired = paired_comparison(a, b, better=Better.LOWER).standard_error
    independent = sum(
        float(side.var()) / len(side) for one in (a, b) for side in (one.fake, one.real)
    )
    assert paired < 0.6 * independent**0.5


@pytest.mark.parametrize(
    ("measure", "better", "widest"), [(fid, Better.LOWER, 1.6), (precision, Better.HIGHER, 1.75)]
)
def test_the_error_is_that_of_repeated_differences(measure, better, widest):
    """Of shares it is on the safe side, as their own is: see `HeldShare.estimate`."""
    found = []
    for draw in range(60):
        real = features(rows=300, seed=3 * draw)
        a = measure(real, features(rows=250, seed=3 * draw + 1) * 0.8 + 0.3)
        b = measure(real, features(rows=250, seed=3 * draw + 2) * 0.8 + 0.4)
        found.append(paired_comparison(a, b, better=better))
    spread = float(torch.tensor([one.difference for one in found]).std())
    error = sum(one.standard_error for one in found) / len(found)
    assert 0.75 * spread < error < widest * spread  # 60 draws know a spread to about 10 %


def test_refuses_other_reference_images_and_scores_without_direction():
    one, other = (Scored(0.0, torch.zeros(2), torch.zeros(count)) for count in (3, 4))
    with pytest.raises(ValueError, match="3 and 4 reference images"):
        paired_comparison(one, other, better=Better.LOWER)
    with pytest.raises(ValueError, match="without a better direction"):
        paired_comparison(one, one, better=Better.NEITHER)
