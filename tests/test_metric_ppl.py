import numpy as np
import pytest
import torch
import torch.nn.functional as F

from metrics.path_images import Crop
from metrics.ppl import (
    STYLEGAN2,
    TORCH_FIDELITY,
    PathProtocol,
    Sampling,
    Space,
    lerp,
    perceptual_path_length,
    slerp,
    trimmed,
)


def matrix(rows, columns, seed):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=rng, dtype=torch.float64) / columns**0.5


class Linear:
    """w = A z, image = B w: a step of any length changes the image by the same rate everywhere."""

    z_dim = 5

    def __init__(self, dtype=torch.float64):
        self.a, self.b = matrix(4, 5, 0).to(dtype), matrix(3 * 8 * 8, 4, 1).to(dtype)
        self.sizes, self.conditions = [], []

    def mapping(self, z, c):
        self.conditions.append(c)
        return z @ self.a.T

    def synthesis(self, w):
        self.sizes.append(len(w))
        return (w @ self.b.T).view(-1, 3, 8, 8)


def squared(first, second):
    return (first - second).square().sum(dim=(1, 2, 3))


def measure(generator=None, *, protocol=STYLEGAN2, seed=0, dtype=torch.float64, **settings):
    return perceptual_path_length(
        generator=generator or Linear(dtype),
        distance=squared,
        rng=torch.Generator().manual_seed(seed),
        protocol=protocol,
        dtype=dtype,
        **settings,
    )


@pytest.mark.parametrize("sampling", list(Sampling))
@pytest.mark.parametrize("space", [Space.w, Space.z_straight])
def test_a_linear_generator_has_twice_the_squared_norm_of_its_matrix(space, sampling):
    protocol = PathProtocol(space=space, sampling=sampling)
    found = measure(protocol=protocol, num_samples=4000, batch_size=1000).distances
    generator = Linear()
    expected = 2 * float((generator.b @ generator.a).square().sum())  # E |BA (z1 - z0)|^2
    error = float(found.std()) / 4000**0.5
    assert float(found.mean()) == pytest.approx(expected, abs=4 * error)


def test_on_the_sphere_a_linear_generator_turns_by_the_angle():
    protocol = PathProtocol(space=Space.z, epsilon=1e-3)

    class Turned(Linear):
        def __init__(self):
            super().__init__()
            self.a = torch.eye(5, dtype=torch.float64)
            self.b = torch.eye(192, 5, dtype=torch.float64)

    chords = measure(Turned(), protocol=protocol, num_samples=300).distances
    angle = 2 * (chords.sqrt() * 1e-3 / 2).asin() / 1e-3  # isometric: chords of the unit sphere
    assert float(angle.min()) > 0 and float(angle.max()) < torch.pi
    assert float(angle.mean()) == pytest.approx(torch.pi / 2, abs=0.1)  # of two random directions


def test_slerp_and_lerp_by_hand():
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]])
    third = slerp(a, b, torch.tensor([1 / 3]))
    torch.testing.assert_close(third, torch.tensor([[3**0.5 / 2, 0.5]]))
    torch.testing.assert_close(lerp(a, b, torch.tensor([0.25])), torch.tensor([[1.5, 1.25]]))


@pytest.mark.parametrize("count", [2, 50, 101, 1000])
def test_trimming_is_that_of_numpys_lower_and_higher_percentiles(count):
    rng = torch.Generator().manual_seed(count)
    distances = torch.rand(count, generator=rng, dtype=torch.float64) ** 4
    low = np.percentile(distances.numpy(), 1, method="lower")
    high = np.percentile(distances.numpy(), 99, method="higher")
    kept = distances[(distances >= low) & (distances <= high)].numpy()
    found = trimmed(distances)
    assert found.mean == pytest.approx(kept.mean(), rel=1e-12)
    assert found.std == pytest.approx(kept.std(), rel=1e-12)
    assert int(found.kept.sum()) == len(kept)


def test_trimming_by_hand():
    found = trimmed(torch.arange(201.0, dtype=torch.float64).flip(0))  # percentiles 2 and 198
    assert found.kept.tolist() == [False] * 2 + [True] * 197 + [False] * 2
    assert found.mean == 100 and found.distances[0] == 200


def test_the_standard_error_is_that_of_repeated_trimmed_means():
    rng = torch.Generator().manual_seed(0)
    draws = [
        trimmed(torch.randn(500, generator=rng, dtype=torch.float64).exp()) for _ in range(400)
    ]
    spread = float(torch.tensor([draw.mean for draw in draws]).std())
    mean_error = sum(draw.standard_error for draw in draws) / 400
    assert mean_error == pytest.approx(spread, rel=0.15)  # 400 draws know the spread to 4 %


