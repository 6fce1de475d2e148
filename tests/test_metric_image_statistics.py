import colorsys
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from metrics.image_statistics import ImageStatistics, image_statistics


class InMemory:
    def __init__(self, images):
        self.images = images
        self.batches = []

    def __len__(self):
        return len(self.images)

    def read(self, indices):
        self.batches.append(len(indices))
        return self.images[list(indices)]


def noise(*, count=3, height=9, width=7, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, height, width), dtype=torch.uint8, generator=rng)


def flat(red, green, blue):
    colour = torch.tensor([red, green, blue], dtype=torch.uint8)
    return colour.view(1, 3, 1, 1).expand(1, 3, 4, 5)


def second_implementation(image):
    """One (3, H, W) uint8 array, by numpy, scipy and colorsys."""
    red, green, blue = image.astype(np.float64)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    rg, yb = red - green, (red + green) / 2 - blue
    spread, offset = np.hypot(rg.std(), yb.std()), np.hypot(rg.mean(), yb.mean())
    pixels = image.reshape(3, -1).T / 255
    shares = np.bincount(np.floor(luma + 0.5 + 1e-9).astype(int).ravel()) / luma.size
    shares = shares[shares > 0]
    return {
        "laplacian_variance": ndimage.convolve(luma, kernel)[1:-1, 1:-1].var(),
        "colourfulness": spread + 0.3 * offset,
        "saturation": np.mean([colorsys.rgb_to_hsv(*pixel)[1] for pixel in pixels]),
        "brightness": luma.mean() / 255,
        "contrast": luma.std() / 255,
        "entropy": -(shares * np.log2(shares)).sum(),
    }


def values(images):
    return {name: column.tolist() for name, column in image_statistics(images=images).items()}


@pytest.mark.parametrize("size", [(3, 3), (9, 7), (16, 40)])
def test_equals_numpy_scipy_and_colorsys(size):
    images = noise(height=size[0], width=size[1])
    found = values(images)
    for row, image in enumerate(images.numpy()):
        expected = second_implementation(image)
        assert {name: column[row] for name, column in found.items()} == pytest.approx(
            expected, rel=1e-12
        )


def test_is_near_pillows_grey_levels_and_hsv():
    image = noise(count=1, height=64, width=64)
    picture = Image.fromarray(image[0].permute(1, 2, 0).numpy())
    found = {name: column[0] for name, column in values(image).items()}
    grey, hsv = np.asarray(picture.convert("L")), np.asarray(picture.convert("HSV"))
    assert found["brightness"] == pytest.approx(grey.mean() / 255, abs=1e-3)  # Pillow rounds luma
    assert found["contrast"] == pytest.approx(grey.std() / 255, abs=1e-3)
    assert found["entropy"] == pytest.approx(picture.convert("L").entropy(), abs=0.01)
    assert found["saturation"] == pytest.approx(hsv[..., 1].mean() / 255, abs=3e-3)


@pytest.mark.parametrize(
    ("colour", "brightness", "saturation", "colourfulness"),
    [
        ((0, 0, 0), 0, 0, 0),
        ((255, 255, 255), 1, 0, 0),
        ((77, 77, 77), 77 / 255, 0, 0),
        ((255, 0, 0), 0.299, 1, 0.3 * math.hypot(255, 127.5)),
        ((10, 20, 40), (2.99 + 11.74 + 4.56) / 255, 0.75, 0.3 * math.hypot(10, 25)),
    ],
)
def test_one_colour_by_hand(colour, brightness, saturation, colourfulness):
    found = {name: column[0] for name, column in values(flat(*colour)).items()}
    assert found == {
        "laplacian_variance": 0,
        "colourfulness": pytest.approx(colourfulness),
        "saturation": pytest.approx(saturation),
        "brightness": pytest.approx(brightness),
        "contrast": 0,
        "entropy": 0,
    }


def test_black_and_white_stripes_by_hand():
    image = torch.zeros(1, 3, 6, 8, dtype=torch.uint8)
    image[..., ::2] = 255
    found = {name: column[0] for name, column in values(image).items()}
    assert found["contrast"] == pytest.approx(0.5) and found["entropy"] == pytest.approx(1)
    assert found["laplacian_variance"] == pytest.approx(510**2)  # +-510 at every inner pixel


def test_every_grey_level_once_has_eight_bits():
    image = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(1, 3, 16, 16)
    assert values(image)["entropy"] == [pytest.approx(8)]


def test_blur_lowers_the_laplacian_variance():
    sharp = noise(count=1, height=32, width=32)
    blurred = torch.nn.functional.avg_pool2d(sharp.double(), 3, 1, 1).byte()
    assert values(blurred)["laplacian_variance"] < values(sharp)["laplacian_variance"]


def test_scores_are_means_over_images_read_in_batches():
    images = noise(count=150, height=5, width=5)
    reader = InMemory(images)
    found = ImageStatistics().compute(fake_images=reader)
    assert reader.batches == [64, 64, 22]
    for name, column in image_statistics(images=images).items():
        estimate = found.scores[name]
        assert estimate.value == pytest.approx(float(column.mean()), rel=1e-12)
        assert estimate.standard_error == pytest.approx(float(column.std()) / 150**0.5)
        assert torch.equal(found.per_image["fake"][name], column)


def test_one_image_has_values_and_no_error():
    found = ImageStatistics().compute(fake_images=InMemory(noise(count=1)))
    assert all(estimate.standard_error is None for estimate in found.scores.values())


@pytest.mark.parametrize("height", [1, 2])
def test_refuses_images_below_three_pixels(height):
    with pytest.raises(ValueError, match=f"found {height} x 7 pixels, expected 3 x 3"):
        image_statistics(images=noise(height=height))


@pytest.mark.parametrize("images", [noise().float(), noise()[:, :1], noise()[0], noise()[:0]])
def test_refuses_what_is_no_batch_of_rgb_images(images):
    with pytest.raises(ValueError, match=r"expected uint8 \(n, 3, H, W\)"):
        image_statistics(images=images)


def test_refuses_no_images():
    with pytest.raises(ValueError, match="fake: found 0 images"):
        ImageStatistics().compute(fake_images=InMemory(noise()[:0]))
