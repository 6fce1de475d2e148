import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from models.resize import Resize, resize

SIZES = [(32, 299), (64, 299), (299, 128), (512, 299), (20, 31)]


def noise(height: int, width: int | None = None) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height)
    shape = (2, 3, height, width or height)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def linear_matrix(length: int, size: int, offset: float, support_scale: float) -> np.ndarray:
    """Rows of a triangle filter, centred at (i + offset) * length / size - offset, in float64."""
    scale = length / size
    width = max(scale, 1.0) if support_scale else 1.0
    centres = (np.arange(size) + offset) * scale - offset
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(length)) / width)
    if not support_scale:  # positions outside the image repeat the border
        weights = np.zeros((size, length))
        low = np.floor(centres).astype(int)
        for shift, weight in ((0, 1 - (centres - low)), (1, centres - low)):
            columns = np.clip(low + shift, 0, length - 1)
            np.add.at(weights, (np.arange(size), columns), weight)
    return weights / weights.sum(1, keepdims=True)


def by_matrices(images: torch.Tensor, size: int, offset: float, antialias: bool) -> np.ndarray:
    rows = linear_matrix(images.shape[2], size, offset, antialias)
    columns = linear_matrix(images.shape[3], size, offset, antialias)
    return rows @ images.numpy().astype(np.float64) @ columns.T


@pytest.mark.parametrize(("side", "size"), SIZES)
def test_tf1_bilinear_is_bit_equal_to_torch_fidelity(side, size):
    peer = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    images = noise(side, side + 3)
    expected = peer.interpolate_bilinear_2d_like_tensorflow1x(
        images.float(), size=(size, size), align_corners=False
    )
    assert torch.equal(resize(images, size, Resize.tf1_bilinear), expected)


@pytest.mark.parametrize(("side", "size"), SIZES)
@pytest.mark.parametrize(
    ("rule", "offset", "antialias"),
    [
        (Resize.tf1_bilinear, 0.0, False),
        (Resize.torch_bilinear, 0.5, False),
        (Resize.torch_antialias, 0.5, True),
    ],
)
def test_linear_rules_equal_their_weight_matrices(rule, offset, antialias, side, size):
    images = noise(side, side + 3)
    expected = by_matrices(images, size, offset, antialias)
    np.testing.assert_allclose(resize(images, size, rule).numpy(), expected, atol=0.01)


@pytest.mark.parametrize(
    ("rule", "filter_"),
    [
        (Resize.pil_bilinear, Image.Resampling.BILINEAR),
        (Resize.pil_bicubic, Image.Resampling.BICUBIC),
        (Resize.pil_lanczos, Image.Resampling.LANCZOS),
        (Resize.pil_box, Image.Resampling.BOX),
    ],
)
def test_pillow_rules_equal_pillow_on_each_image(rule, filter_):
    images = noise(50, 40)
    for image, result in zip(images, resize(images, 33, rule), strict=True):
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        expected = np.asarray(picture.resize((33, 33), filter_))
        assert np.array_equal(result.permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize(
    ("rule", "shorter"), [("pil_bicubic_crop", 56), ("pil_bicubic_crop_8_7", 64)]
)
@pytest.mark.parametrize(("height", "width"), [(90, 131), (131, 90), (40, 40), (56, 56)])
def test_crop_rules_equal_torchvision_on_each_image(rule, shorter, height, width):
    images = noise(height, width)
    steps = [
        transforms.Resize(shorter, interpolation=transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(56),
    ]
    for image, result in zip(images, resize(images, 56, Resize[rule]), strict=True):
        picture = Image.fromarray(image.permute(1, 2, 0).numpy())
        expected = np.asarray(transforms.Compose(steps)(picture))
        assert np.array_equal(result.permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize(
    ("rule", "filter_"),
    [
        (Resize.pil_bilinear_float, Image.Resampling.BILINEAR),
        (Resize.pil_bicubic_unclipped, Image.Resampling.BICUBIC),
        (Resize.pil_lanczos_unclipped, Image.Resampling.LANCZOS),
    ],
)
@pytest.mark.parametrize("side", [32, 400])
def test_float_rules_equal_pillow_on_each_channel(rule, filter_, side):
    images = noise(side)[:1]
    result = resize(images, 299, rule)[0]
    for plane, channel in zip(images[0].numpy(), result.numpy(), strict=True):
        picture = Image.fromarray(plane.astype(np.float32))
        assert np.array_equal(channel, np.asarray(picture.resize((299, 299), filter_)))


def test_only_the_unclipped_rules_and_edm2s_leave_the_range_of_levels():
    images = noise(32)
    outside = {r.name for r in Resize if resize(images, 299, r).min() < 0}
    unclipped = {"pil_bicubic_unclipped", "pil_lanczos_unclipped", "torch_bicubic_antialias"}
    assert outside == unclipped


@pytest.mark.parametrize("side", [32, 224, 300, 512])
def test_antialiased_bicubic_of_torch_is_pillows_on_floats(side):
    images = noise(side)
    ours = resize(images, 224, Resize.torch_bicubic_antialias)
    pillow = resize(images, 224, Resize.pil_bicubic_unclipped)
    torch.testing.assert_close(ours, pillow, atol=5e-3, rtol=0)  # seen: 2e-3 of a level


@pytest.mark.parametrize("side", [32, 64, 223])
def test_antialias_changes_nothing_where_images_grow(side):
    images = noise(side)
    off = resize(images, 224, Resize.torch_bilinear)
    for rule in (Resize.torch_antialias, Resize.pil_bilinear_float):  # seen: 1e-3 of a level
        torch.testing.assert_close(resize(images, 224, rule), off, atol=5e-3, rtol=0)


@pytest.mark.parametrize("side", [64, 512])
def test_pil_bicubic_float_equals_clean_fid(side):
    peer = pytest.importorskip("cleanfid.resize").build_resizer("clean")
    images = noise(side)
    result = resize(images, 299, Resize.pil_bicubic_float)
    expected = np.stack([peer(image.permute(1, 2, 0).numpy()) for image in images])
    assert np.array_equal(result.permute(0, 2, 3, 1).numpy(), expected)


def test_pil_bicubic_float_stays_in_range_and_is_not_rounded():
    result = resize(noise(32), 299, Resize.pil_bicubic_float)
    assert result.min() == 0 and result.max() == 255
    assert not torch.equal(result, result.round())


@pytest.mark.parametrize("rule", [rule for rule in Resize if not rule.crops])
def test_an_image_of_the_right_size_passes_unchanged(rule):
    images = noise(64)
    assert torch.equal(resize(images, 64, rule), images.float())


@pytest.mark.parametrize("rule", Resize)
def test_every_rule_keeps_a_flat_colour_and_the_borders_of_the_contract(rule):
    images = torch.tensor([10, 128, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 40, 24)
    result = resize(images, 17, rule)
    assert result.dtype == torch.float32 and result.shape == (2, 3, 17, 17)
    expected = images[:, :, :1, :1].float().expand(2, 3, 17, 17)
    torch.testing.assert_close(result, expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("rule", Resize)
def test_an_image_is_resized_alike_alone_and_in_a_batch(rule):
    images = noise(40)
    assert torch.equal(resize(images, 23, rule)[1:], resize(images[1:], 23, rule))