@pytest.mark.parametrize("space", list(Space))
def test_the_batch_size_and_further_samples_change_no_distance(space):
    protocol = PathProtocol(space=space, sampling=Sampling.full)
    whole = measure(protocol=protocol, num_samples=40, batch_size=40).distances
    for batch_size in (1, 7):
        parts = measure(protocol=protocol, num_samples=40, batch_size=batch_size).distances
        # a matrix product of another size rounds otherwise, by 1e-16 of images over a step of 1e-4
        torch.testing.assert_close(parts, whole, rtol=1e-8, atol=0)
    longer = measure(protocol=protocol, num_samples=60, batch_size=40).distances
    torch.testing.assert_close(longer[:40], whole, rtol=1e-8, atol=0)


def test_both_ends_come_in_one_batch_under_one_condition():
    generator = Linear()
    pool = torch.tensor([3, 7])
    measure(generator, protocol=PathProtocol(space=Space.z), num_samples=30, conditions=pool)
    assert generator.sizes == [32, 28]
    for condition in generator.conditions:
        first, second = condition.chunk(2)
        assert torch.equal(first, second) and set(first.tolist()) == {3, 7}


def test_single_precision_is_near_double_and_quantising_is_not():
    double = measure(num_samples=200).mean
    assert measure(num_samples=200, dtype=torch.float32).mean == pytest.approx(double, rel=1e-2)
    levels = measure(num_samples=200, protocol=PathProtocol(quantise=True)).mean
    assert levels > 10 * double


def test_noise_is_redrawn_once_per_batch():
    calls = []
    measure(num_samples=30, batch_size=8, redraw_noise=calls.append)
    assert len(calls) == 4


def test_face_crop_by_hand():
    images = torch.arange(256.0).view(1, 1, 16, 16)  # c = 2: rows 6 to 14, columns 4 to 12
    found = PathProtocol(crop=Crop.face).prepare(images)
    assert torch.equal(found, images[:, :, 6:14, 4:12].expand(-1, 3, -1, -1))


@pytest.mark.parametrize(("side", "factor"), [(64, 1), (511, 1), (512, 2), (1024, 4)])
def test_boxes_are_means_of_squares(side, factor):
    images = torch.rand(1, 3, side, side, dtype=torch.float64) * 2 - 1
    found = STYLEGAN2.prepare(images)
    blocks = images.view(1, 3, side // factor, factor, side // factor, factor)
    torch.testing.assert_close(found, blocks.mean(dim=(3, 5)))


def test_a_crop_is_shrunk_by_the_whole_images_factor():
    images = torch.zeros(1, 3, 1024, 1024)
    assert PathProtocol(crop=Crop.face).prepare(images).shape == (1, 3, 128, 128)


@pytest.mark.parametrize(("side", "mode"), [(128, "area"), (32, "bilinear")])
def test_torch_fidelity_rounds_to_levels_and_resizes_to_64(side, mode):
    images = torch.rand(2, 3, side, side, dtype=torch.float64) * 2.2 - 1.1
    levels = ((images + 1) * 127.5).round().clamp(0, 255).byte().double()
    expected = F.interpolate(levels, (64, 64), mode=mode) / 127.5 - 1
    torch.testing.assert_close(TORCH_FIDELITY.prepare(images), expected)


def test_refuses_what_cannot_be_measured():
    with pytest.raises(ValueError, match="num_samples is 1"):
        measure(num_samples=1)
    with pytest.raises(ValueError, match="epsilon is 0"):
        PathProtocol(epsilon=0)
    with pytest.raises(ValueError, match="face crop needs squares"):
        PathProtocol(crop=Crop.face).prepare(torch.zeros(1, 3, 16, 24))
    with pytest.raises(ValueError, match="to shrink by 2, expected a multiple"):
        STYLEGAN2.prepare(torch.zeros(1, 3, 512, 513))
    with pytest.raises(ValueError, match="1 of 3 distances are NaN"):
        trimmed(torch.tensor([1.0, torch.nan, 2.0], dtype=torch.float64))
    narrow = Linear()
    narrow.z_dim = 1
    with pytest.raises(ValueError, match="z_dim of 2"):
        measure(narrow, protocol=PathProtocol(space=Space.z))
    for wrong in (torch.zeros(1, 3, 8, 8).byte(), torch.zeros(1, 2, 8, 8), torch.zeros(3, 8, 8)):
        with pytest.raises(ValueError, match="the generator gave"):
            STYLEGAN2.prepare(wrong)
