import pytest
import torch

from models.scaling import Scaling, scale, standardise

LEVELS = torch.tensor([0.0, 128.0, 255.0]).view(1, 1, 1, 3).expand(1, 3, 1, 3)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Scaling.tf, [-1.0, 0.0, 127 / 128]),
        (Scaling.tf_lite, [-127 / 128, 1 / 128, 1.0]),
        (Scaling.unit_symmetric, [-1.0, 2 * 128 / 255 - 1, 1.0]),
    ],
)
def test_levels_0_128_255_map_to_what_the_rule_says(rule, expected):
    assert scale(LEVELS, rule)[0, 0, 0].tolist() == pytest.approx(expected, abs=1e-7)


def test_imagenet_subtracts_each_channels_mean():
    red, green, blue = scale(LEVELS, Scaling.imagenet)[0, :, 0, 2].tolist()
    assert red == pytest.approx((1 - 0.485) / 0.229)
    assert green == pytest.approx((1 - 0.456) / 0.224)
    assert blue == pytest.approx((1 - 0.406) / 0.225)


def test_standardise_with_mean_half_and_std_half_is_unit_symmetric():
    halves = standardise(LEVELS, [0.5] * 3, [0.5] * 3)
    torch.testing.assert_close(halves, scale(LEVELS, Scaling.unit_symmetric))


def test_clip_subtracts_the_means_of_its_own_images():
    red, green, blue = scale(LEVELS, Scaling.clip)[0, :, 0, 2].tolist()
    assert red == pytest.approx((1 - 0.48145466) / 0.26862954)
    assert green == pytest.approx((1 - 0.4578275) / 0.26130258)
    assert blue == pytest.approx((1 - 0.40821073) / 0.27577711)
